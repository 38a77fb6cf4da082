package console

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
	"github.com/pabal-dev/pabal/console/cluster"
	"github.com/pabal-dev/pabal/console/connectors"
	"github.com/pabal-dev/pabal/console/fleet"
	"github.com/pabal-dev/pabal/console/lens"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/console/redrive"
	"github.com/pabal-dev/pabal/console/registry"
)

// New makes a console and its engines; Start starts them. It connects to nothing yet,
// and opens the audit log, which Stop closes.
func New(cfg Config) (*Console, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.DataDir != "" {
		if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
			return nil, fmt.Errorf("%w: data directory: %w", ErrConfig, err)
		}
	}
	if cfg.Audit != nil {
		return assemble(cfg, cfg.Audit)
	}
	log, err := audit.OpenConfig(audit.Config{Path: cmp.Or(cfg.AuditFile, cfg.file("audit.jsonl")), Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	c, err := assemble(cfg, log)
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	c.close = log.Close
	return c, nil
}

// assemble makes the engines, and adds them in the order in which they start.
func assemble(cfg Config, log *audit.Log) (*Console, error) {
	rules, err := mask.New(cfg.Mask, cfg.Kafka.Prefix)
	if err != nil {
		return nil, err
	}
	services, err := fleet.New(cfg.Kafka, fleet.Config{Allow: cfg.ServiceHosts, Token: cfg.ServiceToken, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	decoder, err := registry.NewDecoder(registry.Config{URL: cfg.RegistryURL, HTTP: cfg.RegistryHTTP, Prefix: cfg.Kafka.Prefix, Logger: cfg.Logger})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	kafka, err := cluster.New(cfg.Kafka, cluster.Config{Services: services, Mask: rules, Schemas: decoder, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	cfg.Lens.Path, cfg.Lens.Services, cfg.Lens.Logger = cfg.file("lens.sqlite"), services, cfg.Logger
	traces, err := lens.New(cfg.Kafka, cfg.Lens)
	if err != nil {
		return nil, err
	}
	letters, err := redrive.New(cfg.Kafka, redrive.Config{Path: cfg.file("redrives.sqlite"), Services: services, Audit: log, Mask: rules, Schemas: decoder, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	engines := api.Engines{
		Topics: kafka, Groups: kafka, Services: maskedServices{services, rules}, Lens: maskedLens{traces, rules},
		DeadLetters: letters, Audit: log, Streams: maskedStreams{streamsEngine{services, kafka}, rules}, Version: cfg.Version,
	}
	if cfg.RegistryURL != "" {
		engines.Schemas = registry.New(decoder, cfg.Kafka, kafka, kafka)
	}
	if cfg.Broker != nil {
		engines.Broker = newBrokerEngine(cfg.Broker)
	}
	if cfg.ConnectURL != "" {
		run, err := connectors.New(connectors.Config{URL: cfg.ConnectURL, HTTP: cfg.ConnectHTTP, Kafka: cfg.Kafka, Groups: kafka, RetainedAlarm: cfg.RetainedAlarm})
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrConfig, err)
		}
		engines.Connectors = maskedConnectors{run, rules}
		engines.Lens = watchedLens{engines.Lens, run.Watch}
	}
	c, err := newWith(engines, access{cfg.Users, cfg.Base, cfg.Listen, cfg.AllowedHosts, cfg.Logger})
	if err != nil {
		return nil, err
	}
	c.metrics.more = cfg.Metrics
	c.parts.Add("services", services)
	c.parts.Add("kafka", kafka)
	c.parts.Add("index", traces)
	c.parts.Add("redrives", letters)
	return c, nil
}

// file is a path in the data directory, "" without one.
func (c Config) file(name string) string {
	if c.DataDir == "" {
		return ""
	}
	return filepath.Join(c.DataDir, name)
}
