package connect

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/topiclog"
)

// newWriter writes what the topics of configurations and offsets hold. Any worker may. The id is
// Kafka Connect's, which fences its leaders by it.
func (w *Worker) newWriter() *topiclog.Writer {
	return topiclog.NewWriter(topiclog.WriterConfig{
		Kafka: w.cfg.Kafka, ID: "connect-cluster-" + w.cfg.Group,
		Before: []*topiclog.Log{w.configs}, After: []*topiclog.Log{w.configs, w.offsets.log},
		Options: []kgo.Opt{kgo.TransactionTimeout(sourceTransaction)},
	})
}

// change decides what is written to the topics of configurations and offsets, and writes it as
// one transaction; see topiclog.Writer.
func (w *Worker) change(ctx context.Context, decide func(context.Context) ([]*kgo.Record, error)) error {
	err := w.changes.Change(ctx, decide)
	if errors.Is(err, topiclog.ErrNotWritten) {
		return fmt.Errorf("%w: write the configuration: %w", ErrUnready, err)
	}
	return err
}

// fence returns a producer of the transactional id; who had it before commits nothing any more.
func (w *Worker) fence(ctx context.Context, id string) (*kgo.Client, error) {
	client, err := topiclog.Fence(ctx, w.cfg.Kafka, id, kgo.TransactionTimeout(sourceTransaction))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnready, err)
	}
	return client, nil
}

func (w *Worker) configRecord(key string, value []byte) *kgo.Record {
	return &kgo.Record{Topic: w.configs.Topic(), Key: []byte(key), Value: value}
}
