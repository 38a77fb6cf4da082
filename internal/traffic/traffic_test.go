package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeServices answers as the services do. It loses every third answer to an
// order, and forgets Idempotency-Keys where told.
type fakeServices struct {
	mu        sync.Mutex
	ids       int
	requests  int
	byKey     map[string]string
	forgetful bool
	tracker   *Tracker
}

func (f *fakeServices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids++
	id := fmt.Sprintf("id-%d", f.ids)
	switch {
	case r.Method == http.MethodDelete:
		w.WriteHeader(http.StatusConflict)
	case strings.HasSuffix(r.URL.Path, "/orders"):
		key := r.Header.Get("Idempotency-Key")
		if known := f.byKey[key]; known != "" && !f.forgetful {
			id = known
		}
		f.byKey[key] = id
		if f.requests++; f.requests%3 == 0 {
			panic(http.ErrAbortHandler)
		}
		f.tracker.Ended(id, true, time.Now())
		w.WriteHeader(http.StatusAccepted)
		json.NewEncoder(w).Encode(map[string]string{"orderId": id})
	default:
		w.WriteHeader(http.StatusCreated)
		json.NewEncoder(w).Encode(map[string]string{"id": id})
	}
}

func flow(t *testing.T, forgetful bool, rate float64, maxOpen int) (Stats, Counts, *fakeServices) {
	t.Helper()
	tracker := NewTracker()
	fake := &fakeServices{byKey: map[string]string{}, tracker: tracker, forgetful: forgetful}
	server := httptest.NewServer(fake)
	defer server.Close()
	ledger, err := OpenLedger(filepath.Join(t.TempDir(), "accepted.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	traffic := New(Config{
		Addresses: Addresses{server.URL, server.URL, server.URL, server.URL},
		Run:       "test", Seed: 3, Rate: rate, MaxOpen: maxOpen, Connections: 8, GiveUp: 5 * time.Second,
		Tracker: tracker, Ledger: ledger,
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := traffic.Prepare(ctx); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		for tracker.Counts().Approved < 300 && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	traffic.Run(ctx, stop)
	if ctx.Err() != nil {
		t.Fatalf("no 300 orders within the time: %+v", tracker.Counts())
	}
	return traffic.Stats(), tracker.Counts(), fake
}

func TestLostAnswersAreAskedForAgain(t *testing.T) {
	stats, counts, fake := flow(t, false, 2000, 100)
	if stats.Failed != 0 || stats.Mismatches != 0 {
		t.Fatalf("%+v", stats)
	}
	if stats.Repeats == 0 || stats.Duplicates == 0 || stats.Cancels == 0 || stats.CancelsTaken != 0 {
		t.Fatalf("something was not tried: %+v", stats)
	}
	if int(counts.Placed) != len(fake.byKey) {
		t.Fatalf("%d orders placed under %d keys", counts.Placed, len(fake.byKey))
	}
}

func TestTwoOrdersUnderOneKeyAreNoticed(t *testing.T) {
	stats, _, _ := flow(t, true, 2000, 100)
	if stats.Mismatches == 0 || stats.Failed == 0 || !strings.Contains(stats.FirstFailure, "Idempotency-Key") {
		t.Fatalf("a service that forgets its keys went unnoticed: %+v", stats)
	}
}

func TestPacerOwesTheRate(t *testing.T) {
	begun := time.Now()
	p := pacer{rate: 1000, last: begun}
	p.advance(begun.Add(10 * time.Millisecond))
	if p.owed != 10 {
		t.Fatalf("%v orders are owed after 10 ms at 1000/s", p.owed)
	}
	p.advance(begun.Add(10 * time.Second))
	if p.owed != 50 {
		t.Fatalf("%v orders are owed after a long wait, want those of 50 ms", p.owed)
	}
}
