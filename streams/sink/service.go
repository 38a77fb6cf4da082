package sink

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
)

// Sink is a lifecycle.Service that can be started once.
type Sink struct {
	cfg      Config
	target   Target
	topic    string // full name
	problems *lifecycle.Problems
	counts   *counters

	client *kafka.Member // the loop's
	id     kadm.TopicID  // the loop's; zero: not known
	stall  time.Duration
	life   context.Context
	kill   context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	started bool
	parts   map[int32]*part
}

// part is a partition that this process has. Only the loop touches it, but for what Stats
// reads under Sink.mu.
type part struct {
	number int32
	// known: stored is what the target has, and next the offset to be read.
	known        bool
	stored, next int64
	begin, end   int64 // of the partition; end -1: not known yet
	pending      []*kgo.Record
	failures     int
	retry        time.Time
	stuck        bool // at a record that is not to be had
	// idle is since when nothing came at idleAt, though there is more.
	idle   time.Time
	idleAt int64
}

// New checks cfg; it does not connect.
func New(target Target, cfg Config) (*Sink, error) {
	cfg, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	s := &Sink{cfg: cfg, target: target, topic: cfg.Kafka.Topic(cfg.Topic), parts: map[int32]*part{}, done: make(chan struct{}), stall: firstStall}
	s.problems = lifecycle.NewProblems(cfg.Logger, "sink "+cfg.Name)
	s.counts = newCounters(s)
	return s, nil
}

// Start joins the consumer group; it waits neither for Kafka nor for the target.
func (s *Sink) Start(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return errors.New("sink: a Sink is started once; make a new one")
	}
	client, err := s.connect()
	if err != nil {
		return err
	}
	s.started, s.client = true, client
	s.life, s.kill = context.WithCancel(context.Background())
	go s.run()
	return nil
}

// connect makes a member of the group.
func (s *Sink) connect() (*kafka.Member, error) {
	opts := []kgo.Opt{
		kgo.ConsumerGroup(s.cfg.Kafka.Group(s.cfg.Name)), kgo.ConsumeTopics(s.topic),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.DisableAutoCommit(),
		kgo.FetchMaxBytes(s.cfg.FetchBytes), kgo.FetchMaxPartitionBytes(min(s.cfg.FetchBytes, 1<<20)), kgo.MaxConcurrentFetches(1),
		kgo.FetchMaxWait(500 * time.Millisecond), kgo.SessionTimeout(s.cfg.SessionTimeout),
		kgo.BlockRebalanceOnPoll(), kgo.AdjustFetchOffsetsFn(fromNowhere),
		kgo.OnPartitionsAssigned(s.assigned), kgo.OnPartitionsRevoked(s.revoked), kgo.OnPartitionsLost(s.revoked),
		kgo.DisableClientMetrics(),
	}
	if s.cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(s.cfg.InstanceID))
	}
	return kafka.NewMember(s.cfg.Kafka, opts...)
}

// fromNowhere: where to read is the target's business, and until it has said so nothing is read.
// The offset is exact, because one that is still being looked up can get lost when the
// client is told another meanwhile.
func fromNowhere(_ context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	for _, parts := range offsets {
		for p := range parts {
			parts[p] = kgo.NewOffset().At(0)
		}
	}
	return offsets, nil
}

// Stop gives up the step under way, which is made again after a restart where it was not made.
func (s *Sink) Stop(ctx context.Context) error {
	s.mu.Lock()
	started := s.started
	s.mu.Unlock()
	if !started {
		return nil
	}
	s.kill()
	select {
	case <-s.done:
		return nil
	case <-ctx.Done():
		<-s.done // steps end with the life
		return ctx.Err()
	}
}

// Health is what does not work at the moment and is tried again; nil where all does.
func (s *Sink) Health() error { return s.problems.Err() }

func (s *Sink) assigned(_ context.Context, c *kgo.Client, parts map[string][]int32) {
	c.PauseFetchPartitions(parts)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range parts[s.topic] {
		s.parts[n] = &part{number: n, end: -1}
	}
}

func (s *Sink) revoked(_ context.Context, _ *kgo.Client, parts map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range parts[s.topic] {
		delete(s.parts, n)
		s.problems.Forget(partProblem(n))
	}
}

func partProblem(n int32) string { return fmt.Sprintf("partition %d", n) }

func (s *Sink) mine() []*part {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*part, 0, len(s.parts))
	for _, p := range s.parts {
		out = append(out, p)
	}
	return out
}
