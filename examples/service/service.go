package service

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Service is one running service; a lifecycle.Service.
type Service struct {
	def    Definition
	config Config
	parts  parts

	group  lifecycle.Group
	server server
	env    Env
	checks []check
	admin  *kgo.Client // until the topics are there

	payloads *Payloads // nil without a registry

	clusterID string
	relay     *outbox.Relay
	sweeper   *outbox.Sweeper
	backend   Backend  // nil where there is no database
	consumer  consumer // nil where nothing is consumed
	view      view     // nil where there is none
}

// New checks the configuration; nothing is opened before Start.
func New(d Definition, c Config) (*Service, error) {
	c, err := c.withDefaults(d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	s := &Service{def: d, config: c}
	for _, p := range s.steps() {
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

// DB is the service's SQL database between Start and Stop, nil where it has none.
func (s *Service) DB() storage.DB { return s.env.DB }

// step is one step of starting and stopping.
type step struct {
	name        string
	start, stop func(context.Context) error
}

func (p step) Start(ctx context.Context) error { return p.start(ctx) }

func (p step) Stop(ctx context.Context) error {
	if p.stop == nil {
		return nil
	}
	return p.stop(ctx)
}

func (s *Service) steps() []step {
	return []step{
		{"listen", func(ctx context.Context) error { return s.server.listen(ctx, s.config.Listen) }, func(context.Context) error { return s.server.close() }},
		{"Kafka", s.reachKafka, s.leaveKafka},
		{"payloads", s.openPayloads, s.closePayloads},
		{"database", s.openDatabase, s.closeDatabase},
		{"topics", s.ensureTopics, nil},
		{"schemas", s.registerSchemas, nil},
		s.late("outbox relay", s.newRelay),
		s.late("outbox sweeper", s.newSweeper),
		s.late("outbox cleaner", s.newOutboxCleaner),
		s.late("service", s.newOwn),
		s.late("consumer", s.newConsumer),
		s.late("inbox cleaner", s.newInboxCleaner),
		s.late("view", s.newView),
		{"HTTP", s.serve, s.server.shutdown},
		s.announcement(),
	}
}

// late is a step whose service is made when those before it run; nil where the
// definition has none.
func (s *Service) late(name string, build func() (lifecycle.Service, error)) step {
	var running lifecycle.Service
	return step{name,
		func(ctx context.Context) (err error) {
			if running, err = build(); err != nil || running == nil {
				return err
			}
			return running.Start(ctx)
		},
		func(ctx context.Context) error {
			if running == nil {
				return nil
			}
			return running.Stop(ctx)
		},
	}
}

func (s *Service) openDatabase(ctx context.Context) error {
	s.env = s.newEnv()
	if s.def.NoDatabase {
		parts, err := s.def.Build(s.env)
		s.parts = partsOf(parts)
		return err
	}
	backend, err := s.open(ctx)
	if err != nil {
		return err
	}
	s.backend, s.parts = backend, backend.parts()
	s.checks = []check{{"database", backend.database().Ping}}
	return nil
}

// open is by the scheme of the connection string.
func (s *Service) open(ctx context.Context) (Backend, error) {
	scheme, _, _ := strings.Cut(s.config.Database, ":")
	if other := s.def.Databases[scheme]; other != nil {
		return other(ctx, s.env, s.config.Database)
	}
	db, err := open.DB(ctx, s.config.Database, open.Config{Schema: s.config.Schema, Source: s.source(), Logger: s.config.Logger})
	if err != nil {
		return nil, err
	}
	if err := db.Migrate(ctx, s.def.Name, s.def.Migrations); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.env.DB = db
	parts, err := s.def.Build(s.env)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return sqlBackend{backendOf[storage.Tx]{db, parts}}, nil
}

func (s *Service) closeDatabase(context.Context) error {
	if s.backend == nil {
		return nil
	}
	return s.backend.database().Close()
}

func (s *Service) newEnv() Env {
	return Env{
		Payloads: s.payloads,
		CDC:      s.config.Outbox != OutboxRelay, Source: s.source(), OutboxHistory: s.config.OutboxHistory, Instance: s.instance(), StreamsURL: "http://" + s.advertised() + streamsPath, Kafka: s.config.Kafka, Group: s.config.Group, Topics: s.config.Topics, Durations: s.config.Durations, Texts: s.config.Texts, Clock: s.config.Clock,
		Log: s.config.Logger, Metrics: metrics.NewSet(),
	}
}

// instance is stable over restarts where the address is.
func (s *Service) instance() string {
	_, port, err := net.SplitHostPort(s.config.Listen)
	return s.config.instance(err == nil && port != "0")
}

func (s *Service) serve(context.Context) error {
	router := NewRouter(s.env)
	router.addHealth(s.checks)
	s.mountStreams(router)
	s.parts.routes(s.env, router)
	if err := s.mountAdmin(router); err != nil {
		return err
	}
	s.server.serve(router, s.config.Logger)
	return nil
}
