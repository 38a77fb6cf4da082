package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
)

// transactions are producers that write to several partitions of two topics at once.
type transactions struct {
	w      *world
	debit  string
	credit string
	book   *transactionBook
	tail   *tail
	random []*rand.Rand
	mu     sync.Mutex
	told   map[string]int // errors of clients, and how often
}

const partitions = 3 // of each topic

func newTransactions(w *world) *transactions {
	t := &transactions{w: w, debit: "debit", credit: "credit", book: newTransactionBook(), told: map[string]int{}}
	t.tail = newTail(w, t.debit, true)
	for range 3 {
		t.random = append(t.random, w.fork())
	}
	return t
}

func (t *transactions) name() string { return "transactions" }

func (t *transactions) topics() []kafka.Topic {
	return []kafka.Topic{{Name: t.debit, Partitions: partitions}, {Name: t.credit, Partitions: partitions}}
}

func (t *transactions) run(ctx context.Context) error {
	var writers sync.WaitGroup
	failed := make([]error, len(t.random))
	for i, random := range t.random {
		w := &transactionWriter{transactions: t, id: fmt.Sprint("writer-", i), random: random}
		writers.Go(func() { failed[i] = w.run(ctx) })
	}
	failed = append(failed, t.tail.run(ctx, &writers))
	writers.Wait()
	return errors.Join(failed...)
}

type transactionWriter struct {
	*transactions
	id     string
	number int
	random *rand.Rand
}

func (w *transactionWriter) run(ctx context.Context) error {
	for !w.w.over() {
		client := w.open(ctx)
		w.live(ctx, client)
		client.Close()
	}
	w.open(ctx).Close() // the last client may have left a transaction open
	return ctx.Err()
}

// open takes over from the last client of the id.
func (w *transactionWriter) open(ctx context.Context) *kgo.Client {
	for {
		versions := kversion.Stable()
		if w.random.IntN(3) == 0 {
			versions = kversion.V3_6_0() // before transactions of version 2
		}
		client, err := w.w.client(kgo.TransactionalID(w.id), kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.TransactionTimeout(startTimeout), kgo.MaxVersions(versions))
		if err != nil {
			panic(err) // of the options
		}
		if _, _, err = client.ProducerID(ctx); w.note("begin", err) || ctx.Err() != nil {
			return client
		}
		client.Close()
	}
}

// live is one client: until it is replaced for no reason, or somebody told it of an error.
func (w *transactionWriter) live(ctx context.Context, client *kgo.Client) {
	for left := 50 + w.random.IntN(100); left > 0 && !w.w.over(); left-- {
		if ok := w.transaction(ctx, client); !ok {
			return
		}
		w.w.pace(w.random, 20*time.Millisecond)
	}
}

// transaction is one; false says that the client is of no use any more.
func (w *transactionWriter) transaction(ctx context.Context, client *kgo.Client) bool {
	w.number++
	of := 1 + w.random.IntN(10)
	w.book.begin(w.id, w.number, of)
	defer w.book.leave(w.id, w.number)
	if err := client.BeginTransaction(); err != nil {
		return w.note("begin", err)
	}
	first, err := w.produce(ctx, client, of)
	if err != nil {
		return w.note("produce", err)
	}
	switch w.random.IntN(10) {
	case 0, 1:
		return w.note("abort", client.EndTransaction(ctx, kgo.TryAbort))
	case 2:
		return w.random.IntN(2) > 0 && w.note("abort", client.EndTransaction(ctx, kgo.TryAbort)) // or left open
	}
	w.book.end(w.id, w.number, doubtful)
	if err := kafka.Commit(ctx, client, first); err != nil {
		return w.note("commit", err)
	}
	w.book.end(w.id, w.number, committed)
	return true
}

// produce writes the records of a transaction, in two bursts at times, and returns one.
func (w *transactionWriter) produce(ctx context.Context, client *kgo.Client, of int) (*kgo.Record, error) {
	var records []*kgo.Record
	var sent acknowledging
	pause := w.random.IntN(3 * of)
	for part := 1; part <= of; part++ {
		topic := []string{w.debit, w.credit}[w.random.IntN(2)]
		m := message{Writer: w.id, Txn: w.number, Part: part, Of: of}
		r := &kgo.Record{Topic: topic, Partition: w.random.Int32N(partitions), Value: m.encode(50 + w.random.IntN(200))}
		records = append(records, r)
		client.Produce(ctx, r, func(_ *kgo.Record, err error) {
			if err != nil {
				sent.fail(err)
			}
		})
		if part == pause {
			w.w.pace(w.random, 100*time.Millisecond)
		}
	}
	return records[0], errors.Join(client.Flush(ctx), sent.failed())
}

// note counts an error; it says whether there was none.
func (t *transactions) note(what string, err error) bool {
	if err == nil {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told[what+": "+err.Error()]++
	return false
}

func (t *transactions) check(ctx context.Context, f *findings) error {
	var all []content
	for _, topic := range []string{t.debit, t.credit} {
		c, err := t.w.read(ctx, topic, true)
		if err != nil {
			return err
		}
		all = append(all, c)
	}
	t.book.check(f, all...)
	t.tail.compare(f, all[0])
	return nil
}

func (t *transactions) did() (string, error) {
	n := t.book.counts()
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%d committed, %d aborted, %d in doubt; clients were told %v", n[committed], n[aborted], n[doubtful], t.told)
	if n[committed] < 5 || n[aborted] < 2 {
		return text, errors.New("too few transactions")
	}
	return text, nil
}
