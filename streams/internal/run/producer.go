package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// producer is a worker's: what its tasks produce between two commits. The worker's
// goroutine uses it.
type producer struct {
	client        *kgo.Client
	transactional bool
	// open: a transaction was begun, and something handed to it.
	open bool
	// wrote is what a broker took since the last end, nil for nothing. What was refused altogether
	// begins no transaction there, so that there is none for offsets to be part of.
	wrote atomic.Pointer[kgo.Record]

	mu       sync.Mutex
	rejected []rejected
	broken   error
}

// rejected is a record that the broker refuses and will refuse again.
type rejected struct {
	by  *sender
	rec *kgo.Record
	err error
}

type producerConfig struct {
	kafka   kafka.Config
	id      string // of its transactions, full name; "" has none
	timeout time.Duration
	bytes   int64
	linger  time.Duration
}

// transactionLinger gives the brokers time to write the markers of the transaction before: until
// then they hold back what is produced, or refuse it, which costs 20 ms and more. Nothing is
// seen before the commit anyway, which does not wait for it.
const transactionLinger = 5 * time.Millisecond

// initTimeout bounds the first contact, which also aborts what the last producer of
// the id left open.
const initTimeout = time.Minute

// mostBuffered records, beside the bytes: each takes memory of its own.
const mostBuffered = 1 << 18

func newProducer(ctx context.Context, c producerConfig) (*producer, error) {
	p := &producer{transactional: c.id != ""}
	opts := []kgo.Opt{
		kgo.ProducerLinger(c.linger),
		kgo.MaxBufferedRecords(mostBuffered),
		kgo.MaxBufferedBytes(int(c.bytes)),
		kgo.RecordPartitioner(kafka.Partitioner()),
		kgo.MaxVersions(pinned()),
		kgo.MetadataMinAge(500 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}
	if c.id != "" {
		opts = append(opts, kgo.TransactionalID(c.id), kgo.TransactionTimeout(c.timeout),
			// The markers of the transaction before are written within a few ms.
			kgo.ConcurrentTransactionsBackoff(5*time.Millisecond))
	}
	var err error
	if p.client, err = kafka.NewClient(c.kafka, opts...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	if _, _, err := p.client.ProducerID(ctx); err != nil {
		p.client.Close()
		return nil, fmt.Errorf("begin as producer %q: %w", c.id, err)
	}
	return p, nil
}

// sender hands a task's records to the producer.
type sender struct {
	p   *producer
	ctx context.Context
	// acknowledged is told of every record that was taken.
	acknowledged func(*kgo.Record)
	// refused decides about one that was not: nil goes on without it.
	refused func(*kgo.Record, error) error
	promise func(*kgo.Record, error)
}

// sender lets records wait until ctx ends while too much is buffered.
func (p *producer) sender(ctx context.Context) *sender {
	s := &sender{p: p, ctx: ctx}
	s.promise = s.done // once, not for each record
	return s
}

func (s *sender) produce(rec *kgo.Record) {
	p := s.p
	if !p.open {
		if p.transactional {
			if err := p.client.BeginTransaction(); err != nil {
				p.fail(fmt.Errorf("begin a transaction: %w", err))
				return
			}
		}
		p.open = true
	}
	p.client.Produce(s.ctx, rec, s.promise)
}

func (s *sender) done(rec *kgo.Record, err error) {
	switch {
	case err == nil:
		if s.p.wrote.Load() == nil {
			s.p.wrote.Store(rec)
		}
		s.acknowledged(rec)
	case isRecordsFault(err):
		s.p.mu.Lock()
		s.p.rejected = append(s.p.rejected, rejected{s, rec, err})
		s.p.mu.Unlock()
	default:
		s.p.fail(fmt.Errorf("produce to %s: %w", rec.Topic, err))
	}
}

func (p *producer) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.broken = err
	}
}

// failed is what broke the producer, before a flush tells it.
func (p *producer) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken
}

// isRecordsFault says that the record, not the moment, is to blame.
func isRecordsFault(err error) bool {
	for _, e := range []error{kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp,
		kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition, kerr.InvalidTopicException, kerr.PolicyViolation} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// flush waits until everything is acknowledged. What was refused is decided about, which
// may produce dead letters.
func (p *producer) flush(ctx context.Context) error {
	for {
		if err := p.client.Flush(ctx); err != nil {
			return fmt.Errorf("wait for what was produced: %w", err)
		}
		p.mu.Lock()
		refused, broken := p.rejected, p.broken
		p.rejected = nil
		p.mu.Unlock()
		if broken != nil {
			return broken
		}
		if len(refused) == 0 {
			return nil
		}
		for _, r := range refused {
			if err := r.by.refused(r.rec, r.err); err != nil {
				return err
			}
		}
	}
}

// end commits the transaction. After an error nobody knows whether it is.
func (p *producer) end(ctx context.Context) error {
	p.open = false
	wrote := p.wrote.Swap(nil)
	if !p.transactional {
		return nil
	}
	if err := kafka.Commit(ctx, p.client, wrote); err != nil {
		return fmt.Errorf("commit the transaction: %w", err)
	}
	return nil
}

// close gives up what is open; the broker aborts it when the next producer of the id begins.
func (p *producer) close() { p.client.Close() }
