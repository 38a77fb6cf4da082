package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestConcurrentWriters: writers of one key take turns, as writers that lock
// the thing the key names do; others commit in any order, late, or not at all.
func TestConcurrentWriters(t *testing.T) {
	random := seeded(t)
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	config := fast()
	config.BatchRows = 16
	startRelay(t, store, cluster, config)
	var turns [5]sync.Mutex
	var all struct {
		sync.Mutex
		byKey map[string][]Message
	}
	all.byKey = map[string][]Message{}
	var writers sync.WaitGroup
	for w := range 8 {
		seed := random.Int64()
		writers.Go(func() {
			for i := range 60 {
				k := int(seed>>(i%40)) & 3
				turns[k].Lock()
				m := message("orders", fmt.Sprint("k", k), i)
				name := fmt.Sprint("w", w, i)
				first := store.take(name, 1)
				if i%3 == 0 {
					time.Sleep(time.Duration(seed>>(i%30)&1023) * time.Microsecond)
				}
				if seed>>(i%50)&7 == 0 {
					store.commit(name, first) // rolled back
				} else {
					all.Lock()
					all.byKey[m.Key] = append(all.byKey[m.Key], m)
					all.Unlock()
					store.commit(name, first, m)
				}
				turns[k].Unlock()
			}
		})
	}
	writers.Wait()
	var want []Message
	for _, messages := range all.byKey {
		want = append(want, messages...)
	}
	readTopics(t, cluster, "orders").expect(t, want...)
}

func TestUnknownTopicWaitsAlone(t *testing.T) {
	c, cluster := startKafka(t, "orders")
	store := newMemStore()
	var orders, later []Message
	for i := range 40 {
		orders, later = append(orders, message("orders", "k", i)), append(later, message("later", "k", i))
		store.enqueue(orders[i], later[i])
	}
	config := fast()
	config.BatchRows = 7
	r := startRelay(t, store, cluster, config)
	readTopics(t, cluster, "orders").expect(t, orders...)
	eventually(t, "the reason", func() bool {
		err := r.Health()
		return err != nil && strings.Contains(err.Error(), "topic later") && store.started() == len(later)
	})
	if len(store.refusals) > 0 {
		t.Errorf("a missing topic cost %d attempts", len(store.refusals))
	}
	c.Topics(t, "later")
	readTopics(t, cluster, "later").expect(t, later...)
	eventually(t, "healthy", func() bool { return r.Health() == nil && store.started() == 0 })
}

// TestKeyWaitsBehindRefusedRow: the row is taken in the end, before those of
// its key and after the others.
func TestKeyWaitsBehindRefusedRow(t *testing.T) {
	c, cluster := startKafka(t, "orders")
	store := newMemStore()
	var want, others []Message
	for i := range 40 {
		m := message("orders", fmt.Sprint("k", i%4), i)
		if i == 6 || i == 18 { // of key k2
			m.Payload = []byte(`"` + strings.Repeat("x", 1<<21) + `"`)
		}
		want = append(want, m)
		if i%4 != 2 || i < 6 {
			others = append(others, m)
		}
		store.enqueue(m)
	}
	config := fast()
	config.MaxAttempts, config.BatchRows = 1_000_000, 9
	store.before = func(op string) error {
		if op == "Refuse" {
			time.Sleep(5 * time.Millisecond) // what was read ahead meanwhile is no good
		}
		return nil
	}
	startRelay(t, store, cluster, config)
	seen := readTopics(t, cluster, "orders")
	seen.expect(t, others...)
	late := message("orders", "k2", 100)
	store.enqueue(late)
	eventually(t, "tried often", func() bool { store.mu.Lock(); defer store.mu.Unlock(); return len(store.refusals) > 10 })
	raiseLimit(t, c)
	seen.expect(t, append(want, late)...)
	eventually(t, "removed", func() bool { return store.started() == 0 })
}

func raiseLimit(t *testing.T, c *kafkatest.Cluster) {
	t.Helper()
	limit := "8388608"
	_, err := kadm.NewClient(c.Client(t)).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &limit}}, "orders")
	if err != nil {
		t.Fatal(err)
	}
}

// TestReplayAfterLimitIsRaised: two rows of one key, too large; once the topic
// takes them they are replayed, in order, each once.
func TestReplayAfterLimitIsRaised(t *testing.T) {
	c, cluster := startKafka(t, "orders")
	store := newMemStore()
	var big []Message
	for i := range 2 {
		m := message("orders", "k", i)
		m.Payload = []byte(fmt.Sprintf(`"%d%s"`, i, strings.Repeat("x", 1<<20+1<<19)))
		big = append(big, m)
	}
	small := message("orders", "k", 3)
	store.enqueue(big[0], big[1], small)
	startRelay(t, store, cluster, fast())
	seen := readTopics(t, cluster, "orders")
	seen.expect(t, small)
	failed := func() int64 { b, _ := store.Backlog(t.Context()); return b.Failed }
	eventually(t, "both FAILED", func() bool { return failed() == 2 })

	raiseLimit(t, c)
	if n, err := store.Replay(t.Context()); n != 2 || err != nil {
		t.Fatalf("replayed %d: %v", n, err)
	}
	seen.expect(t, small, big[0], big[1])
	eventually(t, "removed", func() bool { return failed() == 0 && store.started() == 0 })
}

func TestBrokerAwayCostsNoAttempt(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	line := &cutter{key: -1}
	r := run(t, store, cluster, fast(), line)
	store.enqueue(message("orders", "k", 0))
	seen := readTopics(t, cluster, "orders")
	eventually(t, "published", func() bool { return seen.count() == 1 })
	line.setDown(true)
	var want []Message
	for i := range 20 {
		want = append(want, message("orders", "k", i))
	}
	store.enqueue(want...)
	eventually(t, "it says so", func() bool { return r.Health() != nil && r.Stats().State == Held })
	line.setDown(false)
	eventually(t, "everything published", func() bool { return seen.count() == 21 })
	seen.once(t)
	if len(store.refusals) > 0 {
		t.Errorf("%d attempts were counted", len(store.refusals))
	}
	eventually(t, "healthy", func() bool { return r.Health() == nil })
}

func TestIdleOutboxRepublishesNothing(t *testing.T) {
	c, cluster := startKafka(t, "orders")
	store := newMemStore()
	want := []Message{message("orders", "k", 1), message("orders", "k", 2)}
	store.enqueue(want...)
	config := fast()
	config.KeepHistory = time.Hour
	r := startRelay(t, store, cluster, config)
	seen := readTopics(t, cluster, "orders")
	seen.expect(t, want...)
	stopRelay(t, r)
	admin := kadm.NewClient(c.Client(t))
	groups, err := admin.ListGroups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.DeleteGroups(t.Context(), groups.Groups()...); err != nil && len(groups) > 0 {
		t.Fatal(err)
	}
	startRelay(t, store, cluster, config)
	last := message("orders", "k", 3)
	store.enqueue(last)
	seen.expect(t, append(want, last)...)
}

// TestOpenTransactionOfAnother: after a crash between Kafka's commit and the
// removal, another relay's open transaction stands before our position in the
// shared topic. Nothing may be published until it is ended.
func TestOpenTransactionOfAnother(t *testing.T) {
	c, cluster := startKafka(t, "orders")
	store := newMemStore()
	want := []Message{message("orders", "k", 1), message("orders", "k", 2)}
	want[0].Time = want[0].Time.Add(-time.Hour) // it has been waiting for long
	broken := make(chan struct{})
	store.before = func(op string) error {
		if op == "Complete" && store.started() > 0 {
			select {
			case broken <- struct{}{}:
			default:
			}
			return errInjected
		}
		return nil
	}
	first, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	place := openTransaction(t, c.Config, store)
	store.enqueue(want...)
	<-broken
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	_ = first.Stop(gone)
	store.before = nil

	second, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan error, 1)
	go func() { started <- second.Start(testContext(t)) }()
	eventually(t, "it waits", func() bool { return second.Stats().State == Recovering })
	time.Sleep(300 * time.Millisecond) // long enough for a wrong relay to publish
	if s := second.Stats(); s.State != Recovering || s.Published > 0 {
		t.Errorf("it did not wait: %+v", s)
	}
	if err := place.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopRelay(t, second) })
	eventually(t, "removed", func() bool { return store.started() == 0 })
	readTopics(t, cluster, "orders").expect(t, want...)
	if s := second.Stats(); s.Published > 0 {
		t.Errorf("%d rows published twice", s.Published)
	}
}

// TestCrashAfterRecovery: what the first relay published and could not remove is
// settled by the second, which itself dies before it removes anything.
func TestCrashAfterRecovery(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	startAndStop(t, store, cluster)
	var want []Message
	for i := range 3 {
		m := message("orders", "k", i)
		want = append(want, m)
		store.before = func(op string) error {
			if op == "Complete" && slices.ContainsFunc(store.messages(), func(x Message) bool { return x.Event.ID == m.Event.ID }) {
				return errInjected
			}
			return nil
		}
		r, err := NewRelay(store, cluster, fast())
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Start(testContext(t)); err != nil {
			t.Fatal(err)
		}
		eventually(t, "recovered", func() bool { return store.started() == 0 }) // what follows keeps it from that
		store.enqueue(m)
		eventually(t, "published", func() bool { return r.Stats().Published == 1 })
		killed, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Stop(killed)
	}
	store.before = nil
	startRelay(t, store, cluster, fast())
	readTopics(t, cluster, "orders").expect(t, want...)
	eventually(t, "removed", func() bool { return store.started() == 0 })
}

func startAndStop(t *testing.T, store Store, cluster kafka.Config) {
	t.Helper()
	r, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	stopRelay(t, r)
}

// openTransaction leaves a transaction open in the partition of the store's position.
func openTransaction(t *testing.T, cluster kafka.Config, store *memStore) *kgo.Client {
	t.Helper()
	place, err := decodeReceipt(store.id.Position)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.NewClient(cluster, kgo.TransactionalID("another"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	record := &kgo.Record{Topic: cluster.Topic(PositionTopic), Partition: place.Partition, Key: []byte("another"), Value: []byte("{}")}
	if err := client.ProduceSync(t.Context(), record).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return client
}

// TestStopAtOnce: Stop with an ended context does not wait for Kafka.
func TestStopAtOnce(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	f := newFreezer(1 << 30)
	f.patient = true
	r, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	r.extra = f.options()
	if err := r.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	f.at = f.events + 1
	f.mu.Unlock()
	store.enqueue(message("orders", "k", 1))
	<-f.frozen
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.Stop(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("stop: %v", err)
	}
	close(f.ice)
	if err := r.Stop(context.Background()); err != nil {
		t.Errorf("second stop: %v", err)
	}
	startRelay(t, store, cluster, fast())
	readTopics(t, cluster, "orders").expect(t, store.messages()...)
}

func (m *memStore) messages() (out []Message) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		out = append(out, r.Message)
	}
	return out
}

// TestUnkeyedRowsAndTombstones keeps what is not there apart from what is empty.
func TestUnkeyedRowsAndTombstones(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	tombstone := Message{Topic: "orders", Event: event.New("orders", "k", nil)}
	tombstone.Payload = nil
	store.enqueue(tombstone, message("orders", "", 1))
	startRelay(t, store, cluster, fast())
	seen := readTopics(t, cluster, "orders")
	eventually(t, "both", func() bool { return seen.count() == 2 })
	records, events := seen.all()
	for i, r := range records {
		if events[i].ID == tombstone.Event.ID && r.Value != nil {
			t.Error("the tombstone has a value")
		}
		if events[i].ID != tombstone.Event.ID && r.Key != nil {
			t.Error("the unkeyed row has a key")
		}
		if events[i].Source != "/pabal" {
			t.Errorf("source %q", events[i].Source)
		}
	}
}
