package inbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Consumer handles the messages of some topics, as a member of the consumer
// group of its name: several processes share the partitions. It is a
// lifecycle.Service.
type Consumer[T Tx] struct{ runner *runner }

// NewConsumer makes a consumer of that database and cluster. Its errors wrap
// ErrConfig or kafka.ErrConfig. Nothing is connected before Start.
func NewConsumer[T Tx](store Store[T], cluster kafka.Config, c Config[T]) (*Consumer[T], error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if err := cluster.Validate(); err != nil {
		return nil, err
	}
	cfg := eraseConfig(c.withDefaults(hasSingleWriter(store)))
	return &Consumer[T]{&runner{
		cfg: cfg, store: eraseStore(store), cluster: cluster, log: cfg.Logger,
		health: lifecycle.NewProblems(cfg.Logger, "consumer"), counts: newCounters(cfg.Metrics, cfg.Name),
	}}, nil
}

// Start connects, checks that Kafka and the database answer, and begins to
// consume. A topic that does not exist yet is waited for. The topic of dead
// letters is created where it is missing and Kafka allows it.
func (c *Consumer[T]) Start(ctx context.Context) error { return c.runner.start(ctx) }

// Stop lets every transaction under way finish, copies the offsets and leaves
// the group (a static member stays). Where ctx ends first, transactions are
// given up; their messages come again.
func (c *Consumer[T]) Stop(ctx context.Context) error { return c.runner.stop(ctx) }

// Health is nil, or says what does not work at the moment: the database or
// Kafka away, a partition full of waiting messages, records that retention
// deleted unread (for ten minutes). The consumer goes on trying by itself.
func (c *Consumer[T]) Health() error { return c.runner.health.Err() }

// Stats are the counts since the consumer was made and the state of the
// partitions it has.
func (c *Consumer[T]) Stats() Stats { return c.runner.stats() }

// runner is a Consumer for any type of transaction.
type runner struct {
	cfg                     Config[Tx]
	store                   Store[Tx]
	cluster                 kafka.Config
	log                     *slog.Logger
	health                  *lifecycle.Problems
	counts                  *counters
	retries, deaths, panics lifecycle.Limiter // of the log

	clusterID string
	admin     *kgo.Client
	hard      context.Context // of all transactions
	paused    atomic.Bool

	mu      sync.Mutex
	running *running
	session *session
}

// running is what Stop needs.
type running struct {
	drain, kill context.CancelFunc
	done        chan struct{}
}

func (r *runner) start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running != nil {
		return fmt.Errorf("consumer %s is started already", r.cfg.Name)
	}
	// The client remembers topics for the minimum age of metadata: ids must be fresh.
	admin, err := kafka.NewClient(r.cluster, kgo.DisableClientMetrics(), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return err
	}
	r.admin = admin
	if err := r.check(ctx); err != nil {
		admin.Close()
		return fmt.Errorf("consumer %s: %w", r.cfg.Name, err)
	}
	hard, kill := context.WithCancel(context.Background())
	soft, drain := context.WithCancel(hard)
	r.hard = hard
	r.running = &running{drain: drain, kill: kill, done: make(chan struct{})}
	go r.run(soft, r.running.done)
	return nil
}

// check is what must work at the start; later its failures are waited out.
func (r *runner) check(ctx context.Context) error {
	id, err := kafka.ClusterID(ctx, r.admin, r.cluster)
	if err != nil {
		return err
	}
	r.clusterID = id
	if err := r.store.Update(ctx, func(Tx) error { return nil }); err != nil {
		return fmt.Errorf("the database does not answer: %w", err)
	}
	if err := kafka.EnsureTopics(ctx, r.admin, r.cluster, kafka.Topic{Name: r.cfg.DeadLetterTopic, Config: kafka.KeepForever()}); err != nil {
		r.log.Warn("the topic of dead letters cannot be created: they stay in the outbox until it exists", "topic", r.cfg.DeadLetterTopic, "error", err)
	}
	details, err := kadm.NewClient(r.admin).ListTopics(ctx, r.fullTopics()...)
	if err != nil {
		return fmt.Errorf("read the topics: %w", err)
	}
	for _, topic := range r.fullTopics() {
		if d, ok := details[topic]; !ok || d.Err != nil {
			r.log.Warn("the topic does not exist yet; the consumer waits for it", "topic", topic)
		}
	}
	return nil
}

func (r *runner) fullTopics() []string {
	var all []string
	for topic := range r.cfg.topics() {
		all = append(all, r.cluster.Topic(topic))
	}
	slices.Sort(all)
	return all
}

func (r *runner) stop(ctx context.Context) error {
	r.mu.Lock()
	running := r.running
	r.mu.Unlock()
	if running == nil {
		return nil
	}
	running.drain()
	var late error
	select {
	case <-running.done:
	case <-ctx.Done():
		late = ctx.Err()
		running.kill()
		<-running.done
	}
	running.kill()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running == running {
		r.running = nil
		r.admin.Close()
	}
	return late
}

// run has one session with Kafka after another: a new one where a topic was
// deleted and created again, which a client never recovers from.
func (r *runner) run(soft context.Context, done chan struct{}) {
	defer close(done)
	for failures := 0; soft.Err() == nil; {
		s, err := newSession(r)
		if err != nil {
			failures++
			r.health.Report("Kafka client", err)
			sleep(soft, r.cfg.Backoff.after(failures))
			continue
		}
		r.health.Solve("Kafka client")
		r.setSession(s)
		s.run(soft)
		r.setSession(nil)
	}
}

func (r *runner) setSession(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.session = s
}

func (r *runner) stats() Stats {
	all := r.counts.stats()
	all.Paused = r.paused.Load()
	r.mu.Lock()
	s := r.session
	r.mu.Unlock()
	if s == nil {
		return all
	}
	for p := range maps.Values(s.snapshot()) {
		one := p.stats()
		all.Waiting += one.Waiting
		all.WaitingBytes += one.WaitingBytes
		all.Partitions = append(all.Partitions, one)
	}
	slices.SortFunc(all.Partitions, func(a, b PartitionStats) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition))
	})
	return all
}

// sleep waits that long, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

var errTopicRecreated = errors.New("the topic was deleted and created again")
