package saga_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

var _ saga.Operator = (*manager)(nil)

// parked is a saga whose flight cannot be undone.
func (w *world) parked(m *manager, id string) saga.Record {
	w.Helper()
	w.start(m, id)
	w.mustDeliver(m, answer(id, "flight", saga.Succeeded))
	w.mustDeliver(m, answer(id, "hotel", saga.Refused))
	w.mustDeliver(m, answer(id, "flight", saga.UndoFailed))
	stop := w.run(m)
	w.clock.move(5 * time.Second)
	w.await("the second try", func() bool { _, e := w.saga(id); return e[len(e)-1].Kind == saga.EntryUndo })
	stop()
	w.mustDeliver(m, answer(id, "flight", saga.UndoFailed))
	return w.wantStatus(id, saga.NeedsReview)
}

func TestActsAreRecorded(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		seen := w.parked(m, "t1")
		if s := m.Stats(); s.Reviews != 1 {
			t.Errorf("stats %+v", s)
		}
		act := saga.Act{Saga: "trip", ID: "t1", Do: saga.RetryAct, Step: "flight", Reason: "the airline is back", Actor: "kim", Revision: seen.Revision}
		r, err := m.Act(t.Context(), act)
		if err != nil || r.Status != saga.Compensating || r.Revision != seen.Revision+1 || r.ID != "t1" {
			t.Fatalf("%+v, %v", r, err)
		}
		w.wantSent("t1", "flight-request", "hotel-request", "flight-undo", "flight-undo", "flight-undo")
		_, entries := w.saga("t1")
		if !slices.ContainsFunc(entries, func(e saga.Entry) bool {
			return e.Kind == saga.EntryAct && e.Actor == "kim" && e.Step == "flight" && e.Note != ""
		}) {
			t.Errorf("timeline %+v", entries)
		}
		if _, err := m.Act(t.Context(), act); !errors.Is(err, saga.ErrChanged) {
			t.Errorf("an act on another revision: %v", err)
		}
		act.Revision, act.Saga = 0, ""
		act.Do, act.Reason = saga.ResolveAct, "settled by phone"
		if r, err := m.Act(t.Context(), act); err != nil || r.Status != saga.Resolved {
			t.Errorf("%+v, %v", r, err)
		}
		if _, err := m.Act(t.Context(), act); !errors.Is(err, saga.ErrRefused) {
			t.Errorf("an act on an ended one: %v", err)
		}
		act.ID = "t9"
		if _, err := m.Act(t.Context(), act); !errors.Is(err, saga.ErrNotFound) {
			t.Errorf("an act on none: %v", err)
		}
		act.Saga = "other"
		if _, err := m.Act(t.Context(), act); !errors.Is(err, saga.ErrNotFound) {
			t.Errorf("an act on another saga: %v", err)
		}
	})
}

func TestActWhoseCommitWasNotAnsweredTakesEffectOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		var cut atomic.Bool
		m, err := saga.New[storage.Tx](faultyStore{DB: w.db, after: func() error {
			if cut.Swap(false) {
				return errAway
			}
			return nil
		}}, w.config(journey(1)))
		if err != nil {
			t.Fatal(err)
		}
		seen := w.parked(m, "t1")
		cut.Store(true)
		r, err := m.Act(t.Context(), saga.Act{ID: "t1", Do: saga.RetryAct, Step: "flight", Reason: "again", Actor: "kim"})
		if err != nil || r.Revision != seen.Revision+1 {
			t.Fatalf("%+v, %v", r, err)
		}
		stored, entries := w.saga("t1")
		acts := slices.DeleteFunc(entries, func(e saga.Entry) bool { return e.Kind != saga.EntryAct })
		if len(acts) != 1 || stored.Revision != r.Revision {
			t.Errorf("revision %d, acts %+v", stored.Revision, acts)
		}
	})
}

// tardyStore cuts the connection while the commit is under way: a first look does not
// see it yet.
type tardyStore struct {
	faultyStore
	before saga.Record
	looks  *atomic.Int64
}

func (s tardyStore) Saga(ctx context.Context, name, id string) (saga.Record, []saga.Entry, error) {
	if s.looks.Add(1) == 1 {
		return s.before, nil, nil
	}
	return s.faultyStore.Saga(ctx, name, id)
}

func TestActWhoseCommitComesLateTakesEffectOnce(t *testing.T) {
	for name, revision := range map[string]int64{"whatever it is at": 0, "of the revision seen": 1} {
		t.Run(name, func(t *testing.T) {
			w := onSQLite(t)
			seen := w.parked(w.manager(w.config(journey(1))), "t1")
			var cut atomic.Bool
			cut.Store(true)
			store := tardyStore{faultyStore{DB: w.db, after: func() error {
				if cut.Swap(false) {
					return errAway
				}
				return nil
			}}, seen, &atomic.Int64{}}
			m, err := saga.New[storage.Tx](store, w.config(journey(1)))
			if err != nil {
				t.Fatal(err)
			}
			r, err := m.Act(t.Context(), saga.Act{ID: "t1", Do: saga.RetryAct, Step: "flight", Reason: "again", Actor: "kim", Revision: revision * seen.Revision})
			if err != nil || r.Revision != seen.Revision+1 {
				t.Fatalf("%+v, %v", r, err)
			}
			if stored, _ := w.saga("t1"); stored.Revision != r.Revision {
				t.Errorf("revision %d after %d: it was done twice", stored.Revision, r.Revision)
			}
		})
	}
}

// TestAnswersOfCallers: an answer that no message brings is taken in the caller's
// transaction, once.
func TestAnswersOfCallers(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		w.start(m, "t1")
		flown := saga.Answer[trip]{ID: "t1", Step: "flight", Result: saga.Succeeded}
		for range 2 {
			w.update(func(tx storage.Tx) error {
				i, err := m.Answer(t.Context(), tx, flown)
				if step, _ := i.Step("hotel"); step.Phase != saga.StepRunning || i.Revision != 2 {
					t.Errorf("after the answer: %+v", i)
				}
				return err
			})
		}
		w.wantSent("t1", "flight-request", "hotel-request")
		for want, a := range map[error]saga.Answer[trip]{
			saga.ErrNotFound: {ID: "t2", Step: "flight", Result: saga.Succeeded},
			saga.ErrAnswer:   {ID: "t1", Step: "train", Result: saga.Succeeded},
		} {
			err := w.db.Update(t.Context(), func(tx storage.Tx) error {
				_, err := m.Answer(t.Context(), tx, a)
				return err
			})
			if !errors.Is(err, want) {
				t.Errorf("%+v: %v, want %v", a, err, want)
			}
		}
	})
}
