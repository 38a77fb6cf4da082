package brokers

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd is producers that each send one record at a time, for a while.
type crowd struct {
	producers, partitions int
	duration              time.Duration
	size                  int
	have                  connections
}

// crowded is a stretch of theirs, with how long each record took.
type crowded struct {
	stretch
	latencies []time.Duration
}

// synchronously has a crowd send, and reads back what was acknowledged.
func (s *stage) synchronously(ctx context.Context, side *side, what, topic string, c crowd) (m crowded, err error) {
	producers, err := side.client.producers(ctx, topic, c.producers, c.partitions, c.have)
	if err != nil {
		return m, err
	}
	defer closeAll(producers)
	senders := make([]*sender, c.producers)
	for i, p := range producers {
		senders[i] = &sender{producer: p, who: uint64(i), values: newValues(c.size)}
		if err := senders[i].send(ctx); err != nil { // which connects
			return m, fmt.Errorf("%s, %s: %w", side.name, what, err)
		}
	}
	m.stretch, err = s.measure(side, what, func() (int, error) { return sendAll(ctx, senders, c.duration) })
	if err != nil {
		return m, err
	}
	for _, sender := range senders {
		m.latencies = append(m.latencies, sender.latencies...)
	}
	return m, check(ctx, side, topic, senders)
}

func sendAll(ctx context.Context, senders []*sender, duration time.Duration) (n int, err error) {
	group, ctx := errgroup.WithContext(ctx)
	until := time.Now().Add(duration)
	for _, sender := range senders {
		group.Go(func() error { return sender.sendUntil(ctx, until) })
	}
	err = group.Wait()
	for _, sender := range senders {
		n += len(sender.latencies)
	}
	return n, err
}

// check that all that was acknowledged is there once and in order.
func check(ctx context.Context, side *side, topic string, senders []*sender) error {
	sent := 0
	for _, s := range senders {
		sent += int(s.sent)
	}
	tally := newTally()
	all := []error{side.client.read(ctx, topic, sent, tally.add)}
	for _, s := range senders {
		all = append(all, tally.complete(s.who, s.sent))
	}
	if n, err := side.client.count(ctx, topic); err != nil || n != int64(sent) {
		all = append(all, fmt.Errorf("%s acknowledged %d records and has %d (%v)", side.name, sent, n, err))
	}
	return errors.Join(all...)
}

// sender is one of a crowd.
type sender struct {
	producer
	who       uint64
	sent      uint64
	values    *values
	latencies []time.Duration
}

func (s *sender) send(ctx context.Context) error {
	err := s.producer.send(ctx, s.values.of(s.who<<32|s.sent))
	s.sent++
	return err
}

func (s *sender) sendUntil(ctx context.Context, until time.Time) error {
	s.latencies = slices.Grow(s.latencies, 1<<16)
	for now := time.Now(); len(s.latencies) == 0 || now.Before(until); { // once even where it is late
		if err := s.send(ctx); err != nil {
			return err
		}
		then := time.Now()
		s.latencies = append(s.latencies, then.Sub(now))
		now = then
	}
	return nil
}

// unique is a name that nothing else has.
func unique(prefix string) string { return prefix + "-" + strings.ToLower(rand.Text()[:8]) }

func closeAll(producers []producer) {
	for _, p := range producers {
		p.close()
	}
}
