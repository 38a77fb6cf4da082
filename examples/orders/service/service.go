package service

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Service is one running service; a lifecycle.Service.
type Service struct {
	def    Definition
	config Config

	group  lifecycle.Group
	server server
	env    Env
	checks []check
	admin  *kgo.Client // until the topics are there
}

// New checks the configuration; nothing is opened before Start.
func New(d Definition, c Config) (*Service, error) {
	c, err := c.withDefaults(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	s := &Service{def: d, config: c}
	for _, p := range s.parts() {
		s.group.Add(p.name, p)
	}
	return s, nil
}

// Start takes the address, looks for Kafka, opens database, topics, outbox relay
// and consumer in that order, and serves last. On an error nothing is left open.
func (s *Service) Start(ctx context.Context) error {
	if err := s.group.Start(ctx); err != nil {
		return fmt.Errorf("%s: %w", s.def.Name, err)
	}
	s.config.Logger.Info("ready", "address", s.Addr())
	return nil
}

// Stop finishes requests and messages under way, and closes everything.
func (s *Service) Stop(ctx context.Context) error { return s.group.Stop(ctx) }

// Addr is the host:port the service listens on, "" before Start.
func (s *Service) Addr() string {
	if s.server.listener == nil {
		return ""
	}
	return s.server.listener.Addr().String()
}

// DB is the service's database between Start and Stop.
func (s *Service) DB() storage.DB { return s.env.DB }

// part is one step of starting and stopping.
type part struct {
	name        string
	start, stop func(context.Context) error
}

func (p part) Start(ctx context.Context) error { return p.start(ctx) }

func (p part) Stop(ctx context.Context) error {
	if p.stop == nil {
		return nil
	}
	return p.stop(ctx)
}

func (s *Service) parts() []part {
	parts := []part{
		{"listen", func(ctx context.Context) error { return s.server.listen(ctx, s.config.Listen) }, func(context.Context) error { return s.server.close() }},
		{"Kafka", s.reachKafka, s.leaveKafka},
		{"database", s.openDatabase, func(context.Context) error { return s.env.DB.Close() }},
		{"topics", s.ensureTopics, nil},
		s.late("outbox relay", s.newRelay),
		s.late("outbox cleaner", s.newOutboxCleaner),
	}
	if s.def.Handlers != nil {
		parts = append(parts, s.late("consumer", s.newConsumer), s.late("inbox cleaner", s.newInboxCleaner))
	}
	return append(parts, part{"HTTP", s.serve, s.server.shutdown})
}

// late is a part whose service is made when those before it run.
func (s *Service) late(name string, build func() (lifecycle.Service, error)) part {
	var running lifecycle.Service
	return part{name,
		func(ctx context.Context) (err error) {
			if running, err = build(); err != nil {
				return err
			}
			return running.Start(ctx)
		},
		func(ctx context.Context) error { return running.Stop(ctx) },
	}
}

func (s *Service) openDatabase(ctx context.Context) error {
	db, err := open.DB(ctx, s.config.Database, open.Config{Schema: s.config.Schema, Logger: s.config.Logger})
	if err != nil {
		return err
	}
	if err := db.Migrate(ctx, s.def.Name, s.def.Migrations); err != nil {
		return errors.Join(err, db.Close())
	}
	s.env = Env{DB: db, Topics: s.config.Topics, Log: s.config.Logger, Metrics: metrics.NewSet()}
	s.checks = []check{{"database", db.Ping}}
	return nil
}

// instance is stable over restarts where the address is.
func (s *Service) instance() string {
	_, port, err := net.SplitHostPort(s.config.Listen)
	return s.config.instance(err == nil && port != "0")
}

func (s *Service) serve(context.Context) error {
	router := NewRouter(s.env)
	router.addHealth(s.checks)
	s.def.Routes(s.env, router)
	s.server.serve(router, s.config.Logger)
	return nil
}
