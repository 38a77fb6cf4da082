package lens

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const patience = 20 * time.Second

// await polls until a state is there.
func await(t testing.TB, what string, there func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come", what)
		}
	}
}

// run starts a lens until the test ends, or until the returned function.
func run(t testing.TB, k kafka.Config, c Config) (*Lens, func()) {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	if c.TopicsEvery == 0 {
		c.TopicsEvery = 50 * time.Millisecond
	}
	l, err := New(k, c)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop := func() {
		if err := l.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	t.Cleanup(stop)
	return l, stop
}

func (l *Lens) events(t testing.TB) int64 {
	t.Helper()
	s, err := l.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s.Events
}

// produce writes events of a topic, one transaction each.
func produce(t testing.TB, client *kgo.Client, topic string, events ...event.Event) {
	t.Helper()
	var records []*kgo.Record
	for _, e := range events {
		if e.Source == "" {
			e.Source = "/test"
		}
		records = append(records, kafka.ToRecord(topic, e))
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func fresh(n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		events[i] = event.New("placed", event.NewID(), i)
	}
	return events
}

func TestIndexFollowsTopics(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Config.Prefix = "shop."
	client := cluster.Client(t)
	cluster.Topics(t, "orders", "secret", "pabal.services")
	file := filepath.Join(t.TempDir(), "lens.db")
	config := Config{Path: file, Topics: Topics{Exclude: []string{"sec*"}}}
	first := fresh(3)
	produce(t, client, "shop.orders", first...)
	produce(t, client, "shop.secret", fresh(2)...)
	produce(t, client, "shop.pabal.services", fresh(2)...)
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: "shop.orders", Value: []byte("no event")}).FirstErr(); err != nil {
		t.Fatal(err)
	}

	l, stop := run(t, cluster.Config, config)
	await(t, "what was there before", func() bool { return l.events(t) == 3 })
	cluster.Topics(t, "late")
	later := fresh(1)[0].CausedBy(first[0])
	produce(t, client, "shop.late", later)
	await(t, "a new topic", func() bool { return l.events(t) == 4 })
	trace, err := l.Trace(t.Context(), later.ID)
	if err != nil || trace.CorrelationID != first[0].CorrelationID || len(trace.Hops) != 3 {
		t.Fatalf("by event id: %+v, %v", trace, err)
	}
	stop()

	produce(t, client, "shop.orders", fresh(2)...) // while it is away
	l, _ = run(t, cluster.Config, config)
	await(t, "what came meanwhile, once", func() bool { return l.events(t) == 6 })

	if _, err := kadm.NewClient(client).DeleteTopics(t.Context(), "shop.orders"); err != nil {
		t.Fatal(err)
	}
	await(t, "the deleted topic's end", func() bool {
		p, err := l.index.store.progress(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for key := range p.places {
			if key.topic == "shop.orders" {
				return false
			}
		}
		return true
	})
	cluster.Topics(t, "orders")
	produce(t, cluster.Client(t), "shop.orders", fresh(5)...)
	await(t, "the topic that was made again", func() bool { return l.events(t) == 11 })
}

// TestAnotherCluster: offsets and events of another one mean nothing.
func TestAnotherCluster(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lens.db")
	for i := range 2 {
		cluster := kafkatest.Start(t)
		cluster.Topics(t, "orders")
		produce(t, cluster.Client(t), "orders", fresh(3+i)...)
		l, stop := run(t, cluster.Config, Config{Path: file})
		await(t, "the events of this cluster only", func() bool { return l.events(t) == int64(3+i) })
		stop()
	}
}

func TestWindowByEventsAndTime(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "orders")
	client := cluster.Client(t)
	old := fresh(10)
	for i := range old {
		old[i].Time = time.Now().Add(-48 * time.Hour)
	}
	produce(t, client, "orders", old...)
	l, _ := run(t, cluster.Config, Config{MaxEvents: 3 * blockEvents})
	for range 6 {
		produce(t, client, "orders", fresh(blockEvents)...)
	}
	last := fresh(1)
	produce(t, client, "orders", last...)
	await(t, "the last event", func() bool {
		_, err := l.Trace(t.Context(), last[0].ID)
		return err == nil
	})
	await(t, "the bound", func() bool { n := l.events(t); return n <= 3*blockEvents && n >= blockEvents })
	s, err := l.State(t.Context())
	if err != nil || s.Oldest.Before(time.Now().Add(-time.Hour)) || len(s.Gaps) > 0 || s.Problem != "" {
		t.Errorf("state %+v, %v", s, err)
	}
}

// TestSkip: an index that is too far behind leaves a gap and says so.
func TestSkip(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "orders")
	client := cluster.Client(t)
	file := filepath.Join(t.TempDir(), "lens.db")
	l, stop := run(t, cluster.Config, Config{Path: file})
	first := fresh(8)
	produce(t, client, "orders", first...)
	await(t, "the first", func() bool { return l.events(t) == 8 })
	stop()
	between := fresh(3000)
	produce(t, client, "orders", between...)
	last := fresh(1)[0].CausedBy(first[0])
	last.Key = between[0].Key
	produce(t, client, "orders", last)

	l, _ = run(t, cluster.Config, Config{Path: file, MaxBehind: 1000})
	await(t, "the end", func() bool {
		s, err := l.State(t.Context())
		return err == nil && len(s.Gaps) > 0 && s.Behind == 0
	})
	s, err := l.State(t.Context())
	if err != nil || s.Events > 8+200 {
		t.Errorf("state %+v, %v", s, err)
	}
	skipped := int64(0)
	for _, g := range s.Gaps {
		skipped += g.To - g.From
	}
	if want := int64(8 + 3001); skipped+s.Events != want {
		t.Errorf("%d skipped and %d indexed, want %d together", skipped, s.Events, want)
	}
	trace, err := l.Trace(t.Context(), first[0].ID)
	if err != nil || len(trace.Gaps) == 0 {
		t.Errorf("the trace does not show the gap: %+v, %v", trace, err)
	}
}

// TestFirstLookIsBounded: a log of more than can be caught up with is begun near its
// end, in all partitions; that is no gap.
func TestFirstLookIsBounded(t *testing.T) {
	cluster := kafkatest.Start(t)
	cluster.Topics(t, "orders", "payments")
	client := cluster.Client(t)
	produce(t, client, "orders", fresh(4000)...)
	produce(t, client, "payments", fresh(1000)...)
	l, _ := run(t, cluster.Config, Config{MaxBehind: 1000})
	await(t, "the end", func() bool {
		s, err := l.State(t.Context())
		return err == nil && s.Behind == 0 && s.Events > 0
	})
	s, err := l.State(t.Context())
	if err != nil || s.Events < 800 || s.Events > 910 || len(s.Gaps) > 0 {
		t.Errorf("state %+v, %v", s, err)
	}
}

// TestQuietIndexForgets: old events leave also where few come.
func TestQuietIndexForgets(t *testing.T) {
	config, err := Config{Window: time.Hour, Logger: slog.New(slog.DiscardHandler)}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	now := t0
	config.Clock = func() time.Time { return now }
	ix, err := openIndex(t.Context(), filepath.Join(t.TempDir(), "lens.db"), config)
	if err != nil {
		t.Fatal(err)
	}
	defer ix.close()
	for i := range 20 {
		ix.add([]entry{{id: fmt.Sprint(i), at: now.UnixMicro()}})
		if err := ix.flush(t.Context(), progress{}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Minute)
	}
	if n := ix.state().Events; n > 9 {
		t.Errorf("%d events of 20 are there, of an hour", n)
	}
	for id, want := range map[string]int{"0": 0, "19": 1, "16": 1} {
		if found, err := ix.find(t.Context(), id); err != nil || len(found) != want {
			t.Errorf("%s: found %v, %v", id, found, err)
		}
	}
}

func TestKafkaAway(t *testing.T) {
	l, stop := run(t, kafka.Config{Brokers: []string{"127.0.0.1:1"}}, Config{})
	await(t, "the problem", func() bool { s, _ := l.State(t.Context()); return s.Problem != "" })
	if _, err := l.Trace(t.Context(), "x"); err == nil {
		t.Error("found something")
	}
	stop()
	if _, err := l.Search(t.Context(), searchFor("")); err == nil {
		t.Error("a stopped lens answers")
	}
}

// BenchmarkTail reads a log that is there already: CPU of fetching, reading headers,
// indexing and storing, per record.
func BenchmarkTail(b *testing.B) {
	cluster := kafkatest.Start(b)
	cluster.Topics(b, "orders")
	client := cluster.Client(b, kgo.MaxBufferedRecords(200_000))
	payload := make([]byte, 300)
	for range b.N {
		e := event.New("payment-request", event.NewID(), string(payload))
		e.Source, e.CausationID = "/orders/order", event.NewID()
		client.Produce(b.Context(), kafka.ToRecord("orders", e), nil)
	}
	if err := client.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	l, _ := run(b, cluster.Config, Config{MaxBehind: int64(b.N)*2 + 1})
	await(b, "the end", func() bool { return l.events(b) == int64(b.N) })
}
