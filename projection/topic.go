package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// TopicConfig says what a Topic handles and how.
type TopicConfig[T inbox.Tx] struct {
	// Consumer names the projection, its topics and handlers, and the rest of what
	// inbox does: exactly once, with retries and dead letters.
	Consumer inbox.Config[T]
	// BeatInterval is how often it tells others that it is alive, and looks whether it
	// is paused; 1 s.
	BeatInterval time.Duration
}

// management is the part of Admin that a Topic needs: its offsets are the inbox's.
type management interface {
	Beat(ctx context.Context, projection, worker string, ttl time.Duration) (workers []string, err error)
	Paused(ctx context.Context, projection string, slices journal.SliceRange) (bool, error)
	SetPaused(ctx context.Context, projection string, paused bool) error
}

// Topic is a projection of topics of Kafka: an inbox.Consumer that is listed,
// paused and watched like the projections of journals. Processes share the
// partitions by the consumer group. It is a lifecycle.Service.
type Topic[T inbox.Tx] struct {
	consumer *inbox.Consumer[T]
	store    management
	cfg      TopicConfig[T]
	worker   string
	log      *slog.Logger
	health   *lifecycle.Problems

	mu         sync.Mutex
	cancel     context.CancelFunc // nil where it does not run
	done       chan struct{}
	caughtUpAt time.Time
}

// NewTopic makes a projection of topics. store must be one of projections, too.
// Errors wrap ErrConfig, inbox.ErrConfig or kafka.ErrConfig. Nothing is connected
// before Start.
func NewTopic[T inbox.Tx](store inbox.Store[T], cluster kafka.Config, c TopicConfig[T]) (*Topic[T], error) {
	manage, ok := store.(management)
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: projection %s: its store keeps no projections", ErrConfig, c.Consumer.Name)
	case c.BeatInterval < 0:
		return nil, fmt.Errorf("%w: projection %s: a duration is negative", ErrConfig, c.Consumer.Name)
	}
	setDefault(&c.BeatInterval, time.Second)
	consumer, err := inbox.NewConsumer(store, cluster, c.Consumer)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	log := loggerOf(c.Consumer.Logger, c.Consumer.Name)
	return &Topic[T]{
		consumer: consumer, store: manage, cfg: c, worker: fmt.Sprintf("%s@%.60s", event.NewID(), host),
		log: log, health: lifecycle.NewProblems(log, "projection"),
	}, nil
}

// Start connects, looks whether the projection is paused, and begins to consume.
func (t *Topic[T]) Start(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		return fmt.Errorf("projection %s is started already", t.cfg.Consumer.Name)
	}
	if err := t.look(ctx); err != nil {
		return fmt.Errorf("projection %s: the database does not answer: %w", t.cfg.Consumer.Name, err)
	}
	if err := t.consumer.Start(ctx); err != nil {
		return err
	}
	watching, cancel := context.WithCancel(context.Background())
	t.cancel, t.done, t.caughtUpAt = cancel, make(chan struct{}), time.Now()
	showGauges(t.cfg.Consumer.Metrics, gauges(t.cfg.Consumer.Name, t.Stats))
	go t.watch(watching, t.done)
	return nil
}

// Stop finishes the transactions under way and leaves the group.
func (t *Topic[T]) Stop(ctx context.Context) error {
	t.mu.Lock()
	cancel, done := t.cancel, t.done
	t.cancel = nil
	t.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	<-done
	hideGauges(t.cfg.Consumer.Metrics, gauges(t.cfg.Consumer.Name, t.Stats))
	err := t.consumer.Stop(ctx)
	bye, end := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTimeout)
	defer end()
	if _, lost := t.store.Beat(bye, t.cfg.Consumer.Name, t.worker, 0); lost != nil && err == nil {
		t.log.Warn("a worker could not say goodbye", "error", lost)
	}
	return err
}

// Health is nil, or says what does not work at the moment.
func (t *Topic[T]) Health() error { return errors.Join(t.health.Err(), t.consumer.Health()) }

// Consumer is the inbox consumer below: where it stands, and its dead letters, are
// those of a consumer.
func (t *Topic[T]) Consumer() *inbox.Consumer[T] { return t.consumer }

// Pause keeps the projection from handling messages, in every process, until
// Resume; partitions stay where they are.
func (t *Topic[T]) Pause(ctx context.Context) error { return t.setPaused(ctx, true) }

// Resume ends a pause.
func (t *Topic[T]) Resume(ctx context.Context) error { return t.setPaused(ctx, false) }

func (t *Topic[T]) setPaused(ctx context.Context, paused bool) error {
	if err := t.store.SetPaused(ctx, t.cfg.Consumer.Name, paused); err != nil {
		return fmt.Errorf("pause projection %s: %w", t.cfg.Consumer.Name, err)
	}
	t.hold(paused)
	return nil
}

func (t *Topic[T]) hold(paused bool) {
	if paused {
		t.consumer.Pause()
	} else {
		t.consumer.Resume()
	}
}

func (t *Topic[T]) watch(ctx context.Context, done chan struct{}) {
	defer close(done)
	const looking = "looking whether it is paused"
	for failing := false; ; {
		if sleep(ctx, t.cfg.BeatInterval, nil); ctx.Err() != nil {
			return
		}
		err := t.look(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			failing = true
			t.health.Report(looking, err)
		case err == nil && failing:
			failing = false
			t.health.Solve(looking)
		}
		if lag(t.consumer.Stats()) == 0 {
			t.mu.Lock()
			t.caughtUpAt = time.Now()
			t.mu.Unlock()
		}
	}
}

// look says that it is alive, and follows what the database says of pausing.
func (t *Topic[T]) look(ctx context.Context) error {
	if _, err := t.store.Beat(ctx, t.cfg.Consumer.Name, t.worker, ttlBeats*t.cfg.BeatInterval); err != nil {
		return err
	}
	paused, err := t.store.Paused(ctx, t.cfg.Consumer.Name, journal.AllSlices())
	if err == nil {
		t.hold(paused)
	}
	return err
}

// Stats returns the present figures. Messages that wait for a retry count as lag.
func (t *Topic[T]) Stats() Stats {
	got := t.consumer.Stats()
	all := Stats{
		Name: t.cfg.Consumer.Name, Source: t.source(), Paused: got.Paused,
		Handled: got.Handled, Failed: got.Dead, Skipped: got.Dead, Duplicates: got.Duplicates, Retried: got.Retried, Repeated: got.Repeated,
		LagEvents: lag(got),
	}
	if all.LagEvents > 0 {
		t.mu.Lock()
		all.LagSeconds = time.Since(t.caughtUpAt).Seconds()
		t.mu.Unlock()
	}
	for _, p := range got.Partitions {
		one := RangeStats{Slices: fmt.Sprintf("%s/%d", p.Topic, p.Partition), State: StateRunning, LagEvents: p.Lag + p.Waiting}
		switch {
		case got.Paused:
			one.State = StatePaused
		case p.Claiming:
			one.State = StateClaiming
		}
		all.Ranges = append(all.Ranges, one)
	}
	return all
}

func lag(s inbox.Stats) (n int64) {
	for _, p := range s.Partitions {
		n += p.Lag + p.Waiting
	}
	return n
}

func (t *Topic[T]) source() string {
	var topics []string
	for topic := range t.cfg.Consumer.Topics {
		topics = append(topics, topic)
	}
	slices.Sort(topics)
	return "topic " + strings.Join(topics, ", ")
}
