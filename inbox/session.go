package inbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// session is the life of one Kafka client: a member of the group.
//
// One goroutine polls. Between a poll and what follows from it, rebalances are
// held back, so that records never reach a tenure they were not fetched for.
type session struct {
	*runner
	client *kafka.Member

	mu        sync.Mutex
	parts     map[topicPartition]*partition
	closing   bool
	jobs      []func()           // for the polling goroutine
	interrupt context.CancelFunc // of the poll under way
	renew     error              // why a new session is needed
	suspects  chan struct{}      // asks for a look at the topics' ids
}

type topicPartition struct {
	topic  string // its full name
	number int32
}

// rebalanceTimeout is how long the group waits for a member that hands
// partitions over: longer than revokeGrace, much shorter than the client's
// default of a minute, because everybody waits.
const rebalanceTimeout = 2 * revokeGrace

// What a session has in memory before it is in the partitions' queues, per
// broker.
const fetchMaxBytes = 16 << 20

func newSession(r *runner) (*session, error) {
	s := &session{runner: r, parts: map[topicPartition]*partition{}, suspects: make(chan struct{}, 1)}
	opts := []kgo.Opt{
		kgo.ConsumerGroup(r.cluster.Group(r.cfg.Name)),
		kgo.ConsumeTopics(r.fullTopics()...),
		kgo.Balancers(kgo.CooperativeStickyBalancer()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(fetchMaxBytes),
		kgo.KeepControlRecords(), // they have offsets, too: without them the lag is never 0
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.AdjustFetchOffsetsFn(s.assigned),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { s.health.Solve(joiningGroup) }),
		kgo.OnPartitionsRevoked(s.revoked),
		kgo.OnPartitionsLost(s.lost),
		kgo.SessionTimeout(r.cfg.SessionTimeout),
		kgo.RebalanceTimeout(rebalanceTimeout),
		kgo.HeartbeatInterval(min(3*time.Second, r.cfg.SessionTimeout/3)),
		kgo.MetadataMaxAge(time.Minute),
		kgo.MetadataMinAge(500 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}
	if r.cfg.InstanceID != "" {
		opts = append(opts, kgo.InstanceID(r.cfg.InstanceID))
	}
	client, err := kafka.NewMember(r.cluster, opts...)
	s.client = client
	return s, err
}

// run polls until soft ends or a new session is needed, and leaves nothing
// behind.
func (s *session) run(soft context.Context) {
	ctx, cancel := context.WithCancel(soft)
	var wg sync.WaitGroup
	wg.Go(func() { s.housekeeping(ctx) })
	wg.Go(func() { s.awaitTopics(ctx) })
	s.poll(ctx)
	cancel()
	wg.Wait()
	s.close()
}

func (s *session) poll(ctx context.Context) {
	for ctx.Err() == nil && s.whyRenew() == nil {
		fetches := s.client.PollFetches(s.pollContext(ctx))
		s.dispatch(fetches) // before the jobs: those seek
		s.runJobs()
		s.client.AllowRebalance()
	}
	if why := s.whyRenew(); why != nil {
		s.log.Warn("the consumer joins its group anew", "reason", why)
	}
}

// pollContext ends when there is a job.
func (s *session) pollContext(parent context.Context) context.Context {
	ctx, cancel := context.WithCancel(parent)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interrupt != nil {
		s.interrupt()
	}
	s.interrupt = cancel
	if len(s.jobs) > 0 || s.renew != nil {
		cancel()
	}
	return ctx
}

// do runs a job in the polling goroutine, where no rebalance and no poll can
// come in between. It does not wait for it.
func (s *session) do(job func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, job)
	if s.interrupt != nil {
		s.interrupt()
	}
}

func (s *session) runJobs() {
	s.mu.Lock()
	jobs := s.jobs
	s.jobs = nil
	s.mu.Unlock()
	for _, job := range jobs {
		job()
	}
}

func (s *session) renewFor(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.renew == nil {
		s.renew = why
	}
	if s.interrupt != nil {
		s.interrupt()
	}
}

func (s *session) whyRenew() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.renew
}

func (s *session) dispatch(fetches kgo.Fetches) {
	for _, fetch := range fetches {
		for _, topic := range fetch.Topics {
			for _, fetched := range topic.Partitions {
				s.dispatchPartition(topic, fetched)
			}
		}
	}
}

func (s *session) dispatchPartition(topic kgo.FetchTopic, fetched kgo.FetchPartition) {
	p := s.find(topicPartition{topic.Topic, fetched.Partition})
	if fetched.Err != nil {
		s.fetchFailed(p, topic.Topic, fetched)
	}
	if p == nil || len(fetched.Records) == 0 {
		return
	}
	t := p.current()
	if t == nil {
		return
	}
	if id := topicID(topic.TopicID); topic.TopicID != [16]byte{} && id != t.claim.TopicID {
		s.renewFor(fmt.Errorf("%w: %s", errTopicRecreated, topic.Topic))
		return
	}
	s.health.Solve(p.fetching())
	t.enqueue(fetched.Records, fetched.HighWatermark)
}

// fetchFailed sorts errors out; kgo repeats what can be repeated.
func (s *session) fetchFailed(p *partition, topic string, fetched kgo.FetchPartition) {
	err := fetched.Err
	var loss *kgo.ErrDataLoss
	var group *kgo.ErrGroupSession
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, kgo.ErrClientClosed):
		s.renewFor(err)
	case errors.As(err, &group):
		s.health.Report(joiningGroup, err)
	case p == nil:
		if topic != "" && !errors.Is(err, kerr.UnknownTopicOrPartition) { // for example not authorized
			s.health.Announce("topic "+topic, err, time.Minute)
		}
	case errors.As(err, &loss):
		p.truncated(loss.ResetTo)
	case errors.Is(err, kerr.OffsetOutOfRange):
		p.reclaimNow()
	case errors.Is(err, kerr.UnknownTopicID), errors.Is(err, kerr.UnknownTopicOrPartition):
		s.health.Report(p.fetching(), err)
		s.suspect(err)
	default:
		s.health.Report(p.fetching(), err)
	}
}

const joiningGroup = "joining the consumer group"

func (p *partition) fetching() string { return fmt.Sprintf("fetching %s/%d", p.topic, p.number) }

func (s *session) find(tp topicPartition) *partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.parts[tp]
}

func (s *session) snapshot() map[topicPartition]*partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.parts)
}

// What the farewell to the group may take: without it the partitions move only
// after the session's time-out. The second where Stop's time is over.
const (
	leaveTimeout     = 5 * time.Second
	lateLeaveTimeout = time.Second / 2
)

// close finishes the partitions, copies their offsets, and leaves the group.
// The transactions under way are waited for until hard ends.
func (s *session) close() {
	s.mu.Lock()
	s.closing = true
	if s.interrupt != nil {
		s.interrupt()
	}
	s.mu.Unlock()
	s.client.AllowRebalance()
	s.giveUp(s.hard, s.takeAll(), true)
	timeout := leaveTimeout
	if s.hard.Err() != nil {
		timeout = lateLeaveTimeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.hard), timeout)
	defer cancel()
	if err := s.client.Leave(ctx); err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn("the consumer could not leave its group; its partitions move after the session's time-out", "error", err)
	}
	s.client.Close()
	s.health.Forget(joiningGroup, reachingKafka)
}
