package outbox

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

func TestHistoryIsKeptAndTrimmed(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	var messages []Message
	for i := range 25 {
		messages = append(messages, message("orders", "k", i))
	}
	published(t, store, cluster, messages...)
	if len(store.history) != 25 || store.history[0].status != Completed {
		t.Fatalf("history of %d rows", len(store.history))
	}
	young, err := NewCleaner(store, CleanerConfig{KeepHistory: time.Hour, BatchRows: 10, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := young.Clean(t.Context()); n != 0 || err != nil {
		t.Errorf("%d rows of the last hour trimmed: %v", n, err)
	}
	var calls atomic.Int64
	store.before = func(string) error {
		if calls.Add(1) == 2 {
			return errInjected
		}
		return nil
	}
	all, err := NewCleaner(store, CleanerConfig{BatchRows: 10, Interval: time.Hour, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := all.Start(t.Context()); err == nil {
		t.Error("started twice")
	}
	eventually(t, "trimmed despite a failure", func() bool { b, _ := store.Backlog(t.Context()); return b.Completed == 0 })
	for range 2 {
		if err := all.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if n := calls.Load(); n != 5 { // 10, failure, 10, 5: and the failed one again
		t.Logf("%d transactions", n)
	}
}

func TestBadConfiguration(t *testing.T) {
	store := newMemStore()
	_, cluster := startKafka(t)
	for name, c := range map[string]RelayConfig{
		"BatchRows": {BatchRows: 10_001}, "BatchBytes": {BatchBytes: -1}, "negative": {PollInterval: -1},
		"MaxAttempts": {MaxAttempts: -1}, "LeaseTTL": {LeaseTTL: time.Millisecond},
	} {
		if _, err := NewRelay(store, cluster, c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewCleaner(store, CleanerConfig{BatchRows: -1}); !errors.Is(err, ErrConfig) {
		t.Errorf("cleaner: %v", err)
	}
	cluster.Brokers = nil
	if _, err := NewRelay(store, cluster, RelayConfig{}); err == nil {
		t.Error("no brokers, and no error")
	}
	cluster.Brokers, cluster.RequestTimeout = []string{"127.0.0.1:1"}, time.Second
	r, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(testContext(t)); err == nil || r.Health() == nil {
		t.Errorf("started without Kafka: %v", err)
	}
}
