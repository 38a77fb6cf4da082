package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// maxTails at the same time; each has connections of its own.
	maxTails = 64
	// tailBytes is how far a tail reads ahead of who takes its messages.
	tailBytes = 4 << 20
)

// Tail calls fn with committed messages as they come: new ones, or from q.From on.
// It returns ctx's error, fn's, or why it cannot go on: after a silence of
// Config.Timeout, Kafka is asked whether it is still there. It reads at most a few
// MiB ahead of fn.
func (c *Cluster) Tail(ctx context.Context, q api.MessageQuery, fn func(api.Message) error) error {
	select {
	case c.tails <- struct{}{}:
		defer func() { <-c.tails }()
	default:
		return fmt.Errorf("%w: %d tails are open already, close one", api.ErrUnavailable, maxTails)
	}
	s, err := c.newScan(ctx, q)
	if err != nil {
		return err
	}
	bounded, cancel := c.within(ctx)
	err = s.open(bounded)
	cancel()
	if err != nil {
		return err
	}
	client, err := kafka.NewClient(c.kafka,
		kgo.ConsumePartitions(s.tailFrom()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxBytes(tailBytes), kgo.MaxConcurrentFetches(1), kgo.FetchMaxWait(500*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		if err := s.tailOnce(ctx, client, fn); err != nil {
			return err
		}
	}
}

// tailFrom is where each partition is read from: its end, where only new messages
// are asked for.
func (s *scan) tailFrom() map[string]map[int32]kgo.Offset {
	from := make(map[int32]kgo.Offset, len(s.streams))
	for _, st := range s.streams {
		at := st.low
		if st.back {
			at = st.high
		}
		from[st.partition] = kgo.NewOffset().At(at)
	}
	return map[string]map[int32]kgo.Offset{s.topic.name: from}
}

func (s *scan) tailOnce(ctx context.Context, client *kgo.Client, fn func(api.Message) error) error {
	waiting, cancel := s.c.within(ctx)
	fetches := client.PollRecords(waiting, 100)
	cancel()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, e := range fetches.Errors() {
		var lost *kgo.ErrDataLoss
		switch {
		case errors.Is(e.Err, context.DeadlineExceeded):
		case errors.As(e.Err, &lost):
			s.c.config.Logger.Warn("tail: part of the log is gone", "topic", e.Topic, "partition", e.Partition, "error", e.Err)
		case errors.Is(e.Err, kerr.UnknownTopicOrPartition), errors.Is(e.Err, kerr.UnknownTopicID):
			return fmt.Errorf("%w: topic %s is gone", api.ErrNotFound, s.topic.name)
		default:
			return s.c.explain("read topic "+s.topic.name, e.Err)
		}
	}
	if fetches.NumRecords() == 0 {
		return s.stillThere(ctx)
	}
	return s.pass(fetches, fn)
}

func (s *scan) pass(fetches kgo.Fetches, fn func(api.Message) error) error {
	for r := range fetches.RecordsAll() {
		m := s.c.see(s.ctx, r)
		if !s.filter.matches(&m) {
			continue
		}
		record.Cut(&m, s.query.Full)
		if err := fn(m); err != nil {
			return err
		}
	}
	return nil
}

// stillThere asks after a silence.
func (s *scan) stillThere(ctx context.Context) error {
	ctx, cancel := s.c.within(ctx)
	defer cancel()
	t, err := s.c.oneTopic(ctx, s.topic.name)
	if err == nil && t.id != s.topic.id {
		err = fmt.Errorf("%w: topic %s was deleted and made anew: begin again", api.ErrConflict, t.name)
	}
	return err
}
