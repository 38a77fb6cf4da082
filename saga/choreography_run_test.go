package saga_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// watched is a choreography: reserved (its first event says so), then paid.
func watched() saga.Definition[trip] {
	release := func(c saga.Context, s *trip) []outbox.Message { return command(c, "release") }
	return saga.Choreography[trip]{
		Name: "trip", Deadline: time.Minute,
		Participants: []saga.Participant[trip]{{Name: "room", Compensation: release, CompensationNotify: true}, {Name: "payment"}},
		Replies:      []saga.Reply[trip]{{Topic: "answers", Read: readObserved}},
	}.Definition()
}

func readObserved(e event.Event) (saga.Answer[trip], error) {
	s, err := event.Decode[said](e)
	if err != nil {
		return saga.Answer[trip]{}, err
	}
	if s.Step == "begin" {
		return saga.Answer[trip]{Begins: true, Apply: func(t *trip) { t.Price = 42 }}, nil
	}
	return saga.Answer[trip]{Step: s.Step, Result: s.Result}, nil
}

func observed(correlation, step string, result saga.Result) event.Event {
	e := answer("key-of-"+step, step, result)
	e.CorrelationID = correlation
	return e
}

func TestChoreographyBeginsWithWhatIsSeenFirst(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		m := w.manager(w.config(watched()))
		w.mustDeliver(m, observed("c1", "begin", ""), observed("c2", "payment", saga.Succeeded), observed("c1", "room", saga.Succeeded))
		if r := w.wantStatus("c1", saga.Running); r.Revision != 1 || string(r.State) != `{"price":42}` {
			t.Errorf("revision %d, state %s", r.Revision, r.State)
		}
		w.mustDeliver(m, observed("c1", "payment", saga.Succeeded))
		w.mustDeliver(m, observed("c2", "begin", ""))
		w.mustDeliver(m, observed("c2", "room", saga.Succeeded), observed("c3", "room", saga.Succeeded))
		w.wantStatus("c1", saga.Completed)
		w.wantStatus("c2", saga.Completed)
		w.wantStatus("c3", saga.Running)
		w.mustDeliver(m, observed("c4", "room", saga.Ignored)) // begins nothing
		if _, _, err := w.db.Saga(t.Context(), "trip", "c4"); !errors.Is(err, saga.ErrNotFound) {
			t.Errorf("c4: %v", err)
		}
		w.clock.move(time.Minute) // c3's payment is missing
		w.run(m)
		w.awaitStatus("c3", saga.Compensated)
		w.wantSent("c3", "release")
		if s := m.Stats(); s.Started != 3 || s.Completed != 2 || s.Compensated != 1 {
			t.Errorf("stats %+v", s)
		}
	})
}

func TestTwoProcessesSeeAFirstEvent(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		a, b := w.manager(w.config(watched())), w.manager(w.config(watched()))
		const n = 20
		name := func(i int) string { return "c" + plain(i) }
		var wg sync.WaitGroup
		for k, m := range []*manager{a, b} {
			wg.Go(func() {
				for i := range n {
					id := name(i)
					events := []event.Event{observed(id, "begin", ""), observed(id, "room", saga.Succeeded)}
					if k == 1 {
						events = []event.Event{observed(id, "payment", saga.Succeeded)}
					}
					for err := w.deliver(m, events...); err != nil; err = w.deliver(m, events...) {
						if !w.db.Transient(err) {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		for i := range n {
			if r := w.wantStatus(name(i), saga.Completed); string(r.State) != `{"price":42}` {
				t.Errorf("state %s", r.State)
			}
		}
	})
}

func TestChoreographyMayBeStarted(t *testing.T) {
	w := onSQLite(t)
	m := w.manager(w.config(watched()))
	w.update(func(tx storage.Tx) error {
		_, fresh, err := m.Start(t.Context(), tx, "c1", trip{Price: 7}, saga.InCorrelation("business-1"))
		if !fresh {
			t.Error("it was there")
		}
		return err
	})
	w.mustDeliver(m, observed("c1", "room", saga.Succeeded), observed("c1", "begin", ""), observed("c1", "payment", saga.Succeeded))
	if r := w.wantStatus("c1", saga.Completed); r.CorrelationID != "business-1" || string(r.State) != `{"price":7}` {
		t.Errorf("%+v", r)
	}
}

// blindTx does not see, at its first look, what another transaction has inserted.
type blindTx struct {
	storage.Tx
	looks *int
}

func (tx blindTx) LoadSagas(ctx context.Context, name string, ids []string) ([]saga.Record, error) {
	if *tx.looks++; *tx.looks == 1 {
		return nil, nil
	}
	return tx.Tx.LoadSagas(ctx, name, ids)
}

type blindStore struct{ storage.DB }

func (s blindStore) Update(ctx context.Context, fn func(blindTx) error) error {
	return s.DB.Update(ctx, func(tx storage.Tx) error { return fn(blindTx{tx, new(int)}) })
}

func TestSagaThatAnotherTransactionBeganMeanwhile(t *testing.T) {
	everywhere(t, func(t *testing.T, w *world) {
		first := w.manager(w.config(watched()))
		w.mustDeliver(first, observed("c1", "begin", ""), observed("c2", "payment", saga.Succeeded), observed("c2", "begin", ""))
		store := blindStore{w.db}
		m, err := saga.New[blindTx](store, saga.Config[blindTx, trip]{Definitions: []saga.Definition[trip]{watched()}, Logger: testLogger()})
		if err != nil {
			t.Fatal(err)
		}
		var ms []inbox.Message
		for _, e := range []event.Event{observed("c2", "room", saga.Succeeded), observed("c0", "room", saga.Succeeded), observed("c1", "room", saga.Succeeded), observed("c1", "payment", saga.Succeeded)} {
			ms = append(ms, inbox.Message{Event: e, Topic: "answers"})
		}
		if err := store.Update(t.Context(), func(tx blindTx) error { return m.Handlers()["answers"](t.Context(), tx, ms) }); err != nil {
			t.Fatal(err)
		}
		w.wantStatus("c0", saga.Running)
		if r := w.wantStatus("c1", saga.Completed); r.Revision != 2 {
			t.Errorf("revision %d", r.Revision)
		}
		w.wantStatus("c2", saga.Completed)
		if s := m.Stats(); s.Started != 1 || s.Completed != 2 {
			t.Errorf("stats %+v", s)
		}
	})
}
