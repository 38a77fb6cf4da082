package killtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

// session is a transformer of one client, as franz-go has it.
type session struct {
	t       *transform
	session *kgo.GroupTransactSession
	abandon context.CancelFunc
}

// withSessions opens transformers that are members without a name of their own.
func withSessions(_ context.Context, t *transform, id string) (transformer, error) {
	life, abandon := context.WithCancel(context.Background())
	opts := append(patience(), groupOptions(t)...)
	opts = append(opts, kgo.SeedBrokers(t.w.config.Addr), kgo.TransactionalID(id), kgo.TransactionTimeout(startTimeout),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.WithContext(life))
	if t.w.config.ACLs {
		opts = append(opts, kgo.SASL(plain.Auth{User: admin, Pass: password}.AsMechanism()))
	}
	s, err := kgo.NewGroupTransactSession(opts...)
	if err != nil {
		abandon()
		return nil, err
	}
	return &session{t, s, abandon}, nil
}

// close leaves the group, unless that takes long.
func (s *session) close() {
	leaving, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.session.Client().LeaveGroupContext(leaving) // or the group misses it
	s.abandon()
	s.session.Close()
}

func (s *session) step(polling, ctx context.Context) (int, error) {
	fetches := s.session.PollRecords(polling, s.t.max)
	if err := fetchError(fetches); err != nil || fetches.NumRecords() == 0 {
		return 0, err
	}
	if err := s.session.Begin(); err != nil {
		return 0, err
	}
	var sent acknowledging
	var first *kgo.Record
	fetches.EachRecord(func(r *kgo.Record) {
		out := transformed(s.t.to, r)
		if first == nil {
			first = out
		}
		s.session.Produce(ctx, out, func(_ *kgo.Record, err error) {
			if err != nil {
				sent.fail(err)
			}
		})
	})
	if err := errors.Join(s.session.Client().Flush(ctx), sent.failed()); err != nil {
		return 0, fmt.Errorf("produce: %w", err)
	}
	if err := listed(ctx, s.session.Client(), first); err != nil {
		return 0, err
	}
	committed, err := s.session.End(ctx, kgo.TryCommit)
	if err != nil {
		return 0, fmt.Errorf("end: %w", err)
	}
	if !committed { // the group rebalances; the session reads from its last positions again
		return 0, nil
	}
	return fetches.NumRecords(), nil
}

// listed waits until the client lists the topic of a record that it produced: see kafka.Commit.
func listed(ctx context.Context, client *kgo.Client, r *kgo.Record) error {
	for {
		if leader, _, _ := client.PartitionLeader(r.Topic, r.Partition); leader >= 0 {
			return nil
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
