package up

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/embedded"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/lock"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/ports"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/webconsole"
	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/lens"
)

func (s *session) embedded() bool { return len(s.o.Config.Kafka.Brokers) == 0 }

// readFiles reads what the settings name, and makes the logger.
func (s *session) readFiles(context.Context) (err error) {
	c := s.o.Config
	if !s.embedded() && c.Console.Listen == config.Off && s.connectListen() == config.Off && s.registryListen() == config.Off {
		return fmt.Errorf("%w: there is nothing to start: brokers are given (%s), the console is off (%s) and so are connectors and the schema registry",
			config.ErrWrong, c.Origin("kafka.brokers"), c.Origin("console.listen"))
	}
	options := &slog.HandlerOptions{Level: c.Log.Level}
	s.log = slog.New(slog.NewTextHandler(s.o.Stderr, options))
	if c.Log.Format == "json" {
		s.log = slog.New(slog.NewJSONHandler(s.o.Stderr, options))
	}
	s.files, err = readFiles(&c.Settings)
	return err
}

// takeAddresses checks every port before anything is started.
func (s *session) takeAddresses(context.Context) error {
	c := s.o.Config
	var needs []ports.Need
	var into []*string
	if s.embedded() {
		needs = append(needs, ports.Need{Addr: c.Broker.Listen, What: "the Kafka broker", Flag: "--broker=127.0.0.1:PORT"})
		into = append(into, &s.kafkaAt)
	}
	if c.Console.Listen != config.Off {
		needs = append(needs, ports.Need{Addr: c.Console.Listen, What: "the console", Flag: "--console=127.0.0.1:PORT"})
		into = append(into, &s.at)
	}
	if at := s.connectListen(); at != config.Off {
		needs = append(needs, ports.Need{Addr: at, What: "the connectors' REST API", Flag: "--connect=127.0.0.1:PORT", Optional: c.Connect.Listen == config.Auto})
		into = append(into, &s.connectAt)
	}
	if at := s.registryListen(); at != config.Off {
		needs = append(needs, ports.Need{Addr: at, What: "the schema registry", Flag: "--registry=127.0.0.1:PORT", Optional: c.Registry.Listen == config.Auto})
		into = append(into, &s.registryAt)
	}
	chosen, err := ports.Choose(needs...)
	for i, address := range chosen {
		*into[i] = address
	}
	return err
}

// takeFolder makes the data folder and keeps others out of it.
func (s *session) takeFolder(context.Context) error {
	dir := s.o.Config.DataDir
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	held, err := lock.File(filepath.Join(dir, "pabal.lock"))
	if errors.Is(err, lock.ErrHeld) {
		return fmt.Errorf("data folder %s is in use by another pabal up; stop that one or name another folder with --data-dir", dir)
	}
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	s.onStop(func(context.Context) error { return held.Close() })
	return nil
}

// folder is a part of the data folder, "" where nothing is kept.
func (s *session) folder(name string) string {
	if s.o.Config.DataDir == "" {
		return ""
	}
	return filepath.Join(s.o.Config.DataDir, name)
}

func (s *session) startConsole(ctx context.Context) (err error) {
	if s.at == "" {
		return nil
	}
	if s.console, err = webconsole.Start(ctx, s.consoleConfig()); err != nil {
		return err
	}
	s.onStop(s.console.Stop)
	return nil
}

func (s *session) consoleConfig() console.Config {
	c := s.o.Config
	config := console.Config{
		Kafka: s.cluster, RetainedAlarm: int64(c.Connect.RetainedAlarm), DataDir: s.folder("console"), AuditFile: c.Audit.File, Audit: s.audit,
		Listen: s.at, TLS: s.files.consoleTLS, AllowPlainHTTP: c.Console.AllowPlainHTTP,
		Base: c.Console.BasePath, AllowedHosts: c.Console.AllowedHosts, Users: s.files.users,
		Mask: c.Mask.Rules, ServiceHosts: c.Services.Allow, ServiceToken: s.files.servicesToken,
		Lens: lens.Config{
			Topics: lens.Topics{Include: c.Lens.Include, Exclude: c.Lens.Exclude},
			Window: c.Lens.Window, MaxEvents: c.Lens.MaxEvents, MaxBytes: int64(c.Lens.MaxBytes),
		},
		Version: s.o.Version, Logger: s.log,
	}
	if s.connect != nil {
		config.ConnectURL, config.ConnectHTTP = s.connect.URL(), s.connect.Client()
	}
	config.Metrics = s.writeMetrics
	if b := s.reporter(); b != nil {
		config.Broker = embedded.View{Broker: b}
	}
	s.showRegistry(&config)
	return config
}
