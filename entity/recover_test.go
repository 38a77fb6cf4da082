package entity

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// clock is set by hand.
type clock struct{ nanos atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.nanos.Store(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time          { return time.Unix(0, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

// TestWhatCannotBeRecovered names number and type, leaves other entities alone, and
// is read again after the back-off only.
func TestWhatCannotBeRecovered(t *testing.T) {
	tests := []struct {
		name   string
		damage func(*journal.Event)
		cause  error
		says   string
	}{
		{"unknown serializer", func(e *journal.Event) { e.Payload.Serializer = 77 }, journal.ErrSerializer, "serializer 77"},
		{"unknown manifest", func(e *journal.Event) { e.Payload.Manifest = "gone" }, journal.ErrManifest, `manifest "gone"`},
		{"corrupt payload", func(e *journal.Event) { e.Payload.Data = []byte("{") }, journal.ErrCorrupt, `manifest "moved"`},
		{"Apply refuses", func(e *journal.Event) { e.Payload.Data = []byte(`{"by":0}`) }, errBroken, "entity.moved"},
		{"not an event", func(e *journal.Event) {
			e.Payload = journal.Payload{Serializer: 31, Manifest: "account", Data: []byte("{}")}
		}, nil, "decodes to a entity.account"},
		{"a gap", func(e *journal.Event) { e.SeqNr = 3 }, nil, "events 2 to 2 before it are deleted"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			store, time := newMemory(), newClock()
			first := open(t, store, Config{})
			for range 2 {
				ask(t, first, "kim", deposit{Amount: 1})
			}
			ask(t, first, "lee", deposit{Amount: 1})
			good := store.events["account|kim"][1]
			test.damage(&store.events["account|kim"][1])

			h := open(t, store, Config{Clock: time.now})
			_, err := h.Ask(t.Context(), "kim", deposit{Amount: 1})
			var broken *RecoveryError
			if !errors.As(err, &broken) || broken.PersistenceID != "account|kim" || broken.SeqNr < 2 || !strings.Contains(err.Error(), test.says) {
				t.Fatalf("the error is %v", err)
			}
			if test.cause != nil && !errors.Is(err, test.cause) {
				t.Errorf("%v is not %v", err, test.cause)
			}
			if h.Health() == nil || !strings.Contains(h.Health().Error(), "account|kim") {
				t.Errorf("the health is %v", h.Health())
			}
			ask(t, h, "lee", deposit{Amount: 1})
			read := store.count("Events")
			store.events["account|kim"][1] = good
			if _, err := h.Read(t.Context(), "kim"); !errors.As(err, &broken) || store.count("Events") != read {
				t.Errorf("within the back-off it is read again: %v", err)
			}
			time.advance(2 * defaultBackoff)
			if got := ask(t, h, "kim", deposit{Amount: 1}); got != 3 {
				t.Errorf("repaired, the balance is %d", got)
			}
			if h.Health() != nil {
				t.Errorf("repaired, the health is %v", h.Health())
			}
		})
	}
}

const defaultBackoff = time.Second

func TestBackoffGrows(t *testing.T) {
	b := Config{}.withDefaults("x").Backoff
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 4: 8 * time.Second, 50: time.Minute} {
		if got := b.after(failures); got > want || got < want*3/4 {
			t.Errorf("after %d failures: %v, want about %v", failures, got, want)
		}
	}
}

func TestCorruptDurableState(t *testing.T) {
	store := newMemory()
	ask(t, openDurable(t, store, Config{}), "kim", deposit{Amount: 1})
	e := store.states["account|kim"]
	e.Payload.Data = []byte("[]")
	store.states["account|kim"] = e
	var broken *RecoveryError
	if _, err := openDurable(t, store, Config{}).Ask(t.Context(), "kim", deposit{Amount: 1}); !errors.As(err, &broken) || broken.SeqNr != 1 {
		t.Errorf("the error is %v", err)
	}
}

func TestRecoveryTimeout(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{RecoveryTimeout: 2 * time.Second})
	store.set(func(ctx context.Context, method string) error {
		if method == "Events" {
			<-ctx.Done()
		}
		return ctx.Err()
	}, nil)
	if _, err := h.Ask(t.Context(), "kim", deposit{Amount: 1}); !errors.Is(err, ErrRecoveryTimeout) {
		t.Errorf("a reading without end: %v", err)
	}
	if h.Health() == nil {
		t.Error("the host calls itself well")
	}
	store.set(nil, nil)
	ask(t, h, "kim", deposit{Amount: 1})
	if h.Health() != nil {
		t.Errorf("afterwards the health is %v", h.Health())
	}
}

// TestDatabaseAway waits a short outage out, reading and writing.
func TestDatabaseAway(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{})
	failures := map[string]int{"LoadSnapshot": 2, "Events": 1, "AppendGroup": 2}
	store.set(func(_ context.Context, method string) error {
		store.mu.Lock()
		defer store.mu.Unlock()
		if failures[method]--; failures[method] >= 0 {
			return errAway
		}
		return nil
	}, nil)
	if got := ask(t, h, "kim", deposit{Amount: 1}); got != 1 {
		t.Errorf("the balance is %d", got)
	}
	if h.Stats().Repeated != 3 {
		t.Errorf("%d readings were repeated, want 3", h.Stats().Repeated)
	}
}

func TestAllEventsDeletedButTheMarker(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{})
	for range 3 {
		ask(t, h, "kim", deposit{Amount: 1})
	}
	if _, err := store.DeleteEvents(t.Context(), "account|kim", 3, false); err != nil {
		t.Fatal(err)
	}
	other := open(t, store, Config{})
	if got := ask(t, other, "kim", deposit{Amount: 5}); got != 5 {
		t.Errorf("the balance is %d", got)
	}
	if view, err := other.Read(t.Context(), "kim"); err != nil || view.SeqNr != 4 {
		t.Errorf("the next number was not 4: %+v, %v", view, err)
	}
}
