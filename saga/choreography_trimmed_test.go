package saga_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/saga"
)

// TestEventThatReturnsAfterItsSagaBeginsNoOther: it would wait for the rest until the
// deadline, and then undo what was done.
func TestEventThatReturnsAfterItsSagaBeginsNoOther(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		c := w.config(watched())
		c.Retention = 30 * 24 * time.Hour
		m := w.manager(c)
		at := func(e event.Event) event.Event {
			e.Time = w.clock.Now()
			return e
		}
		room, payment := at(observed("c1", "room", saga.Succeeded)), at(observed("c1", "payment", saga.Succeeded))
		w.mustDeliver(m, room, payment)
		w.wantStatus("c1", saga.Completed)
		w.clock.move(c.Retention + time.Second)
		if _, err := w.db.TrimSagas(t.Context(), "trip", w.clock.Now().Add(-c.Retention), 10); err != nil {
			t.Fatal(err)
		}
		if err := w.deliver(m, room); !errors.Is(err, saga.ErrNotFound) {
			t.Errorf("an event of a deleted saga: %v", err)
		}
		w.mustDeliver(m, at(observed("c2", "room", saga.Succeeded)))
		w.wantStatus("c2", saga.Running)
		w.wantSent("c1")

		c.Retention = -1 // nothing is deleted, so whatever comes is the first
		w.mustDeliver(w.manager(c), room)
		w.wantStatus("c1", saga.Running)
	})
}
