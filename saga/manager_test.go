package saga_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

func TestAllStepsDone(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		cause := event.New("booking", "t1", nil)
		cause.CorrelationID = "business-1"
		w.update(func(tx storage.Tx) error {
			i, fresh, err := m.Start(t.Context(), tx, "t1", trip{Price: 7}, saga.CausedBy(cause))
			if !fresh || i.Status != saga.Running || i.CorrelationID != "business-1" {
				t.Errorf("started %v: %+v", fresh, i)
			}
			return err
		})
		for _, step := range tripSteps {
			w.mustDeliver(m, answer("t1", step, saga.Succeeded))
		}
		w.wantSent("t1", "flight-request", "hotel-request", "car-request")
		for i, row := range w.sent() {
			if key := row.Headers[saga.HeaderKey]; key != "trip/t1/"+tripSteps[i]+"/1" {
				t.Errorf("idempotency key %q", key)
			}
			if row.CorrelationID != "business-1" || row.CausationID == "" {
				t.Errorf("message %+v", row.Event)
			}
		}
		r := w.wantStatus("t1", saga.Completed)
		if r.Revision != 4 || !r.Due.IsZero() || r.Ended.IsZero() || !strings.Contains(string(r.State), `"flight","hotel","car"`) {
			t.Errorf("record %+v", r)
		}
		if s := m.Stats(); s.Started != 1 || s.Completed != 1 || s.Decisions != 4 || s.Stale != 0 {
			t.Errorf("stats %+v", s)
		}
		_, entries := w.saga("t1")
		kinds := map[saga.EntryKind]int{}
		for _, e := range entries {
			kinds[e.Kind]++
		}
		if kinds[saga.EntryStarted] != 1 || kinds[saga.EntryCommand] != 3 || kinds[saga.EntryAnswer] != 3 {
			t.Errorf("timeline %+v", entries)
		}
	})
}

func TestManyMessagesForOneSagaInOneTransaction(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		w.start(m, "t1", "t2")
		w.mustDeliver(m, answer("t2", "flight", saga.Succeeded), answer("t1", "flight", saga.Succeeded),
			answer("t1", "hotel", saga.Succeeded), answer("t2", "hotel", saga.Refused), answer("t1", "car", saga.Succeeded))
		if r := w.wantStatus("t1", saga.Completed); r.Revision != 2 {
			t.Errorf("revision %d", r.Revision)
		}
		w.wantStatus("t2", saga.Compensating)
		w.wantSent("t1", "flight-request", "hotel-request", "car-request")
		w.wantSent("t2", "flight-request", "hotel-request", "flight-undo")
		var topics []string
		for _, row := range w.sent()[2:] {
			topics = append(topics, row.Key+" "+row.Topic)
		}
		if got := strings.Join(topics, ", "); got != "t2 hotel-request, t1 hotel-request, t1 car-request, t2 flight-undo" {
			t.Errorf("messages are not in the order of their causes: %s", got)
		}
	})
}

func TestRefusalIsUndoneInReverse(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		w.start(m, "t1")
		w.mustDeliver(m, answer("t1", "flight", saga.Succeeded))
		w.mustDeliver(m, answer("t1", "hotel", saga.Succeeded))
		w.mustDeliver(m, answer("t1", "car", saga.Refused))
		w.wantSent("t1", "flight-request", "hotel-request", "car-request", "hotel-undo")
		w.mustDeliver(m, answer("t1", "hotel", saga.Undone))
		w.mustDeliver(m, answer("t1", "flight", saga.Undone))
		w.wantStatus("t1", saga.Compensated)
		w.wantSent("t1", "flight-request", "hotel-request", "car-request", "hotel-undo", "flight-undo")
	})
}

func TestRepeatedAndLateAnswersChangeNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		w.start(m, "t1")
		answers := []event.Event{answer("t1", "flight", saga.Succeeded), answer("t1", "hotel", saga.Succeeded), answer("t1", "car", saga.Succeeded)}
		w.mustDeliver(m, answers[0], answers[0])
		w.mustDeliver(m, answers[1:]...)
		before := w.wantStatus("t1", saga.Completed)
		sent := len(w.sent())
		w.clock.move(20 * 24 * time.Hour) // the inbox has forgotten them
		w.mustDeliver(m, answers...)
		w.mustDeliver(m, answers[2], answers[1])
		if after, _ := w.saga("t1"); after.Revision != before.Revision || string(after.Progress) != string(before.Progress) {
			t.Errorf("%+v became %+v", before, after)
		}
		if n := len(w.sent()); n != sent {
			t.Errorf("%d messages became %d", sent, n)
		}
		if s := m.Stats(); s.Stale != 6 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestStartOnceAmongMany(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		var started atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				err := w.db.Update(t.Context(), func(tx storage.Tx) error {
					i, fresh, err := m.Start(t.Context(), tx, "t1", trip{Price: 1})
					if err == nil && fresh {
						started.Add(1)
					}
					if err == nil && (i.ID != "t1" || i.Status != saga.Running || i.Revision != 1) {
						t.Errorf("started %v: %+v", fresh, i)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if started.Load() != 1 {
			t.Errorf("%d starts", started.Load())
		}
		w.wantSent("t1", "flight-request")
		if s := m.Stats(); s.Started != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestCancel(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		d := journey(1)
		d.Cancellable = func(_ saga.Context, s trip) error {
			if slices.Contains(s.Got, "car") {
				return errBoom
			}
			return nil
		}
		m := w.manager(w.config(d))
		w.start(m, "t1", "t2")
		w.mustDeliver(m, answer("t1", "flight", saga.Succeeded), answer("t2", "flight", saga.Succeeded),
			answer("t1", "hotel", saga.Succeeded), answer("t2", "hotel", saga.Succeeded), answer("t2", "car", saga.Succeeded))
		cancel := func(id string) error {
			return w.db.Update(t.Context(), func(tx storage.Tx) error {
				_, err := m.Cancel(t.Context(), tx, id, "the customer is ill")
				return err
			})
		}
		if err := cancel("t1"); err != nil {
			t.Fatal(err)
		}
		if r := w.wantStatus("t1", saga.Compensating); !strings.Contains(r.Reason, "ill") {
			t.Errorf("reason %q", r.Reason)
		}
		if err := cancel("t2"); !errors.Is(err, errBoom) && !errors.Is(err, saga.ErrRefused) {
			t.Errorf("cancel of an ended one: %v", err)
		}
		if err := cancel("t3"); !errors.Is(err, saga.ErrNotFound) {
			t.Errorf("cancel of none: %v", err)
		}
	})
}

func TestAnswerForAnUnknownSagaIsForAPerson(t *testing.T) {
	w := onSQLite(t)
	m := w.manager(w.config(journey(1)))
	err := w.deliver(m, answer("t9", "flight", saga.Succeeded))
	if !errors.Is(err, saga.ErrNotFound) || !strings.Contains(err.Error(), "t9") {
		t.Errorf("got %v", err)
	}
	noID := answer("", "flight", saga.Succeeded)
	noID.CorrelationID = ""
	for name, e := range map[string]event.Event{"no id": noID, "unreadable": {ID: "1", Type: "answers", Key: "t1", Payload: []byte("{")}, "panic": answer("t1", "panic", saga.Succeeded)} {
		if err := w.deliver(m, e); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	w.mustDeliver(m, answer("t9", "flight", saga.Ignored))
}

func TestRolledBackTransactionLeavesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(journey(1)))
		w.start(m, "t1")
		err := w.db.Update(t.Context(), func(tx storage.Tx) error {
			e := answer("t1", "flight", saga.Succeeded)
			if err := m.Handlers()["answers"](t.Context(), tx, []inbox.Message{{Event: e, Topic: "answers"}}); err != nil {
				t.Error(err)
			}
			if _, _, err := m.Start(t.Context(), tx, "t2", trip{}); err != nil {
				t.Error(err)
			}
			return errBoom // the process dies before the commit
		})
		if !errors.Is(err, errBoom) {
			t.Fatal(err)
		}
		if r := w.wantStatus("t1", saga.Running); r.Revision != 1 {
			t.Errorf("revision %d", r.Revision)
		}
		if _, _, err := w.db.Saga(t.Context(), "trip", "t2"); !errors.Is(err, saga.ErrNotFound) {
			t.Errorf("t2: %v", err)
		}
		w.wantSent("t1", "flight-request")
		w.mustDeliver(m, answer("t1", "flight", saga.Succeeded))
		w.wantSent("t1", "flight-request", "hotel-request")
	})
}

func TestVersionsFinishWhereTheyBegan(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		shorter := journey(2)
		shorter.Steps = shorter.Steps[:2]
		old, both, fresh := w.manager(w.config(journey(1))), w.manager(w.config(journey(1), shorter)), w.manager(w.config(shorter))
		w.start(old, "t1")
		w.start(both, "t2")
		w.mustDeliver(both, answer("t1", "flight", saga.Succeeded), answer("t2", "flight", saga.Succeeded))
		err := w.deliver(fresh, answer("t1", "hotel", saga.Succeeded))
		if !errors.Is(err, saga.ErrVersion) {
			t.Errorf("a version that is not here: %v", err)
		}
		if err := w.deliver(old, answer("t2", "hotel", saga.Succeeded)); !errors.Is(err, saga.ErrVersion) {
			t.Errorf("a version that is not here: %v", err)
		}
		w.mustDeliver(both, answer("t1", "hotel", saga.Succeeded), answer("t2", "hotel", saga.Succeeded))
		w.wantStatus("t2", saga.Completed)
		w.wantStatus("t1", saga.Running)
		w.mustDeliver(both, answer("t1", "car", saga.Succeeded))
		w.wantStatus("t1", saga.Completed)
	})
}

func TestChangedIsToldOnceInOrder(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		var calls [][]saga.Change[trip]
		c := w.config(journey(1))
		c.Changed = func(_ context.Context, _ storage.Tx, changes []saga.Change[trip]) ([]outbox.Message, error) {
			calls = append(calls, changes)
			var messages []outbox.Message
			for _, one := range changes {
				if one.After.Status.Ended() {
					messages = append(messages, outbox.Message{Topic: "ended", Event: event.New("ended", one.After.ID, nil)})
				}
			}
			return messages, nil
		}
		m := w.manager(c)
		w.start(m, "t1", "t2")
		first := answer("t2", "flight", saga.Succeeded)
		w.mustDeliver(m, first, answer("t1", "flight", saga.Refused), first)
		if len(calls) != 2 || len(calls[0]) != 2 || len(calls[1]) != 2 {
			t.Fatalf("calls %+v", calls)
		}
		if one := calls[0][0]; one.BeforeStatus != "" || one.After.Status != saga.Running || one.After.State.Price != 100 {
			t.Errorf("start: %+v", one)
		}
		if one := calls[1][0]; one.After.ID != "t2" || one.Cause.ID != first.ID || len(one.Before.Got) != 0 || len(one.After.State.Got) != 1 || len(one.Entries) == 0 {
			t.Errorf("first change: %+v", one)
		}
		w.wantStatus("t1", saga.Compensated)
		w.wantSent("t1", "flight-request", "ended")
	})
}

func TestDefinitionsThatDoNotFit(t *testing.T) {
	w := onSQLite(t)
	other := journey(2)
	other.Name = "other"
	for name, c := range map[string]config{
		"none":         w.config(),
		"two names":    w.config(journey(1), other),
		"two versions": w.config(journey(1), journey(0)),
		"no steps":     w.config(saga.Definition[trip]{Name: "x"}),
		"batch":        {Definitions: []saga.Definition[trip]{journey(1)}, TimerBatch: -1},
		"poll":         {Definitions: []saga.Definition[trip]{journey(1)}, PollInterval: -1},
	} {
		if _, err := saga.New[storage.Tx](w.db, c); !errors.Is(err, saga.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStateHasABound(t *testing.T) {
	w := onSQLite(t)
	c := w.config(journey(1))
	c.MaxStateBytes = 300
	m := w.manager(c)
	err := w.db.Update(t.Context(), func(tx storage.Tx) error {
		_, _, err := m.Start(t.Context(), tx, "t1", trip{Got: []string{strings.Repeat("x", 300)}})
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "MaxStateBytes") {
		t.Errorf("got %v", err)
	}
}

func TestOldSagasAreDeleted(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		c := w.config(journey(1))
		c.Retention = time.Hour
		m := w.manager(c)
		w.start(m, "t1", "t2", "t3")
		for _, step := range tripSteps {
			w.mustDeliver(m, answer("t1", step, saga.Succeeded))
		}
		w.clock.move(59 * time.Minute)
		for _, step := range tripSteps {
			w.mustDeliver(m, answer("t2", step, saga.Succeeded))
		}
		w.clock.move(2 * time.Minute)
		w.run(m)
		w.await("t1 to be deleted", func() bool {
			_, _, err := w.db.Saga(context.Background(), "trip", "t1")
			return errors.Is(err, saga.ErrNotFound)
		})
		w.wantStatus("t2", saga.Completed)
		w.saga("t3")
		if s := m.Stats(); s.Trimmed != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}
