package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

// LocalConfig says what a Local answers from. Name and Instance are required.
type LocalConfig struct {
	// Name of the service, Instance of this process among those of the service.
	Name, Instance string
	// Version of the service; "" where it has none.
	Version string
	// Cluster is the id of the Kafka cluster.
	Cluster string
	// Kafka has the tenant's prefix. It is connected to only where a topic was
	// deleted and made again, to learn which of the two a replay is of.
	Kafka kafka.Config
	// Outbox is nil where the service has none.
	Outbox    *LocalOutbox
	Consumers []LocalConsumer
	// Journal is nil where the service has none, Projections and Sagas likewise.
	Journal     *LocalJournal
	Projections *LocalProjections
	Sagas       *LocalSagas
	// Streams are the stream processing applications of this process: *streams.App.
	// People read stores through App.Handler's answers, with its default options.
	Streams []StreamsApp
	// Now is time.Now where nil.
	Now func() time.Time
}

// LocalOutbox is the outbox of a service.
type LocalOutbox struct {
	// Name and Source as in outbox.RelayConfig.
	Name, Source string
	// DeadLetterTopic without the prefix.
	DeadLetterTopic string
	// Topics it writes, without the prefix; for people.
	Topics []string
	Store  OutboxStore
	// Relay that publishes it, or Sweeper where change data capture does.
	Relay   Relay
	Sweeper Sweeper
}

// LocalConsumer is a consumer of this process.
type LocalConsumer struct {
	// Name, DeadLetterTopic as in inbox.Config.
	Name            string
	DeadLetterTopic string
	// Topics it reads and Answers, without the prefix; see ConsumerStatus.
	Topics  []string
	Answers map[string][]string
	Store   InboxStore
	Runner  Consumer
}

// OutboxStore is what a Local needs of an outbox.Store; both backends have it.
type OutboxStore interface {
	outbox.Inspector
	Identity(ctx context.Context) (outbox.Identity, error)
	Backlog(ctx context.Context) (outbox.Backlog, error)
	Replay(ctx context.Context, ids ...int64) (int64, error)
}

// InboxStore is what a Local needs of an inbox.Store; both backends have it.
type InboxStore interface {
	inbox.Inspector
	StartReplay(ctx context.Context, consumer string, p inbox.Partition, from int64) (inbox.Replay, error)
	Release(ctx context.Context, consumer, topic, key string) (int64, error)
	Transient(err error) bool
}

// Relay is what a Local needs of an *outbox.Relay.
type Relay interface {
	Stats() outbox.Stats
	Health() error
	Pause(reason string)
	Resume()
}

// Sweeper is what a Local needs of an *outbox.Sweeper.
type Sweeper interface {
	Stats() outbox.Stats
	Health() error
}

// Consumer is what a Local needs of an *inbox.Consumer.
type Consumer interface {
	Stats() inbox.Stats
	Health() error
}

var (
	_ Relay    = (*outbox.Relay)(nil)
	_ Sweeper  = (*outbox.Sweeper)(nil)
	_ Consumer = (*inbox.Consumer[inbox.Tx])(nil)
)

// Local is the API of the service in this process.
type Local struct {
	cfg     LocalConfig
	started time.Time
	outbox  *localOutbox // nil where there is none
	streams []*localStreams
	looks   chan struct{}
}

var _ API = (*Local)(nil)

// maxLooks is how many searches run at a time: each takes a connection that the
// service's own work may need.
const maxLooks = 2

// NewLocal checks the configuration; it starts nothing.
func NewLocal(c LocalConfig) (*Local, error) {
	if c.Name == "" || c.Instance == "" {
		return nil, fmt.Errorf("%w: a service needs a name and an instance", ErrInvalid)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	l := &Local{cfg: c, started: c.Now().UTC(), looks: make(chan struct{}, maxLooks)}
	if c.Outbox != nil {
		if c.Outbox.Store == nil || (c.Outbox.Relay == nil) == (c.Outbox.Sweeper == nil) {
			return nil, fmt.Errorf("%w: the outbox of %s needs a store, and a relay or a sweeper", ErrInvalid, c.Name)
		}
		l.outbox = &localOutbox{LocalOutbox: *c.Outbox, now: c.Now}
	}
	for i, x := range c.Consumers {
		if x.Name == "" || x.Store == nil || x.Runner == nil {
			return nil, fmt.Errorf("%w: consumer %q of %s needs a name, a store and a runner", ErrInvalid, x.Name, c.Name)
		}
		if slices.ContainsFunc(c.Consumers[:i], func(y LocalConsumer) bool { return x.Name == y.Name }) {
			return nil, fmt.Errorf("%w: %s has two consumers %q", ErrInvalid, c.Name, x.Name)
		}
	}
	if c.Journal != nil && c.Journal.Store == nil || c.Projections != nil && c.Projections.Store == nil {
		return nil, fmt.Errorf("%w: the journal and the projections of %s need a store", ErrInvalid, c.Name)
	}
	if c.Sagas != nil && (c.Sagas.Store == nil || slices.Contains(c.Sagas.Operators, nil)) {
		return nil, fmt.Errorf("%w: the sagas of %s need a store, and no operator may be nil", ErrInvalid, c.Name)
	}
	for _, app := range c.Streams {
		if app == nil {
			return nil, fmt.Errorf("%w: no application of %s may be nil", ErrInvalid, c.Name)
		}
		added := newLocalStreams(app, c.Now)
		if slices.ContainsFunc(l.streams, func(other *localStreams) bool { return other.id == added.id }) {
			return nil, fmt.Errorf("%w: %s has two applications %q", ErrInvalid, c.Name, added.id)
		}
		l.streams = append(l.streams, added)
	}
	return l, nil
}

// Status implements API. It answers also where the database does not: with what
// was known last.
func (l *Local) Status(ctx context.Context) (Status, error) {
	s := Status{
		Name: l.cfg.Name, Instance: l.cfg.Instance, Version: l.cfg.Version,
		Cluster: l.cfg.Cluster, Prefix: l.cfg.Kafka.Prefix, Started: l.started, Consumers: []ConsumerStatus{},
	}
	if l.outbox != nil {
		o := l.outbox.status(ctx)
		s.Outbox = &o
	}
	for _, c := range l.cfg.Consumers {
		s.Consumers = append(s.Consumers, c.status())
	}
	s.Journal, s.HasProjections = l.cfg.Journal != nil, l.cfg.Projections != nil
	if l.cfg.Projections != nil {
		for _, p := range l.cfg.Projections.Running {
			s.Projections = append(s.Projections, projectionStatus(p))
		}
		slices.SortFunc(s.Projections, func(a, b ProjectionStatus) int { return cmp.Compare(a.Name, b.Name) })
	}
	if s.HasSagas = l.cfg.Sagas != nil; s.HasSagas {
		for _, o := range l.cfg.Sagas.Operators {
			s.Sagas = append(s.Sagas, o.Name())
		}
		slices.Sort(s.Sagas)
	}
	if len(l.streams) > 0 {
		s.Streams = l.streamsStatuses()
	}
	return s, nil
}

// maxProblem is how much of an error is shown, in bytes.
const maxProblem = 2000

func (c LocalConsumer) status() ConsumerStatus {
	s := ConsumerStatus{Name: c.Name, Topics: append([]string{}, c.Topics...), DeadLetterTopic: c.DeadLetterTopic,
		Answers: c.Answers, Stats: c.Runner.Stats()}
	slices.Sort(s.Topics)
	if s.Stats.Partitions == nil {
		s.Stats.Partitions = []inbox.PartitionStats{}
	}
	slices.SortFunc(s.Stats.Partitions, func(a, b inbox.PartitionStats) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	s.Problem = problemOf(c.Runner.Health())
	return s
}

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	text := err.Error()
	return text[:min(len(text), maxProblem)]
}

// look runs a search once fewer than maxLooks do.
func (l *Local) look(ctx context.Context, search func() error) error {
	select {
	case l.looks <- struct{}{}:
		defer func() { <-l.looks }()
		return failed(search())
	case <-ctx.Done():
		return fmt.Errorf("%w: %d other searches run: %w", ErrUnavailable, maxLooks, ctx.Err())
	}
}

// failed sorts an error of a store.
func failed(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrInvalid), errors.Is(err, ErrConflict):
		return err
	case errors.Is(err, outbox.ErrQuery), errors.Is(err, inbox.ErrQuery), errors.Is(err, journal.ErrPersistenceID), errors.Is(err, saga.ErrQuery):
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	case errors.Is(err, saga.ErrNotFound):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case errors.Is(err, saga.ErrRefused), errors.Is(err, saga.ErrChanged), errors.Is(err, saga.ErrVersion):
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}
