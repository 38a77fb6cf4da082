package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// readers are a group whose members commit what they have read, and come and go.
type readers struct {
	w       *world
	from    string
	random  []*rand.Rand
	mu      sync.Mutex
	floors  map[int32]int64 // committed, and acknowledged
	ceiling map[int32]int64 // asked for
	commits int
	lives   int
	told    map[string]int
	found   findings
}

func newReaders(w *world, from string) *readers {
	r := &readers{w: w, from: from, floors: map[int32]int64{}, ceiling: map[int32]int64{}, told: map[string]int{}}
	for range 2 {
		r.random = append(r.random, w.fork())
	}
	return r
}

func (r *readers) name() string          { return "readers of " + r.from }
func (r *readers) group() string         { return "readers-of-" + r.from }
func (r *readers) topics() []kafka.Topic { return nil }

func (r *readers) run(ctx context.Context) error {
	var members sync.WaitGroup
	failed := make([]error, len(r.random))
	for i, random := range r.random {
		members.Go(func() {
			for !r.w.over() && failed[i] == nil {
				failed[i] = r.live(ctx, random)
			}
		})
	}
	members.Wait()
	return errors.Join(failed...)
}

// live is one member: it leaves in the end, or is gone without a word.
func (r *readers) live(ctx context.Context, random *rand.Rand) error {
	m := &reader{readers: r, least: map[int32]int64{}}
	opts := append(patience(), kgo.ConsumerGroup(r.group()), kgo.ConsumeTopics(r.from), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.BlockRebalanceOnPoll(), kgo.OnPartitionsAssigned(m.assigned),
		kgo.SessionTimeout(5*time.Second), kgo.HeartbeatInterval(200*time.Millisecond), kgo.RebalanceTimeout(5*time.Second))
	member, err := kafka.NewMember(r.w.kafka(), opts...)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.lives++
	r.mu.Unlock()
	polling, stop := context.WithTimeout(ctx, time.Duration(1000+random.IntN(9000))*time.Millisecond)
	defer stop()
	for polling.Err() == nil && !r.w.over() && err == nil {
		err = m.step(polling, ctx, member)
	}
	if random.IntN(3) > 0 {
		leaving, cancel := context.WithTimeout(ctx, time.Second)
		_ = member.Leave(leaving) // or the group misses it
		cancel()
	}
	member.Close()
	return err
}

// reader is one member.
type reader struct {
	*readers
	mu    sync.Mutex
	least map[int32]int64 // what the next read of a partition that was assigned may begin at
}

// assigned comes before the member asks where to begin: at what is committed by now, at least.
func (m *reader) assigned(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
	m.readers.mu.Lock()
	defer m.readers.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range assigned[m.from] {
		m.least[p] = m.floors[p]
	}
}

func (m *reader) step(polling, ctx context.Context, member *kafka.Member) error {
	round, cancel := context.WithTimeout(polling, 200*time.Millisecond)
	fetches := member.PollRecords(round, 200)
	cancel()
	defer member.AllowRebalance()
	fetches.EachPartition(func(p kgo.FetchTopicPartition) {
		if len(p.Records) > 0 {
			m.begins(p.Partition, p.Records[0].Offset)
		}
	})
	if fetches.NumRecords() == 0 {
		return nil
	}
	r := m.readers
	r.mu.Lock()
	fetches.EachRecord(func(got *kgo.Record) { r.ceiling[got.Partition] = max(r.ceiling[got.Partition], got.Offset+1) })
	r.mu.Unlock()
	err := member.CommitRecords(ctx, fetches.Records()...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.told[err.Error()]++
		return nil
	}
	r.commits++
	fetches.EachRecord(func(got *kgo.Record) { r.floors[got.Partition] = max(r.floors[got.Partition], got.Offset+1) })
	return nil
}

// begins looks at the first record after an assignment.
func (m *reader) begins(p int32, offset int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if least, ok := m.least[p]; ok && offset < least {
		m.found.add(wrong, "%s: a member begins partition %d at %d, and %d was committed", m.group(), p, offset, least)
	}
	delete(m.least, p)
}

func (r *readers) check(ctx context.Context, f *findings) error {
	client, err := r.w.client()
	if err != nil {
		return err
	}
	defer client.Close()
	at, err := kadm.NewClient(client).FetchOffsets(ctx, r.group())
	if err != nil {
		return err
	}
	for p, floor := range r.floors {
		if got, _ := at.Lookup(r.from, p); got.At < floor || got.At > r.ceiling[p] {
			f.add(lost, "%s is at %d of partition %d: %d was committed, %d asked for", r.group(), got.At, p, floor, r.ceiling[p])
		}
	}
	r.found.into(f)
	return nil
}

func (r *readers) did() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf("%d commits of %d members; clients were told %v", r.commits, r.lives, r.told)
	if r.commits < 1 {
		return text, errors.New("too few commits")
	}
	return text, nil
}
