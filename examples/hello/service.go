package hello

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
	"github.com/pabal-dev/pabal/storage/redis"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/sink"
)

// Config of the service. Database and Kafka are required.
type Config struct {
	// Listen is the HTTP address; 127.0.0.1:8105. It must be one of this machine only:
	// the API has no passwords.
	Listen string
	// Database is sqlite:/path/file.db or postgres://user:pass@host/db.
	Database string
	// Schema is PostgreSQL's, made where it is missing; hello.
	Schema string
	// Kafka is the cluster that gets the topics.
	Kafka kafka.Config
	// Redis is redis://HOST:PORT of the one that gets a copy of the table; "" for none.
	Redis string
	// RedisHash keeps the copy as one hash, instead of a key for each entry.
	RedisHash bool
	// Sync names the copying: its consumer group, and the positions in Redis. "hello-redis".
	Sync string
	// StateDir holds the stores of the stream processing, see streams.Config. One process at a
	// time uses it.
	StateDir string
	// Instance names this process among those of the service: each has its own, and the same
	// one when it is started again. The host's name and Listen.
	Instance string
	// Outbox is service.OutboxRelay, OutboxCDC or OutboxCDCMessage; the first where "". OutboxSlot is
	// the replication slot of the connector of the others, "pabal_" and Schema; PollInterval
	// how often it is looked what that has published, 1 s.
	Outbox, OutboxSlot string
	PollInterval       time.Duration
	// OnUncaught is what an error in the stream processing leads to: REPLACE_THREAD,
	// SHUTDOWN_CLIENT (also where "") or SHUTDOWN_APPLICATION.
	OnUncaught string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Host answers commands of either variant.
type Host = entity.Host[Command, State, Reply]

// Service is the variants, their API, the projection and the table; a lifecycle.Service.
type Service struct {
	cfg      Config
	parts    lifecycle.Group // in the order of starting
	types    *journal.Registry
	listener net.Listener

	// What the parts that start later need of those before them.
	db      storage.DB
	cluster string
	relay   *outbox.Relay   // or
	sweeper *outbox.Sweeper // where change data capture publishes
	sourced *Host
	durable *Host
	log     *projection.Projection[storage.Tx]
	app     *streams.App
	asker   *asker
	redis   *redis.DB
	sync    *sink.Sink
}

// New makes the service; nothing is opened before Start.
func New(c Config) (*Service, error) {
	types, err := registry()
	if err != nil {
		return nil, err
	}
	c.Listen, c.Schema, c.Sync = cmp.Or(c.Listen, "127.0.0.1:8105"), cmp.Or(c.Schema, "hello"), cmp.Or(c.Sync, "hello-redis")
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if err := c.Kafka.Validate(); err != nil {
		return nil, err
	}
	if host, _, err := net.SplitHostPort(c.Listen); err != nil || !isLoopback(host) {
		return nil, fmt.Errorf("listen on %q: want an address of this machine only, such as 127.0.0.1:8105", c.Listen)
	}
	if _, err := c.uncaught(); err != nil {
		return nil, err
	}
	s := &Service{cfg: c, types: types}
	s.parts.Add("listen", &step{start: s.listen, stop: func(context.Context) error { return ignoreClosed(s.listener.Close()) }})
	s.parts.Add("Kafka", &step{start: s.prepareKafka})
	s.parts.Add("database", &step{start: s.openDatabase, stop: func(context.Context) error { return s.db.Close() }})
	if c.Outbox == service.OutboxCDC || c.Outbox == service.OutboxCDCMessage {
		s.parts.Add("outbox sweeper", later(s.newSweeper))
	} else {
		s.parts.Add("outbox relay", later(s.newRelay))
	}
	s.parts.Add("event-sourced entities", later(s.newSourced))
	s.parts.Add("durable entities", later(s.newDurable))
	s.parts.Add("projection", later(s.newLog))
	s.parts.Add("answers", later(s.newAsker))
	s.parts.Add("table", later(s.newTable))
	if c.Redis != "" {
		s.parts.Add("Redis", &step{start: s.openRedis, stop: func(context.Context) error { return s.redis.Close() }})
		s.parts.Add("copy in Redis", later(s.newSync))
	}
	s.parts.Add("HTTP", later(s.newServer))
	s.parts.Add("announcement", later(s.newAnnouncer))
	return s, nil
}

// Start starts every part, or none.
func (s *Service) Start(ctx context.Context) error { return s.parts.Start(ctx) }

// Stop finishes what is under way.
func (s *Service) Stop(ctx context.Context) error { return s.parts.Stop(ctx) }

// Addr is the host:port the service listens on, once it has started.
func (s *Service) Addr() string { return s.listener.Addr().String() }

func (s *Service) listen(ctx context.Context) (err error) {
	s.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.cfg.Listen)
	return err
}

func (s *Service) prepareKafka(ctx context.Context) error {
	client, err := kafka.NewClient(s.cfg.Kafka)
	if err != nil {
		return err
	}
	defer client.Close()
	if s.cluster, err = kafka.ClusterID(ctx, client, s.cfg.Kafka); err != nil {
		return err
	}
	if err := kafka.EnsureTopics(ctx, client, s.cfg.Kafka, topics()...); err != nil {
		return err
	}
	return samePartitions(ctx, client, s.cfg.Kafka.Topic(Topic), s.cfg.Kafka.Topic(Commands))
}

func (s *Service) openDatabase(ctx context.Context) (err error) {
	s.db, err = open.DB(ctx, s.cfg.Database, open.Config{Schema: s.cfg.Schema, Source: "/hello", Logger: s.cfg.Logger})
	return err
}

func (s *Service) newRelay() (_ lifecycle.Service, err error) {
	s.relay, err = outbox.NewRelay(s.db, s.cfg.Kafka, outbox.RelayConfig{Name: "hello", Source: "/hello", Logger: s.cfg.Logger})
	return s.relay, err
}

func (s *Service) newSweeper() (_ lifecycle.Service, err error) {
	store, ok := s.db.(outbox.CaptureStore)
	if !ok {
		return nil, outbox.ErrNoCapture
	}
	s.sweeper, err = outbox.NewSweeper(store, outbox.SweeperConfig{
		Slot: cmp.Or(s.cfg.OutboxSlot, "pabal_"+s.cfg.Schema), Way: outbox.Way(s.cfg.Outbox), Name: "hello", Interval: s.cfg.PollInterval, Logger: s.cfg.Logger,
	})
	return s.sweeper, err
}

func (s *Service) newSourced() (_ lifecycle.Service, err error) {
	s.sourced, err = entity.NewEventSourced(sourced(s.types), s.db, entity.Config{Logger: s.cfg.Logger})
	return s.sourced, err
}

func (s *Service) newDurable() (_ lifecycle.Service, err error) {
	s.durable, err = entity.NewDurable(durable(s.types), s.db, entity.Config{Logger: s.cfg.Logger})
	return s.durable, err
}

func (s *Service) newLog() (_ lifecycle.Service, err error) {
	c := publishing(s.types)
	c.Logger = s.cfg.Logger
	s.log, err = projection.New(s.db, s.db, c)
	return s.log, err
}

func (s *Service) newAsker() (lifecycle.Service, error) {
	s.asker = newAsker(s.cfg.Kafka, s.cfg.Logger)
	return s.asker, nil
}

func (s *Service) newTable() (_ lifecycle.Service, err error) {
	s.app, err = newApp(s.cfg, s.Addr())
	return s.app, err
}

// Table is the store hello-state-store, once all of it can be read; ctx bounds the wait.
func (s *Service) Table(ctx context.Context) (*streams.Store[string, State], error) {
	return streams.WaitStore[string, State](ctx, s.app, Store)
}

func (s *Service) newServer() (lifecycle.Service, error) {
	mux := http.NewServeMux()
	routes(mux, "sourced", entityHost{s.sourced})
	routes(mux, "durable", entityHost{s.durable})
	routes(mux, "topic", s.asker)
	mux.Handle("/streams/", http.StripPrefix("/streams", s.app.Handler()))
	mux.HandleFunc("GET /readyz", s.ready)
	local, err := admin.NewLocal(s.adminConfig())
	if err != nil {
		return nil, err
	}
	mux.Handle("/admin/", http.StripPrefix("/admin", admin.Handler(local, admin.HandlerConfig{Logger: s.cfg.Logger})))
	// A page of another origin in somebody's browser is not to greet.
	return newServer(s.listener, http.NewCrossOriginProtection().Handler(mux), s.cfg.Logger), nil
}

// ready says whether every variant answers.
func (s *Service) ready(w http.ResponseWriter, r *http.Request) {
	if state := s.app.State(); state != streams.Running {
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("the table is %s: %v", state, errors.Join(s.app.Health(), s.app.Err())), "")
		return
	}
	if err := errors.Join(s.db.Ping(r.Context()), s.app.Health()); err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error(), "")
		return
	}
	write(w, http.StatusOK, "application/json", struct {
		Status string `json:"status"`
	}{"ok"})
}

// adminConfig is what the console sees of the service.
func (s *Service) adminConfig() admin.LocalConfig {
	out := &admin.LocalOutbox{Name: "hello", Source: "/hello", DeadLetterTopic: "outbox.dead-letters", Topics: []string{Topic}, Store: s.db}
	if s.sweeper != nil {
		out.Sweeper = s.sweeper
	} else {
		out.Relay = s.relay
	}
	return admin.LocalConfig{
		Name: "hello", Instance: s.Addr(), Cluster: s.cluster, Kafka: s.cfg.Kafka, Outbox: out,
		Journal:     &admin.LocalJournal{Store: s.db, Registry: s.types, Entities: []entity.Inspector{s.sourced, s.durable}},
		Projections: &admin.LocalProjections{Store: s.db, Source: s.db, Running: []admin.Projection{s.log}},
		Streams:     []admin.StreamsApp{s.app},
	}
}

func (s *Service) newAnnouncer() (lifecycle.Service, error) {
	return admin.NewAnnouncer(admin.AnnouncerConfig{Kafka: s.cfg.Kafka, Logger: s.cfg.Logger,
		Announcement: admin.Announcement{Name: "hello", Instance: s.Addr(), URL: "http://" + s.Addr() + "/admin"}})
}
