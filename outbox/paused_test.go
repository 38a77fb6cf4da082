package outbox

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

func isPaused(r *Relay, reason string) bool {
	s := r.Stats()
	return s.Paused && s.State == Held && s.Reason == "paused: "+reason && errors.Is(r.Health(), ErrPaused)
}

func TestPausedRelayKeepsItsLeaseAndPublishesNothing(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	config := fast()
	config.LeaseTTL = 6 * time.Second // a busy machine does not take it away
	r := startRelay(t, store, cluster, config)
	before := message("orders", "k", 0)
	store.enqueue(before)
	log := readTopics(t, cluster, "orders")
	log.expect(t, before)

	r.Pause("a look at the broker")
	eventually(t, "paused", func() bool { return isPaused(r, "a look at the broker") })
	other := startRelay(t, store, cluster, config)
	defer func() {
		if t.Failed() {
			t.Logf("%+v, %v; the other: %+v, %v", r.Stats(), r.Health(), other.Stats(), other.Health())
		}
	}()
	var want []Message
	for i := range 20 {
		want = append(want, message("orders", "k", i+1))
	}
	store.enqueue(want...)
	lease := leaseUntil(store)
	eventually(t, "the lease is extended twice", func() bool { return leaseUntil(store).After(lease.Add(config.LeaseTTL / 2)) })
	if s := other.Stats(); s.State != Standby || s.Paused {
		t.Errorf("the other relay is %+v", s)
	}
	if n := log.count(); n != 1 || r.Stats().Published != 1 {
		t.Errorf("%d records while it was paused, %d published", n, r.Stats().Published)
	}
	r.Pause("another reason") // it says the latest
	eventually(t, "the other reason", func() bool { return isPaused(r, "another reason") })
	r.Resume()
	r.Resume()
	log.expect(t, append([]Message{before}, want...)...)
	eventually(t, "active", func() bool { s := r.Stats(); return s.State == Active && !s.Paused && r.Health() == nil })
}

func leaseUntil(m *memStore) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.until
}

func TestRestartEndsAPause(t *testing.T) {
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	r := startRelay(t, store, cluster, fast())
	r.Pause("")
	eventually(t, "paused", func() bool { s := r.Stats(); return s.State == Held && s.Reason == "paused" })
	m := message("orders", "k", 1)
	store.enqueue(m)
	stopRelay(t, r)
	if s := r.Stats(); s.Paused || s.Published != 0 {
		t.Errorf("after Stop: %+v", s)
	}
	if err := r.Start(testContext(t)); err != nil {
		t.Fatal(err)
	}
	readTopics(t, cluster, "orders").expect(t, m)
}

// TestPauseUnderLoad pauses and resumes while rows come: nothing is lost or
// doubled, and a paused relay is still.
func TestPauseUnderLoad(t *testing.T) {
	random := testenv.Rand(t)
	_, cluster := startKafka(t, "orders")
	store := newMemStore()
	config := fast()
	config.BatchRows = 20
	r := startRelay(t, store, cluster, config)
	log := readTopics(t, cluster, "orders")

	var all sync.WaitGroup
	var want []Message
	stop := make(chan struct{})
	all.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Microsecond):
				want = append(want, message("orders", fmt.Sprint("k", i%7), i))
				store.enqueue(want[len(want)-1])
			}
		}
	})
	for round := range 30 {
		goal := r.Stats().Published + random.Int64N(100)
		eventually(t, "some are published", func() bool { return r.Stats().Published >= goal })
		reason := fmt.Sprint("round ", round)
		r.Pause(reason)
		eventually(t, "paused", func() bool { return isPaused(r, reason) })
		still := r.Stats().Published
		waiting := store.started()
		eventually(t, "more rows wait", func() bool { return store.started() > waiting+20 })
		if n := r.Stats().Published; n != still {
			t.Fatalf("%d rows were published in the pause", n-still)
		}
		r.Resume()
	}
	close(stop)
	all.Wait()
	log.expect(t, want...)
	eventually(t, "empty outbox", func() bool { return store.started() == 0 })
}
