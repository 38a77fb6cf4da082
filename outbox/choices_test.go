package outbox

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testservers"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
)

// refused starts a relay that must not start.
func refused(t *testing.T, store Store, cluster kafka.Config, want error, choices ...string) {
	t.Helper()
	r, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	err = r.Start(testContext(t))
	if err == nil {
		stopRelay(t, r)
	}
	if !errors.Is(err, want) || !NeedsChoice(err) {
		t.Fatalf("started with %v, want %v", err, want)
	}
	for _, choice := range choices {
		if !strings.Contains(err.Error(), choice) {
			t.Errorf("%q does not name %s", err, choice)
		}
	}
}

// published runs a relay until these messages are in the log, then stops it.
func published(t *testing.T, store *memStore, cluster kafka.Config, messages ...Message) {
	t.Helper()
	config := fast()
	config.KeepHistory = time.Hour
	store.enqueue(messages...)
	r := startRelay(t, store, cluster, config)
	eventually(t, "published and removed", func() bool { return store.started() == 0 })
	stopRelay(t, r)
}

// keepWord: under load the broker in process now and then aborts a transaction whose
// commit it acknowledged. The relay notices and refuses; a test that is about what comes
// after adopts. Nothing may be pending. Those on Apache Kafka have no such patience.
func keepWord(t *testing.T, store *memStore, cluster kafka.Config) {
	t.Helper()
	r, err := NewRelay(store, cluster, fast())
	if err != nil {
		t.Fatal(err)
	}
	switch err := r.Start(testContext(t)); {
	case errors.Is(err, ErrPositionLost):
		t.Log("the broker in process lost a transaction that it had committed")
		adoptUntilItHolds(t, store, cluster)
	case err == nil:
		stopRelay(t, r)
	}
}

func TestOtherClusterAdopt(t *testing.T) {
	_, a := startKafka(t, "orders")
	_, b := startKafka(t, "orders")
	store := newMemStore()
	old := []Message{message("orders", "k", 1), message("orders", "k", 2)}
	published(t, store, a, old...)
	pending := message("orders", "k", 3)
	store.enqueue(pending)
	refused(t, store, b, ErrOtherCluster, "Adopt", "RepublishSince")
	if err := Adopt(testContext(t), store, b); err != nil {
		t.Fatal(err)
	}
	refused(t, store, a, ErrOtherCluster)
	published(t, store, b)
	readTopics(t, b, "orders").expect(t, pending)
	// And back, where an old position of this outbox lies.
	if err := Adopt(testContext(t), store, a); err != nil {
		t.Fatal(err)
	}
	last := message("orders", "k", 4)
	published(t, store, a, last)
	readTopics(t, a, "orders").expect(t, append(old, last)...)
	published(t, store, a)
}

func TestOtherClusterRepublish(t *testing.T) {
	_, a := startKafka(t, "orders")
	_, b := startKafka(t, "orders")
	store := newMemStore()
	first := message("orders", "k", 1)
	published(t, store, a, first)
	keepWord(t, store, a)
	since := time.Now()
	rest := []Message{message("orders", "k", 2), message("orders", "k", 3)}
	published(t, store, a, rest...)
	if n, err := RepublishSince(testContext(t), store, b, since); n != 2 || err != nil {
		t.Fatalf("%d: %v", n, err)
	}
	published(t, store, b)
	readTopics(t, b, "orders").expect(t, rest...)
}

func TestClonedDatabase(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	original := newMemStore()
	a := message("orders", "k", 1)
	published(t, original, cluster, a)
	pending := message("orders", "k", 2)
	original.enqueue(pending)
	for name, choose := range map[string]func(t *testing.T, clone *memStore) (sends bool){
		"moved": func(t *testing.T, clone *memStore) bool {
			if err := Adopt(testContext(t), clone, cluster); err != nil {
				t.Fatal(err)
			}
			return true
		},
		"renew": func(t *testing.T, clone *memStore) bool {
			if err := Renew(testContext(t), clone, cluster); err != nil {
				t.Fatal(err)
			}
			return true
		},
		"disown": func(t *testing.T, clone *memStore) bool {
			if n, err := Disown(testContext(t), clone, cluster); n != 1 || err != nil {
				t.Fatalf("%d: %v", n, err)
			}
			return false
		},
	} {
		t.Run(name, func(t *testing.T) {
			clone := original.clone("another " + name)
			refused(t, clone, cluster, ErrOtherDatabase, "Adopt", "Disown", "Renew")
			before := len(clone.history)
			sends := choose(t, clone)
			own := message("orders", "own", 1)
			published(t, clone, cluster, own)
			if n := len(clone.history) - before; n != 1 && !sends || n != 2 && sends {
				t.Errorf("%d messages published by the clone", n)
			}
			if name != "moved" && clone.id.Outbox == original.id.Outbox {
				t.Error("the clone has its original's UUID")
			}
		})
	}
}

// TestRestoredDatabase: a backup put back under the same system is seen by its
// receipt, whatever happened since.
func TestRestoredDatabase(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	empty := store.clone("sys")
	startAndStop(t, empty, cluster)
	published(t, store, cluster, message("orders", "a", 1))
	backup := store.clone("sys")
	kept := message("orders", "b", 1)
	backup.enqueue(kept)
	published(t, store, cluster, message("orders", "a", 2))
	published(t, store, cluster, message("orders", "a", 3))
	refused(t, backup, cluster, ErrDatabaseRestored, "Adopt")
	refused(t, empty, cluster, ErrDatabaseRestored)
	if err := Adopt(testContext(t), backup, cluster); err != nil {
		t.Fatal(err)
	}
	refused(t, store, cluster, ErrDatabaseRestored)
	published(t, backup, cluster)
	seen := readTopics(t, cluster, "orders")
	eventually(t, "the backup's pending message", func() bool { return seen.count() == 4 })
	seen.once(t)
}

// TestRestoredWithinTheLastBatch: a backup from just before the last batch. Its
// receipt fits; whether anything else got the ids of the batch tells.
func TestRestoredWithinTheLastBatch(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	a, b := message("orders", "a", 1), message("orders", "a", 2)
	published(t, store, cluster, a)
	backup, used := store.clone("sys"), store.clone("sys")
	published(t, store, cluster, b)
	used.enqueue(message("orders", "a", 3)) // the id of b
	refused(t, used, cluster, ErrDatabaseRestored)
	if used.started() != 1 {
		t.Error("a message was removed without having been published")
	}
	startAndStop(t, backup, cluster)
	c := message("orders", "a", 4)
	published(t, backup, cluster, c)
	readTopics(t, cluster, "orders").expect(t, a, b, c)
}

func TestPositionTopicLost(t *testing.T) {
	c, cluster := startKafka(t, "orders")
	store := newMemStore()
	old := message("orders", "k", 1)
	published(t, store, cluster, old)
	if _, err := kadm.NewClient(c.Client(t)).DeleteTopics(t.Context(), PositionTopic); err != nil {
		t.Fatal(err)
	}
	refused(t, store, cluster, ErrPositionLost, "Adopt")
	adoptUntilItHolds(t, store, cluster)
	more := message("orders", "k", 2)
	published(t, store, cluster, more)
	readTopics(t, cluster, "orders").expect(t, old, more)
}

// adoptUntilItHolds: after a topic was deleted, the broker in process now and then
// aborts a transaction whose commit it acknowledged, Adopt's too. The relay must notice
// and refuse again; then the choice is made once more.
func adoptUntilItHolds(t *testing.T, store Store, cluster kafka.Config) {
	t.Helper()
	for range 5 {
		if err := Adopt(testContext(t), store, cluster); err != nil {
			t.Fatal(err)
		}
		r, err := NewRelay(store, cluster, fast())
		if err != nil {
			t.Fatal(err)
		}
		err = r.Start(testContext(t))
		if err == nil {
			if err := r.Stop(testContext(t)); err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, ErrPositionLost) {
			t.Fatal(err)
		}
		t.Log("the broker lost what Adopt wrote; once more")
	}
	t.Fatal("what Adopt wrote is lost each time")
}

func TestChoicesWaitForTheRelay(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	config := fast()
	config.LeaseTTL = time.Minute
	startRelay(t, store, cluster, config)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := Adopt(ctx, store, cluster); !errors.Is(err, ErrRelayRuns) {
		t.Errorf("adopted under a running relay: %v", err)
	}
}

// TestClusterIsReplacedUnderTheRelay: a broker in memory is started anew on the
// same address, as another cluster.
func TestClusterIsReplacedUnderTheRelay(t *testing.T) {
	addr, err := testservers.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	first := kafkatest.Start(t, func(c *broker.Config) { c.Addr = addr })
	first.Topics(t, "orders")
	store := newMemStore()
	r := startRelay(t, store, first.Config, fast())
	old := message("orders", "k", 1)
	store.enqueue(old)
	eventually(t, "published", func() bool { return r.Stats().Removed == 1 })
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	second, err := broker.Start(t.Context(), broker.Config{Addr: addr, NoAutoCreate: true, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { second.Stop(context.Background()) })
	first.Topics(t, "orders")
	store.enqueue(message("orders", "k", 2))
	eventually(t, "it notices", func() bool { return errors.Is(r.Health(), ErrOtherCluster) })
	if store.started() != 1 || r.Stats().State != Held {
		t.Errorf("%d rows pending, %+v", store.started(), r.Stats())
	}
}
