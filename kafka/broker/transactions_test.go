package broker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestTransactionsAgainstAModel lets producers commit, abort, and be fenced by
// a successor in any order. Readers of committed records see those of the
// committed transactions, each once, in each producer's order, and no others.
func TestTransactionsAgainstAModel(t *testing.T) {
	random := testenv.Rand(t)
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "ledger")
	var done sync.WaitGroup
	writers := make([]*ledgerWriter, 4)
	for i := range writers {
		w := &ledgerWriter{t: t, broker: cluster.Broker, id: fmt.Sprint("writer-", i), random: rand.New(rand.NewPCG(random.Uint64(), 0))}
		writers[i] = w
		done.Go(func() {
			for range 40 {
				w.transaction()
			}
			w.client.Close()
		})
	}
	done.Wait()

	seen := map[string][]string{} // by writer and partition
	for _, r := range readCommitted(t, cluster.Broker, "ledger") {
		writer, _, _ := strings.Cut(string(r.Value), "/")
		at := fmt.Sprint(writer, "@", r.Partition)
		seen[at] = append(seen[at], string(r.Value))
	}
	want := map[string][]string{}
	for _, w := range writers {
		maps.Copy(want, w.committed)
	}
	for at := range want {
		if !slices.Equal(seen[at], want[at]) {
			t.Errorf("%s: read %d committed records, want %d\ngot  %v\nwant %v", at, len(seen[at]), len(want[at]), seen[at], want[at])
		}
	}
	if len(seen) != len(want) {
		t.Errorf("records in %d places, want %d", len(seen), len(want))
	}
	if high, stable := endOffsets(t, cluster.Broker, "ledger"); !maps.Equal(high, stable) {
		t.Errorf("all transactions ended, yet high watermarks are %v and last stable offsets %v", high, stable)
	}
}

type ledgerWriter struct {
	t         *testing.T
	broker    *broker.Broker
	id        string
	random    *rand.Rand
	client    *kgo.Client
	count     int
	committed map[string][]string
}

func (w *ledgerWriter) open() *kgo.Client {
	client, err := kafka.NewClient(kafka.Config{Brokers: []string{w.broker.Addr()}},
		kgo.TransactionalID(w.id), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.DefaultProduceTopic("ledger"))
	if err != nil {
		w.t.Error(err)
	}
	return client
}

func (w *ledgerWriter) transaction() {
	if w.client == nil {
		w.client, w.committed = w.open(), map[string][]string{}
	}
	ctx := context.Background()
	if err := w.client.BeginTransaction(); err != nil {
		w.t.Errorf("%s: begin: %v", w.id, err)
		return
	}
	records := make([]*kgo.Record, 1+w.random.IntN(20))
	for i := range records {
		w.count++
		records[i] = &kgo.Record{Partition: w.random.Int32N(4), Value: fmt.Appendf(nil, "%s/%d", w.id, w.count)}
	}
	if err := w.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		w.t.Errorf("%s: produce: %v", w.id, err)
	}
	switch w.random.IntN(6) {
	case 0:
		if err := w.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
			w.t.Errorf("%s: abort: %v", w.id, err)
		}
	case 1:
		w.succeed(ctx)
	default:
		if err := w.client.EndTransaction(ctx, kgo.TryCommit); err != nil {
			w.t.Errorf("%s: commit: %v", w.id, err)
			return
		}
		for _, r := range records {
			at := fmt.Sprint(w.id, "@", r.Partition)
			w.committed[at] = append(w.committed[at], string(r.Value))
		}
	}
}

// succeed replaces the producer in the middle of its transaction, as a restart
// after a crash does. The old one must not be able to commit.
func (w *ledgerWriter) succeed(ctx context.Context) {
	next := w.open()
	if _, _, err := next.ProducerID(ctx); err != nil {
		w.t.Errorf("%s: initialise: %v", w.id, err)
	}
	if err := w.client.EndTransaction(ctx, kgo.TryCommit); err == nil {
		w.t.Errorf("%s: a fenced producer could commit", w.id)
	}
	w.client.Close()
	w.client = next
}

func TestTransactionsEndByTimeout(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "t")
	left := cluster.Client(t, kgo.TransactionalID("left"), kgo.TransactionTimeout(time.Minute))
	if err := left.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := left.ProduceSync(t.Context(), &kgo.Record{Topic: "t", Value: []byte("x")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if high, stable := endOffsets(t, cluster.Broker, "t"); maps.Equal(high, stable) {
		t.Fatalf("a transaction is open, yet nothing is unstable: %v", high)
	}
	cluster.Advance(2 * time.Minute)
	testenv.Wait(t, "the transaction to be aborted", 10*time.Second, func() bool {
		high, stable := endOffsets(t, cluster.Broker, "t")
		return maps.Equal(high, stable)
	})
	if err := left.EndTransaction(t.Context(), kgo.TryCommit); err == nil {
		t.Error("a transaction that had timed out was committed")
	}
	if got := readCommitted(t, cluster.Broker, "t"); len(got) != 0 {
		t.Errorf("read %d records of an aborted transaction", len(got))
	}
}

// TestTransactionsAcrossARestart stops the broker while a transaction is open.
// Whatever its producer is told afterwards is what readers see.
func TestTransactionsAcrossARestart(t *testing.T) {
	addr, err := testservers.FreeAddr() // nobody else takes it while the broker is down
	if err != nil {
		t.Fatal(err)
	}
	config := broker.Config{Addr: addr, DataDir: t.TempDir()}
	first := start(t, config)
	produce(t, first, "t", "before")
	client := connect(t, first, kgo.TransactionalID("over"), kgo.DefaultProduceTopic("t"))
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("k"), Value: []byte("open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	stop(t, first)

	second := start(t, config)
	ended := client.EndTransaction(t.Context(), kgo.TryCommit)
	produce(t, second, "t", "after")
	want := "before open after"
	if ended != nil {
		t.Logf("the commit after the restart was refused: %v", ended)
		want = "before after"
		next := connect(t, second, kgo.TransactionalID("over"))
		if _, _, err := next.ProducerID(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := text(readCommitted(t, second, "t")); got != want {
		t.Errorf("the commit said %v, and readers see %q, want %q", ended, got, want)
	}
	if high, stable := endOffsets(t, second, "t"); !maps.Equal(high, stable) {
		t.Errorf("high watermarks are %v, last stable offsets %v", high, stable)
	}
	stop(t, second)
	if got := text(readCommitted(t, start(t, config), "t")); got != want {
		t.Errorf("after one more restart readers see %q, want %q", got, want)
	}
}

// TestPositionIsReadBack writes many positions to a compacted topic and reads
// them back as a relay does: committed ones, up to the last stable offset.
func TestPositionIsReadBack(t *testing.T) {
	cluster := kafkatest.Start(t)
	client := cluster.Client(t, kgo.TransactionalID("relay"), kgo.DefaultProduceTopic("positions"))
	admin := kadm.NewClient(client)
	compact := map[string]*string{"cleanup.policy": kadm.StringPtr("compact")}
	if _, err := admin.CreateTopic(t.Context(), 1, 1, compact, "positions"); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("outbox"), Value: fmt.Append(nil, i)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := client.EndTransaction(t.Context(), kgo.TransactionEndTry(i%5 != 4)); err != nil {
			t.Fatal(err)
		}
	}
	if err := client.BeginTransaction(); err != nil { // and one that stays open
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("outbox"), Value: []byte("open")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	records := readCommitted(t, cluster.Broker, "positions")
	if n, last := len(records), string(records[len(records)-1].Value); n != 160 || last != "198" {
		t.Errorf("read %d positions, the last is %s; want 160 and 198", n, last)
	}
}

// readCommitted reads every partition up to its last stable offset.
func readCommitted(t *testing.T, b *broker.Broker, topic string) (records []*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	_, stable := endOffsets(t, b, topic)
	from := map[int32]kgo.Offset{}
	for p, end := range stable {
		if end > 0 {
			from[p] = kgo.NewOffset().At(0)
		}
	}
	client := connect(t, b, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: from}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	for len(from) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("%v are not read to the end %v: %v", from, stable, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() {
				records = append(records, r)
			}
			if r.Offset+1 >= stable[r.Partition] {
				delete(from, r.Partition)
			}
		})
	}
	return records
}

func endOffsets(t *testing.T, b *broker.Broker, topic string) (high, stable map[int32]int64) {
	t.Helper()
	admin := kadm.NewClient(connect(t, b))
	defer admin.Close()
	all, err := admin.ListEndOffsets(t.Context(), topic)
	committed, err2 := admin.ListCommittedOffsets(t.Context(), topic)
	if err := errors.Join(err, err2, all.Error(), committed.Error()); err != nil {
		t.Fatal(err)
	}
	high, stable = map[int32]int64{}, map[int32]int64{}
	all.Each(func(o kadm.ListedOffset) { high[o.Partition] = o.Offset })
	committed.Each(func(o kadm.ListedOffset) { stable[o.Partition] = o.Offset })
	return high, stable
}

func text(records []*kgo.Record) string {
	var all []string
	for _, r := range records {
		all = append(all, string(r.Value))
	}
	return strings.Join(all, " ")
}

// TestTransactionsLeftOpenAcrossARestart: nobody comes back to end it, and it
// ends by its timeout; or a successor comes, and initialising ends it.
func TestTransactionsLeftOpenAcrossARestart(t *testing.T) {
	for _, successor := range []bool{false, true} {
		config := broker.Config{Addr: "127.0.0.1:0", DataDir: t.TempDir()}
		first := start(t, config)
		produce(t, first, "t", "before")
		client := connect(t, first, kgo.TransactionalID("left"), kgo.TransactionTimeout(time.Minute), kgo.DefaultProduceTopic("t"))
		if err := client.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Key: []byte("k"), Value: []byte("left")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
		stop(t, first)
		config.Faults = &broker.Faults{}
		second := start(t, config)
		if successor {
			if _, _, err := connect(t, second, kgo.TransactionalID("left")).ProducerID(t.Context()); err != nil {
				t.Fatal(err)
			}
		} else {
			config.Faults.Advance(2 * time.Minute)
		}
		produce(t, second, "t", "after")
		testenv.Wait(t, "the transaction to be aborted", 10*time.Second, func() bool {
			high, stable := endOffsets(t, second, "t")
			return maps.Equal(high, stable)
		})
		if got := text(readCommitted(t, second, "t")); got != "before after" {
			t.Errorf("successor %v: readers see %q", successor, got)
		}
		stop(t, second)
		if got := text(readCommitted(t, start(t, config), "t")); got != "before after" {
			t.Errorf("successor %v: after one more restart readers see %q", successor, got)
		}
	}
}
