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
	"github.com/pabal-dev/pabal/cmd/pabal/internal/guard"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/audit"
)

// connectListen is where the API of connectors shall be, or config.Off.
func (s *session) connectListen() string {
	return s.listen(s.o.Config.Connect.Listen, config.AutoConnect)
}

// listen is where an API shall be, or config.Off. Beside brokers that are given it is only where
// somebody says so: another worker's connectors, or another registry's schemas, may be in that cluster.
func (s *session) listen(at, auto string) string {
	switch {
	case at != config.Auto:
		return at
	case s.embedded():
		return auto
	}
	return config.Off
}

func (s *session) startConnect(ctx context.Context) error {
	if s.connectAt == "" {
		return nil
	}
	access, err := s.access(s.connectAt)
	if err != nil {
		return err
	}
	s.connect, err = connectors.Start(ctx, connectors.Config{Kafka: s.cluster, Listen: s.connectAt, Access: access, Logger: s.log})
	switch {
	case err == nil:
		s.onStop(s.connect.Stop)
	case takenSince(s.o.Config.Connect.Listen, err):
		s.connectAt, s.connect, err = "", nil, nil
	}
	return err
}

// takenSince is whether a port that nobody asked for was taken after it was looked at.
func takenSince(listen string, err error) bool {
	return listen == config.Auto && errors.Is(err, syscall.EADDRINUSE)
}

// access to an API is nil on loopback: who is on this machine may do everything there.
func (s *session) access(at string) (*guard.Access, error) {
	host, _, err := net.SplitHostPort(at)
	if err != nil || api.Loopback(host) {
		return nil, err
	}
	if err := s.openAudit(); err != nil {
		return nil, err
	}
	return &guard.Access{Users: s.files.users, TLS: s.files.consoleTLS, Audit: s.audit}, nil
}

// openAudit opens the audit log that APIs and console share, where it is not open.
func (s *session) openAudit() (err error) {
	if s.audit != nil {
		return nil
	}
	folder := s.folder("console")
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		folder = filepath.Join(folder, "audit.jsonl")
	}
	if s.audit, err = audit.OpenConfig(audit.Config{Path: cmp.Or(s.o.Config.Audit.File, folder), Logger: s.log}); err != nil {
		return err
	}
	s.onStop(func(context.Context) error { return s.audit.Close() })
	return nil
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
