package topiclog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// WriterConfig of a Writer. Kafka and ID are required.
type WriterConfig struct {
	Kafka kafka.Config
	// ID is the transactional id without the prefix, the same for all writers of the same topics.
	ID string
	// Before are the logs that decisions are made by: they are read to their ends first.
	Before []*Log
	// After are read to their ends when something was written.
	After []*Log
	// Options of the producer.
	Options []kgo.Opt
}

// Writer writes to the topics of logs in transactions. Of several writers with the same id, in
// several processes, none has to lead: who begins later fences who has not committed, so that what
// one decides has seen everything that was committed before it.
type Writer struct {
	cfg  WriterConfig
	life context.Context
	end  context.CancelFunc

	mu     sync.Mutex
	client *kgo.Client // nil before the first change, and after one that failed
}

// NewWriter does not connect yet. Close it.
func NewWriter(c WriterConfig) *Writer {
	w := &Writer{cfg: c}
	w.life, w.end = context.WithCancel(context.Background())
	return w
}

// Close ends a change that is under way; others fail from now on.
func (w *Writer) Close() {
	w.end()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.drop()
}

// ErrNotWritten is wrapped by errors about Kafka, as opposed to those of who decides.
var ErrNotWritten = errors.New("Kafka has not taken the change")

const (
	changeTimeout = 30 * time.Second
	// changePause is how long at most a writer that was fenced lets others go first.
	changePause = 200 * time.Millisecond
	// transactionTimeout is when Kafka ends a transaction whose writer is gone.
	transactionTimeout = 15 * time.Second
	abortTimeout       = 5 * time.Second
	// patience is how long a writer waits for what others have begun.
	patience = 500 * time.Millisecond
)

// Change asks decide which records to write, with the logs read to their ends, and writes them as
// one transaction. Where another writer came in between, decide is asked again. When Change returns
// without an error, the logs have applied what was written; with ErrNotWritten, it may have been
// written after all.
func (w *Writer) Change(ctx context.Context, decide func(context.Context) ([]*kgo.Record, error)) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	defer context.AfterFunc(w.life, cancel)()
	for {
		err := w.try(ctx, decide)
		if !interrupted(err) {
			return err
		}
		select {
		case <-time.After(rand.N(changePause)):
		case <-ctx.Done():
			return err
		}
	}
}

// errUncommitted: the transaction did not get as far as its end.
var errUncommitted = errors.New("nothing is committed")

// interrupted tells that another writer came in between. A transaction that it aborted is in no
// state to be committed, and an id that Kafka has forgotten begins anew.
func interrupted(err error) bool {
	for _, reason := range []error{kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidTxnState, kerr.InvalidProducerIDMapping, kerr.UnknownProducerID} {
		if errors.Is(err, reason) {
			return true
		}
	}
	// Kafka 4 answers so to records of who is fenced while they are on their way.
	return errors.Is(err, errUncommitted) && errors.Is(err, kerr.UnknownServerError)
}

func (w *Writer) try(ctx context.Context, decide func(context.Context) ([]*kgo.Record, error)) error {
	if err := w.prepare(ctx); err != nil {
		return err
	}
	records, err := decide(ctx)
	if err != nil || len(records) == 0 {
		return err
	}
	if err := w.write(ctx, records); err != nil {
		return fmt.Errorf("%w: write to %s: %w", ErrNotWritten, records[0].Topic, err)
	}
	return syncAll(ctx, w.cfg.After)
}

// prepare reads the logs to their ends, with a producer that may write. What is not read soon is
// behind a transaction that is open: of a writer that is gone, or slow, and fenced.
func (w *Writer) prepare(ctx context.Context) error {
	if w.client != nil {
		soon, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if syncAll(soon, w.cfg.Before) == nil {
			return nil
		}
		w.drop()
	}
	if err := w.open(ctx); err != nil {
		return err
	}
	return syncAll(ctx, w.cfg.Before)
}

// write ends with ctx: the producer alone would hold on to what may have been sent.
func (w *Writer) write(ctx context.Context, records []*kgo.Record) error {
	closed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(closed)
		w.client.Close()
	})
	err := transact(ctx, w.client, records)
	if !stop() {
		<-closed
		w.client = nil
	}
	if err != nil {
		w.drop() // whatever it is in the middle of, the next one fences it
	}
	return err
}

// open has the producer of the id: nobody who had it before commits anything any more.
func (w *Writer) open(ctx context.Context) error {
	if err := w.life.Err(); err != nil {
		return fmt.Errorf("%w: it is closed: %w", ErrNotWritten, err)
	}
	client, err := Fence(ctx, w.cfg.Kafka, w.cfg.Kafka.TransactionalID(w.cfg.ID), w.cfg.Options...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotWritten, err)
	}
	w.client = client
	return nil
}

// Fence returns a producer of a transactional id, with the prefix; who had it before commits nothing
// any more. The caller closes it.
func Fence(ctx context.Context, cfg kafka.Config, id string, opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kafka.NewClient(cfg, append([]kgo.Opt{
		kgo.TransactionalID(id), kgo.TransactionTimeout(transactionTimeout), kgo.RecordPartitioner(kafka.Partitioner()), kgo.DisableClientMetrics(),
	}, opts...)...)
	if err != nil {
		return nil, err
	}
	if _, _, err := client.ProducerID(ctx); err != nil {
		client.Close()
		return nil, fmt.Errorf("begin to write as %s: %w", id, err)
	}
	return client, nil
}

func (w *Writer) drop() {
	if w.client != nil {
		w.client.Close()
		w.client = nil
	}
}

func syncAll(ctx context.Context, logs []*Log) error {
	for _, l := range logs {
		if err := l.Sync(ctx); err != nil {
			return fmt.Errorf("%w: %w", ErrNotWritten, err)
		}
	}
	return nil
}

func transact(ctx context.Context, client *kgo.Client, records []*kgo.Record) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		abort, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTimeout)
		defer cancel()
		_ = client.EndTransaction(abort, kgo.TryAbort) // Kafka does so by itself, later
		return fmt.Errorf("%w: %w", errUncommitted, err)
	}
	return kafka.Commit(ctx, client, records[0])
}
