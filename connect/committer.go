package connect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/kafka"
)

// committer writes what a source makes, with its offset.
type committer struct {
	*run
	client        *kgo.Client
	transactional bool
	topics        *creator
	records       *metrics.Counter
	commits       *metrics.Counter
}

const (
	// sourceTransaction is when Kafka aborts the transaction of a worker that is gone.
	sourceTransaction = time.Minute
	fenceTimeout      = time.Minute
	commitTimeout     = 2 * time.Minute
)

// newCommitter fences whoever has the task: nothing of theirs is committed from then on.
func (r *run) newCommitter(ctx context.Context) (*committer, error) {
	c := &committer{run: r, transactional: !r.w.cfg.AtLeastOnce, records: r.counter("source_records"), commits: r.counter("source_commits")}
	opts := []kgo.Opt{
		kgo.RecordPartitioner(kafka.Partitioner()), kgo.MaxBufferedBytes(int(r.w.cfg.TaskBytes)), kgo.MaxBufferedRecords(1 << 18),
		kgo.ProducerLinger(2 * time.Millisecond), kgo.RecordDeliveryTimeout(0), kgo.MetadataMinAge(250 * time.Millisecond), kgo.DisableClientMetrics(),
	}
	if c.transactional {
		opts = append(opts, kgo.TransactionalID(r.w.transactionalID(r.id)), kgo.TransactionTimeout(sourceTransaction),
			kgo.ConcurrentTransactionsBackoff(5*time.Millisecond))
	}
	more, err := producerOverrides(r.given)
	if err != nil {
		return nil, err
	}
	if c.client, err = kafka.NewClient(r.w.cfg.Kafka, append(opts, more...)...); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fenceTimeout)
	defer cancel()
	if _, _, err := c.client.ProducerID(ctx); err != nil {
		c.client.Close()
		return nil, retriable{fmt.Errorf("begin as producer of the task: %w", err)}
	}
	if c.topics, err = newCreator(r.w.cfg.Kafka, c.client, r.given); err != nil {
		c.client.Close()
		return nil, err
	}
	return c, nil
}

// transactionalID is Kafka Connect's, so that a task is fenced whichever of both had it.
func (w *Worker) transactionalID(id unitID) string {
	return w.cfg.Kafka.TransactionalID(fmt.Sprintf("%s-%s-%d", w.cfg.Group, id.connector, id.task))
}

func (c *committer) close() { c.client.Close() }

// commit a batch. After an error nobody knows whether it is: the task begins anew, from the
// offset that is then committed.
func (c *committer) commit(ctx context.Context, b batch) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	offset, err := c.w.offsetRecord(c.id.connector, b.at.Partition(), b.at.Offset())
	if err != nil {
		return err
	}
	for i, r := range b.records {
		if i > 0 && r.Topic == b.records[i-1].Topic {
			continue
		}
		made, err := c.topics.ensure(ctx, r.Topic)
		if err != nil {
			return err
		}
		if made {
			c.w.reportTopic(c.id, c.w.cfg.Kafka.Local(r.Topic))
		}
	}
	records, singly := b.records, false
	for {
		refused, err := c.try(ctx, records, offset, singly)
		switch {
		case err != nil:
			return err
		case len(refused) == 0:
			c.records.Add(len(records))
			c.commits.Inc()
			return nil
		case !singly:
			singly = true // a broker refuses a batch with all that is in it
		default:
			if records, err = c.without(records, refused); err != nil {
				return err
			}
		}
	}
}

// try to write all; refused are records that Kafka does not take, and then the offset was not
// written. Singly, each record is a batch of its own.
func (c *committer) try(ctx context.Context, records []*kgo.Record, offset *kgo.Record, singly bool) (refused map[*kgo.Record]error, err error) {
	if c.transactional {
		if err := c.client.BeginTransaction(); err != nil {
			return nil, retriable{fmt.Errorf("begin a transaction: %w", err)}
		}
	}
	// In a transaction the offset need not wait for the records: none of it is there, or all.
	if together := c.transactional && !singly; together {
		refused, err = c.produce(ctx, singly, records, []*kgo.Record{offset})
	} else if refused, err = c.produce(ctx, singly, records); err == nil && len(refused) == 0 {
		refused, err = c.produce(ctx, singly, []*kgo.Record{offset})
	}
	if err != nil {
		return nil, err
	}
	if err := refused[offset]; err != nil {
		return nil, fatalError{fmt.Errorf("Kafka refuses the source's offset: %w", err)}
	}
	if len(refused) > 0 {
		return refused, c.giveUp(ctx)
	}
	if !c.transactional {
		return nil, nil
	}
	if err := kafka.Commit(ctx, c.client, offset); err != nil {
		return nil, retriable{fmt.Errorf("commit a transaction: %w", err)}
	}
	return nil, nil
}

func (c *committer) giveUp(ctx context.Context) error {
	if !c.transactional {
		return nil
	}
	if err := c.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
		return retriable{fmt.Errorf("abort a transaction: %w", err)}
	}
	return nil
}

func (c *committer) produce(ctx context.Context, singly bool, parts ...[]*kgo.Record) (map[*kgo.Record]error, error) {
	var mu sync.Mutex
	var refused map[*kgo.Record]error
	var failed error
	done := func(r *kgo.Record, err error) {
		if err == nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if !isRefusal(err) {
			if failed == nil {
				failed = writeError(r.Topic, err)
			}
			return
		}
		if refused == nil {
			refused = map[*kgo.Record]error{}
		}
		refused[r] = err
	}
	for _, records := range parts {
		for _, r := range records {
			c.client.Produce(ctx, r, done)
			if !singly {
				continue
			}
			if err := c.client.Flush(ctx); err != nil {
				return nil, retriable{fmt.Errorf("wait for what was written: %w", err)}
			}
		}
	}
	if err := c.client.Flush(ctx); err != nil {
		return nil, retriable{fmt.Errorf("wait for what was written: %w", err)}
	}
	mu.Lock()
	defer mu.Unlock()
	return refused, failed
}

// writeError fails the task where only a person can help.
func writeError(topic string, err error) error {
	err = fmt.Errorf("write to topic %s: %w", topic, err)
	for _, e := range []error{kerr.TopicAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.InvalidTopicException, kerr.PolicyViolation} {
		if errors.Is(err, e) {
			return fatalError{err}
		}
	}
	return retriable{err}
}

// isRefusal says that the record, not the moment, is to blame.
func isRefusal(err error) bool {
	for _, e := range []error{kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// without the refused, where that is tolerated.
func (c *committer) without(records []*kgo.Record, refused map[*kgo.Record]error) ([]*kgo.Record, error) {
	for r, err := range refused {
		err = fmt.Errorf("Kafka refuses a record of %d bytes for topic %s: %w", len(r.Key)+len(r.Value), r.Topic, err)
		if !c.tolerant {
			return nil, fatalError{err}
		}
		c.leftOut(err, r.Topic, plugin.NoPartition, -1)
	}
	return slices.DeleteFunc(slices.Clone(records), func(r *kgo.Record) bool { return refused[r] != nil }), nil
}
