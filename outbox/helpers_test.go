package outbox

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// startKafka runs a broker in process and makes topics of four partitions.
func startKafka(t *testing.T, topics ...string) (*kafkatest.Cluster, kafka.Config) {
	t.Helper()
	c := kafkatest.Start(t)
	c.Topics(t, topics...)
	config := c.Config
	config.RequestTimeout, config.Logger = 5*time.Second, quiet()
	return c, config
}

func quiet() *slog.Logger {
	if testing.Verbose() {
		return slog.Default()
	}
	return slog.New(slog.DiscardHandler)
}

// fast is a configuration for tests: nothing waits long.
func fast() RelayConfig {
	return RelayConfig{
		PollInterval: 20 * time.Millisecond, LeaseTTL: time.Second, Logger: quiet(),
		Backoff: Backoff{Min: time.Millisecond, Max: 5 * time.Millisecond}, TopicBackoff: Backoff{Min: 5 * time.Millisecond, Max: 50 * time.Millisecond},
	}
}

func startRelay(t *testing.T, store Store, cluster kafka.Config, config RelayConfig) *Relay {
	t.Helper()
	r, err := NewRelay(store, cluster, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopRelay(t, r) })
	return r
}

func stopRelay(t *testing.T, r *Relay) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := r.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func message(topic, key string, n int) Message {
	return Message{Topic: topic, Event: event.New(topic, key, map[string]int{"n": n})}
}

// eventually polls until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); <-tick.C {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 2 min: %s", what)
}

// reader collects what a read_committed consumer sees of some topics.
type reader struct {
	mu      sync.Mutex
	records []*kgo.Record
	events  []event.Event
}

func readTopics(t *testing.T, cluster kafka.Config, topics ...string) *reader {
	t.Helper()
	client, err := kafka.NewClient(cluster, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(20*time.Millisecond), kgo.MetadataMinAge(20*time.Millisecond), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r, done := &reader{}, make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(r.take)
		}
	}()
	t.Cleanup(func() { cancel(); <-done; client.Close() })
	return r
}

func (r *reader) take(record *kgo.Record) {
	e, err := kafka.FromRecord(record)
	if err != nil {
		panic(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.records, r.events = append(r.records, record), append(r.events, e)
}

func (r *reader) all() ([]*kgo.Record, []event.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.records, r.events
}

func (r *reader) count() int { records, _ := r.all(); return len(records) }

// expect waits until every message has come, then checks that each came once,
// and those of a key in the order given.
func (r *reader) expect(t *testing.T, want ...Message) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d records", len(want)), func() bool { return r.count() >= len(want) })
	r.once(t)
	_, got := r.all()
	place, last := map[string]int{}, map[string]int{}
	for i, m := range want {
		place[m.Event.ID] = i + 1
	}
	for _, e := range got {
		p := place[e.ID]
		if p == 0 {
			t.Fatalf("%s of key %s was not expected", e.ID, e.Key)
		}
		if k := e.Type + "/" + e.Key; e.Key != "" {
			if p < last[k] {
				t.Fatalf("key %s: %s came after a later one", e.Key, e.Payload)
			}
			last[k] = p
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
}

// once checks that no event is in the log twice.
func (r *reader) once(t *testing.T) {
	t.Helper()
	seen := map[string]bool{}
	_, events := r.all()
	for _, e := range events {
		if seen[e.ID] {
			t.Fatalf("%s (key %s, %s) is in the log twice", e.ID, e.Key, e.Payload)
		}
		seen[e.ID] = true
	}
}
