package hotel_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/adapters"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// clock is one that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) set(config *service.Config) { config.Clock = c.Now }

// saga is a reservation's saga of a name.
func (s system) saga(name string, id int64) saga.Record {
	s.t.Helper()
	r, _, err := s.DB("reservation").Saga(s.t.Context(), name, message.Key(id))
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s system) sagaIs(name string, id int64, status saga.Status) {
	s.t.Helper()
	s.Wait(fmt.Sprintf("saga %s/%d is %s", name, id, status), func() bool { return s.saga(name, id).Status == status })
}

// TestRoomServiceDownPastTheDeadline: the reservation fails, and what the room service
// takes once it is back is given back, exactly once, also after restarts.
func TestRoomServiceDownPastTheDeadline(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		c := newClock()
		s.All(c.set)
		room := s.room(1)
		s.Stop("room")
		id := s.reserve(room, day20, day22)
		c.pass(adapters.ReserveTimeout.Default - time.Second)
		if a := s.reservation(id); a.Body["status"] != "PENDING" {
			t.Errorf("before the deadline: %s", a)
		}
		s.Stop("reservation")
		c.pass(time.Hour) // the deadline passes while nobody is there
		s.Start("reservation", c.set)
		if a := s.is(id, "FAILED"); a.Body["reason"] != "deadline of 1m passed" {
			t.Errorf("reason %v", a.Body["reason"])
		}
		s.sagaIs("reservation", id, saga.Compensated)
		s.Stop("reservation")
		c.pass(100 * 24 * time.Hour) // the saga is still there to hear of it
		s.Start("reservation", c.set)

		s.Start("room", c.set)
		if got := s.results(id, 2); got != "SUCCESS CANCEL" {
			t.Errorf("answers %s", got)
		}
		s.About(message.RoomCancel, message.Key(id), 1)
		s.Wait("the compensation's answer", func() bool {
			return s.saga("reservation", id).Status == saga.Compensated && s.entries("reservation", id, saga.EntryUndo) == 1
		})
		s.hasFree(room, day20, day22, "1 1")
		if a := s.reservation(id); a.Body["status"] != "FAILED" {
			t.Errorf("after a late success: %s", a)
		}
		if a := s.cancel(id); a.Status != 409 {
			t.Errorf("cancel: %s", a)
		}
	})
}

// entries counts those of a kind in a saga's timeline.
func (s system) entries(name string, id int64, kind saga.EntryKind) (n int) {
	s.t.Helper()
	_, entries, err := s.DB("reservation").Saga(s.t.Context(), name, message.Key(id))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// TestStuckCancelIsSeenAndEndsByItself: operators see it, and it needs them only where
// the room service never comes back.
func TestStuckCancelIsSeenAndEndsByItself(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		c := newClock()
		s.All(c.set)
		room := s.room(1)
		id := s.reserve(room, day20, day22)
		s.is(id, "CONFIRMED")
		s.Stop("room")
		s.cancel(id)
		c.pass(2 * adapters.CancelTimeout.Default)
		s.sagaIs("cancellation", id, saga.NeedsReview)
		s.is(id, "CANCELLING")
		s.Start("room", c.set)
		s.is(id, "CANCELLED")
		s.sagaIs("cancellation", id, saga.Completed)
		s.hasFree(room, day20, day22, "1 1")
	})
}

// TestCancelWhilePending: the room service is told at once, and whichever message
// reaches it first, no night is taken in the end.
func TestCancelWhilePending(t *testing.T) {
	onEach(t, func(t *testing.T, s system) {
		s.All()
		room := s.room(2)
		s.Stop("room")
		var ids []int64
		for range 10 {
			id := s.reserve(room, day20, day22)
			if a := s.cancel(id); a.Status != 202 || a.Body["status"] != "CANCELLING" {
				t.Errorf("cancel: %s", a)
			}
			ids = append(ids, id)
		}
		s.Start("room")
		for _, id := range ids {
			s.is(id, "CANCELLED")
			s.sagaIs("cancellation", id, saga.Completed)
		}
		s.Wait("the ends of the sagas", func() bool {
			return systemtest.Count(t, s.DB("reservation"), `SELECT COUNT(*) FROM pabal_saga WHERE status = 'RUNNING'`) == 0
		})
		s.hasFree(room, day20, day22, "2 2")
	})
}

// TestDuplicatesDaysLater: the inbox has forgotten the messages by then, and the domain
// has not.
func TestDuplicatesDaysLater(t *testing.T) {
	s := newSystem(t, embedded)
	s.All()
	room := s.room(2)
	id := s.reserve(room, day20, day22)
	s.is(id, "CONFIRMED")
	gone := s.reserve(room, day20, day22)
	s.is(gone, "CONFIRMED")
	s.cancel(gone)
	s.is(gone, "CANCELLED")
	forget := func(service string) {
		err := s.DB(service).Update(t.Context(), func(tx storage.Tx) error {
			_, err := tx.Exec(t.Context(), `DELETE FROM pabal_inbox`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	forget("room")
	forget("reservation")
	topics := []string{message.RoomCancel, message.RoomReserve, message.TransactionResult}
	log := map[string][]systemtest.Record{}
	for _, topic := range topics { // before anything is answered again
		log[topic] = s.Log(topic)
	}
	for _, topic := range topics {
		for _, r := range log[topic] {
			s.Publish(topic, r.Event)
		}
	}
	if got := s.results(id, 3); got != "SUCCESS SUCCESS SUCCESS" {
		t.Errorf("answers %s", got)
	}
	s.Wait("all answers to be read", func() bool {
		return systemtest.Count(t, s.DB("reservation"), `SELECT COUNT(*) FROM pabal_inbox`) >= 6
	})
	s.hasFree(room, day20, day22, "1 1")
	s.is(id, "CONFIRMED")
	s.is(gone, "CANCELLED")
}

// TestUnknownReservationNeedsAPerson: its result is a dead letter, not a saga.
func TestUnknownReservationNeedsAPerson(t *testing.T) {
	s := newSystem(t, embedded)
	s.Start("reservation")
	e := resultOf(77, message.Success)
	odd := resultOf(1, "MAYBE")
	s.Publish(message.TransactionResult, e, odd)
	dead := s.deadLetters("reservation", 2)
	if dead[e.ID] == nil || dead[odd.ID] == nil {
		t.Errorf("dead letters %v", dead)
	}
	if n := systemtest.Count(t, s.DB("reservation"), `SELECT COUNT(*) FROM pabal_saga`); n != 0 {
		t.Errorf("%d sagas", n)
	}
}

// TestOperatorForcesAStuckReservation: what a person decides about the saga becomes of
// the reservation, and of its nights when the room service comes back.
func TestOperatorForcesAStuckReservation(t *testing.T) {
	s := newSystem(t, embedded)
	s.All()
	room := s.room(1)
	s.Stop("room")
	forced, resolved := s.reserve(room, day20, day21), s.reserve(room, day21, day22)
	s.act(saga.Act{Saga: "reservation", ID: message.Key(forced), Do: saga.ForceAct, Reason: "told by telephone"})
	s.act(saga.Act{Saga: "reservation", ID: message.Key(resolved), Do: saga.ResolveAct, Reason: "the member has left"})
	s.is(forced, "CONFIRMED")
	s.is(resolved, "FAILED")
	s.Start("room")
	s.results(forced, 1)
	s.results(resolved, 2)
	s.sagaIs("cancellation", resolved, saga.Completed)
	s.hasFree(room, day20, day22, "0 1")
	s.is(resolved, "FAILED")
}
