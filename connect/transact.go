package connect

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// change decides what is written to the topics of configurations and offsets, and writes it as
// one transaction. Any worker may: who begins later fences who has not committed, so that decide
// has seen everything that was committed before what it returns is. Where another worker came in
// between, it is asked again.
func (w *Worker) change(ctx context.Context, decide func(context.Context) ([]*kgo.Record, error)) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	for {
		err := w.tryChange(ctx, decide)
		// A transaction that another worker has aborted is in no state to be committed.
		if !isFenced(err) && !errors.Is(err, kerr.InvalidTxnState) {
			return err
		}
		select {
		case <-time.After(rand.N(changePause)):
		case <-ctx.Done():
			return err
		}
	}
}

const (
	changeTimeout = 30 * time.Second
	// changePause is how long at most a worker that was fenced lets others go first.
	changePause = 200 * time.Millisecond
)

func (w *Worker) tryChange(ctx context.Context, decide func(context.Context) ([]*kgo.Record, error)) error {
	// The name is Kafka Connect's, which fences its leaders by it.
	client, err := w.fence(ctx, w.cfg.Kafka.TransactionalID("connect-cluster-"+w.cfg.Group))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := w.configs.Sync(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnready, err)
	}
	records, err := decide(ctx)
	if err != nil || len(records) == 0 {
		return err
	}
	if err := transact(ctx, client, records); err != nil {
		return fmt.Errorf("%w: write the configuration: %w", ErrUnready, err)
	}
	if err := w.configs.Sync(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUnready, err)
	}
	return w.offsets.log.Sync(ctx)
}

// fence returns a producer of the transactional id; who had it before commits nothing any more.
func (w *Worker) fence(ctx context.Context, id string) (*kgo.Client, error) {
	client, err := kafka.NewClient(w.cfg.Kafka, kgo.TransactionalID(id), kgo.TransactionTimeout(sourceTransaction),
		kgo.RecordPartitioner(kafka.Partitioner()), kgo.DisableClientMetrics())
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("%w: %w", ErrUnready, err)
	}
	return client, nil
}

func transact(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		abort, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
		defer cancel()
		_ = client.EndTransaction(abort, kgo.TryAbort) // Kafka does so by itself, later
		return err
	}
	return client.EndTransaction(ctx, kgo.TryCommit)
}

func (w *Worker) configRecord(key string, value []byte) *kgo.Record {
	return &kgo.Record{Topic: w.configs.Topic(), Key: []byte(key), Value: value}
}
