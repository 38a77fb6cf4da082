package up

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
)

// connectListen is where the API of connectors shall be, or config.Off. Beside brokers that are given
// it is only where somebody says so: another worker's connectors may be in that cluster.
func (s *session) connectListen() string {
	at := s.o.Config.Connect.Listen
	switch {
	case at != config.Auto:
		return at
	case s.embedded():
		return config.AutoConnect
	}
	return config.Off
}

func (s *session) startConnect(ctx context.Context) error {
	if s.connectAt == "" {
		return nil
	}
	access, err := s.connectAccess()
	if err != nil {
		return err
	}
	s.connect, err = connectors.Start(ctx, connectors.Config{Kafka: s.cluster, Listen: s.connectAt, Access: access, Logger: s.log})
	switch {
	case err == nil:
		s.onStop(s.connect.Stop)
	case s.o.Config.Connect.Listen == config.Auto && errors.Is(err, syscall.EADDRINUSE): // taken since it was looked at
		s.connectAt, s.connect, err = "", nil, nil
	}
	return err
}

// connectAccess is nil on loopback: who is on this machine may do everything there.
func (s *session) connectAccess() (*connectors.Access, error) {
	host, _, err := net.SplitHostPort(s.connectAt)
	if err != nil || api.Loopback(host) {
		return nil, err
	}
	folder := s.folder("console")
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("data folder: %w", err)
		}
		folder = filepath.Join(folder, "audit.jsonl")
	}
	if s.audit, err = audit.OpenConfig(audit.Config{Path: cmp.Or(s.o.Config.Audit.File, folder), Logger: s.log}); err != nil {
		return nil, err
	}
	s.onStop(func(context.Context) error { return s.audit.Close() })
	return &connectors.Access{Users: s.files.users, TLS: s.files.consoleTLS, Audit: s.audit}, nil
}

// connectText says where the API is, or why not; "" where nobody wants to know.
func (s *session) connectText() string {
	switch {
	case s.connect != nil:
		return s.connect.URL() + "/connectors"
	case s.connectListen() != config.Off:
		return "off, because another program has " + s.connectListen() + "; run connectors on another port with --connect=127.0.0.1:PORT"
	}
	return ""
}
