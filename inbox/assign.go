package inbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// assigned is called by kgo with the partitions this member got: each is
// claimed in the database, which says where to begin. What the group says is
// not looked at. While it waits for the database, heartbeats go on; ctx ends
// when the partitions are taken away again.
func (s *session) assigned(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
	var all []topicPartition
	for topic, numbers := range offsets {
		for number := range numbers {
			all = append(all, topicPartition{topic, number})
		}
	}
	s.giveUp(s.hard, s.take(all), false) // of an assignment that was cut short
	from, err := s.claimAll(ctx, all)
	if err != nil {
		s.giveUp(s.hard, s.take(all), false)
		return nil, err
	}
	for tp, at := range from {
		offsets[tp.topic][tp.number] = kgo.NewOffset().At(at)
	}
	return offsets, nil
}

// claimsAtOnce bounds the connections a rebalance takes.
const claimsAtOnce = 4

func (s *session) claimAll(ctx context.Context, all []topicPartition) (map[topicPartition]int64, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	from := make(map[topicPartition]int64, len(all))
	free := make(chan struct{}, claimsAtOnce)
	for _, tp := range all {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			at, ok := s.begin(ctx, tp)
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			from[tp] = at
		})
	}
	wg.Wait()
	if len(from) < len(all) {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%d of %d partitions were not claimed", len(all)-len(from), len(all)))
	}
	return from, nil
}

// begin claims a new partition and starts it; ok is false where ctx ended first.
func (s *session) begin(ctx context.Context, tp topicPartition) (from int64, ok bool) {
	p := newPartition(s, s.cluster.Local(tp.topic), tp.number)
	t := p.claimUntil(ctx)
	if t == nil || !s.add(tp, p) {
		p.cancel()
		return 0, false
	}
	p.install(t, nil)
	go p.run()
	return t.seen, true
}

// claimUntil claims until it works or ctx ends.
func (p *partition) claimUntil(ctx context.Context) *tenure {
	name := fmt.Sprintf("claiming %s/%d", p.topic, p.number)
	defer p.health.Forget(name)
	for failures := 1; ctx.Err() == nil; failures++ {
		t, err := p.claim(ctx)
		if err == nil {
			if failures > 1 {
				p.health.Solve(name)
			}
			return t
		}
		if ctx.Err() == nil {
			p.health.Report(name, err)
			sleep(ctx, p.cfg.Backoff.after(failures))
		}
	}
	return nil
}

// missedLasts is how long Health speaks of missed records.
const missedLasts = 10 * time.Minute

// claim takes the partition in the database and reads where it stands.
func (p *partition) claim(ctx context.Context) (*tenure, error) {
	id, log, err := p.look(ctx)
	if err != nil {
		return nil, err
	}
	key := Partition{Cluster: p.clusterID, TopicID: id, Topic: p.topic, Partition: p.number}
	claim, err := p.store.Claim(ctx, p.cfg.Name, key, p.cfg.Lanes)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	next, lost := begin(claim.Next, p.cut(log), p.cfg.StartAt)
	if lost != nil {
		p.counts.missed.Add(1)
		p.health.Announce(fmt.Sprintf("records of %s/%d", p.topic, p.number), lost, missedLasts)
	}
	rows, err := p.store.WaitingKeys(ctx, claim)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	t := newTenure(p, claim, next, log, rows)
	if out := t.storeBegin(ctx, claim.Next, next); out.verdict != committed {
		t.cancel()
		return nil, fmt.Errorf("store where to begin: %w", out.err)
	}
	return t, nil
}

// storeBegin makes durable where the lanes begin, where that is not what the
// database says: at a first claim, and after lost records.
func (t *tenure) storeBegin(ctx context.Context, had, begin []int64) result {
	targets := make([]int64, len(begin))
	some := false
	for n := range begin {
		targets[n] = keepNext
		if had[n] != begin[n] {
			targets[n], some = begin[n], true
		}
	}
	if !some {
		return result{}
	}
	return t.advanceAll(ctx, targets)
}

// reclaim claims the partition again for a tenure that was fenced: by Release
// or StartReplay where the group still says that it is ours. Where it does not,
// another process has it, and the group will soon take it from us. It returns
// false when the partition has to finish first.
func (p *partition) reclaim() bool {
	for failures := 1; p.alive.Err() == nil; failures++ {
		if p.session.owns(p.alive, p) {
			t := p.claimUntil(p.alive)
			return t != nil && p.seek(t)
		}
		sleep(p.alive, p.cfg.Backoff.after(failures))
	}
	return false
}

// seek makes the client fetch from where the tenure begins, and starts it.
func (p *partition) seek(t *tenure) bool {
	done := make(chan bool, 1)
	p.session.do(func() {
		done <- p.install(t, func() {
			p.session.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{p.full: {p.number: {Epoch: -1, Offset: t.seen}}})
		})
	})
	select {
	case ok := <-done:
		return ok
	case <-p.alive.Done():
		return !p.withdraw(t)
	}
}

// revokeGrace is how long the transactions under way may take when partitions
// move to another process.
const revokeGrace = 10 * time.Second

// revoked is called by kgo before other members get these partitions.
func (s *session) revoked(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.handOver(gone, true)
}

// lost is called where the group has given them to others already.
func (s *session) lost(_ context.Context, _ *kgo.Client, gone map[string][]int32) {
	s.handOver(gone, false)
}

func (s *session) handOver(gone map[string][]int32, ours bool) {
	if s.isClosing() {
		return // close has them
	}
	var all []topicPartition
	for topic, numbers := range gone {
		for _, number := range numbers {
			all = append(all, topicPartition{topic, number})
		}
	}
	grace, cancel := context.WithTimeout(s.hard, revokeGrace)
	defer cancel()
	s.giveUp(grace, s.take(all), ours)
}

// giveUp stops partitions, all at once, and copies their offsets where the
// group still takes them from us.
func (s *session) giveUp(grace context.Context, parts []*partition, ours bool) {
	if len(parts) == 0 {
		return
	}
	var wg sync.WaitGroup
	for _, p := range parts {
		wg.Go(func() { p.stop(grace) })
	}
	wg.Wait()
	if ours {
		s.copyOffsets(s.hard, parts)
	}
}

func (s *session) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// add is false where the session ends.
func (s *session) add(tp topicPartition, p *partition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.parts[tp] = p
	return true
}

// take removes partitions, so that no record reaches them any more.
func (s *session) take(some []topicPartition) []*partition {
	s.mu.Lock()
	defer s.mu.Unlock()
	var taken []*partition
	for _, tp := range some {
		if p := s.parts[tp]; p != nil {
			taken = append(taken, p)
			delete(s.parts, tp)
		}
	}
	return taken
}

func (s *session) takeAll() []*partition {
	var all []topicPartition
	for tp := range s.snapshot() {
		all = append(all, tp)
	}
	return s.take(all)
}
