package outbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// outcome says what became of a Kafka transaction that was not committed
// because of its records: it is aborted, and errs tells of each record (nil
// for one that was taken).
type outcome struct {
	errs   []error
	offset int64 // of the position, where committed
}

// errProducerReset: the client began a new producer epoch by itself within a
// transaction, so that a part of it is gone.
var errProducerReset = errors.New("the producer was reset within a transaction")

// publish writes records and position in one transaction. committed is true
// where Kafka has confirmed it. An error means that the session is no good any
// more and that nobody knows whether the transaction committed; otherwise it
// is aborted because of the records' errors.
func (s *session) publish(ctx context.Context, records []*kgo.Record, p position) (out outcome, committed bool, err error) {
	if err := s.client.BeginTransaction(); err != nil {
		return out, false, fmt.Errorf("begin a Kafka transaction: %w", err)
	}
	id, epoch, err := s.client.ProducerID(ctx)
	if err != nil {
		return out, false, fmt.Errorf("begin a Kafka transaction: %w", err)
	}
	began := time.Now()
	at := s.positionRecord(p)
	results, err := s.produce(ctx, append(records, at))
	if err != nil {
		return out, false, err
	}
	s.gap.learn(len(records), began, time.Since(began))
	if now, nowEpoch, err := s.client.ProducerID(ctx); err == nil && (now != id || nowEpoch != epoch) {
		return out, false, errProducerReset
	}
	out.errs = results.errs[:len(records)]
	failed, err := results.failure()
	if err != nil {
		return out, false, err
	}
	end, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	if failed {
		if err := s.client.EndTransaction(end, kgo.TryAbort); err != nil {
			return out, false, fmt.Errorf("abort a Kafka transaction: %w", err)
		}
		return out, false, nil
	}
	if err := kafka.Commit(end, s.client, at); err != nil {
		return out, false, fmt.Errorf("commit of a Kafka transaction is not confirmed: %w", err)
	}
	s.gap.ended = time.Now()
	out.offset = results.lastOffset
	s.place.Offset = out.offset
	return out, true, nil
}

func (s *session) positionRecord(p position) *kgo.Record {
	return &kgo.Record{
		Topic: s.cluster.Topic(PositionTopic), Partition: s.place.Partition,
		Key: []byte(s.outbox), Value: p.encode(),
	}
}

// results collects what the client says of each record.
type results struct {
	mu         sync.Mutex
	errs       []error
	bad        bool
	lastOffset int64
}

// produce sends records and waits for every answer.
func (s *session) produce(ctx context.Context, records []*kgo.Record) (*results, error) {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	out := &results{errs: make([]error, len(records))}
	last := len(records) - 1
	for i, r := range records {
		s.client.Produce(ctx, r, func(r *kgo.Record, err error) {
			if err == nil && i < last {
				return
			}
			out.mu.Lock()
			defer out.mu.Unlock()
			if i == last {
				out.lastOffset = r.Offset
			}
			out.errs[i], out.bad = err, out.bad || err != nil
		})
	}
	if err := s.client.Flush(ctx); err != nil {
		return nil, fmt.Errorf("no answer from Kafka: %w", err)
	}
	return out, nil
}

// failure says whether a record was refused. Its error is one that is not about
// the records; where some were refused and others failed because of that, the
// refusal counts.
func (r *results) failure() (failed bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.bad {
		return false, nil
	}
	rows, position := r.errs[:len(r.errs)-1], r.errs[len(r.errs)-1]
	for _, e := range rows {
		if e != nil && refusalOf(e) != noAnswer {
			return true, nil
		}
		err = cmp.Or(err, e)
	}
	return true, fmt.Errorf("publishing: %w", cmp.Or(err, position))
}
