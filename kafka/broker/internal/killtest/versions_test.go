package killtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// versions are writers of a compacted topic in small segments: each has keys of its own, which
// it changes and deletes, some in transactions.
type versions struct {
	w     *world
	topic string
	book  *versionBook
	plain []*rand.Rand
	txn   []*rand.Rand
	mu    sync.Mutex
	told  map[string]int
}

func newVersions(w *world) *versions {
	v := &versions{w: w, topic: "versions", book: newVersionBook(), told: map[string]int{}}
	for range 2 {
		v.plain, v.txn = append(v.plain, w.fork()), append(v.txn, w.fork())
	}
	return v
}

func (v *versions) name() string { return "versions of a compacted topic" }

func (v *versions) topics() []kafka.Topic {
	return []kafka.Topic{{Name: v.topic, Partitions: 2, Config: map[string]string{
		"cleanup.policy": "compact", "segment.bytes": strconv.Itoa(segmentBytes),
		"min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "500",
	}}}
}

func (v *versions) run(ctx context.Context) error {
	var writers sync.WaitGroup
	failed := make([]error, len(v.plain))
	for i, random := range v.plain {
		writers.Go(func() { failed[i] = v.write(ctx, fmt.Sprint("plain-", i), random) })
	}
	for i, random := range v.txn {
		t := &versionTransactions{versions: v, id: fmt.Sprint("versions-", i), random: random}
		writers.Go(func() { t.run(ctx) })
	}
	writers.Wait()
	return errors.Join(failed...)
}

// next makes one more version of a key, with its number.
func (v *versions) next(id string, random *rand.Rand) (*kgo.Record, int) {
	key := fmt.Sprintf("%s.k%d", id, random.IntN(20))
	deleted := random.IntN(6) == 0
	number := v.book.next(key, deleted)
	value := message{Writer: id, Key: key, Seq: number}.encode(200 + random.IntN(600))
	if deleted {
		return &kgo.Record{Topic: v.topic, Key: []byte(key), Headers: []kgo.RecordHeader{{Key: "message", Value: value}}}, number
	}
	return &kgo.Record{Topic: v.topic, Key: []byte(key), Value: value}, number
}

// write has one client without transactions.
func (v *versions) write(ctx context.Context, id string, random *rand.Rand) error {
	client, err := v.w.client(kgo.StopProducerOnDataLossDetected(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	var sent acknowledging
	for !v.w.over() && sent.failed() == nil {
		for range 1 + random.IntN(10) {
			r, number := v.next(id, random)
			v.book.end(string(r.Key), number, doubtful)
			client.Produce(ctx, r, func(r *kgo.Record, err error) {
				if err != nil {
					sent.fail(err)
					return
				}
				v.book.end(string(r.Key), number, committed)
			})
		}
		v.w.pace(random, 20*time.Millisecond)
	}
	return errors.Join(client.Flush(ctx), sent.failed())
}

// versionTransactions is a writer with transactions, some of which it aborts.
type versionTransactions struct {
	*versions
	id     string
	random *rand.Rand
}

func (t *versionTransactions) run(ctx context.Context) {
	for ctx.Err() == nil {
		over := t.w.over() // then the last client may have left a transaction open
		client, err := t.w.client(kgo.TransactionalID(t.id), kgo.TransactionTimeout(startTimeout))
		if err != nil {
			panic(err) // of the options
		}
		_, _, err = client.ProducerID(ctx)
		for ok := t.note("begin", err); ok && !over && !t.w.over(); t.w.pace(t.random, 20*time.Millisecond) {
			ok = t.transaction(ctx, client)
		}
		client.Close()
		if over && err == nil {
			return
		}
	}
}

func (t *versionTransactions) transaction(ctx context.Context, client *kgo.Client) bool {
	if err := client.BeginTransaction(); err != nil {
		return t.note("begin", err)
	}
	var records []*kgo.Record
	numbers := map[*kgo.Record]int{}
	for range 1 + t.random.IntN(8) {
		r, number := t.next(t.id, t.random)
		records, numbers[r] = append(records, r), number
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return t.note("produce", err)
	}
	switch t.random.IntN(8) {
	case 0:
		return false // left open
	case 1, 2:
		return t.note("abort", client.EndTransaction(ctx, kgo.TryAbort))
	}
	end := func(o outcome) {
		for r, number := range numbers {
			t.book.end(string(r.Key), number, o)
		}
	}
	end(doubtful)
	if err := kafka.Commit(ctx, client, records[0]); err != nil {
		return t.note("commit", err)
	}
	end(committed)
	return true
}

// note counts an error; it says whether there was none.
func (v *versions) note(what string, err error) bool {
	if err == nil {
		return true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.told[what+": "+err.Error()]++
	return false
}

func (v *versions) check(ctx context.Context, f *findings) error {
	c, err := v.w.read(ctx, v.topic, true)
	if err != nil {
		return err
	}
	v.book.check(f, c)
	return nil
}

func (v *versions) did() (string, error) {
	n := v.book.counts()
	v.mu.Lock()
	defer v.mu.Unlock()
	text := fmt.Sprintf("%d committed, %d aborted, %d in doubt; clients were told %v", n[committed], n[aborted], n[doubtful], v.told)
	if n[committed] < 100 || n[committed] > 3000 && n[aborted] < 5 { // few are aborted, in short runs none
		return text, errors.New("too few versions")
	}
	return text, nil
}
