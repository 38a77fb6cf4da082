package storagetest

import (
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func (c journalCase[T]) inTransaction(t *testing.T) {
	ctx := t.Context()
	c.fill(t, "a|1", 2)
	var appended []journal.Appended
	must(t, c.db.Update(ctx, func(tx T) error {
		if _, err := tx.Exec(ctx, "CREATE TABLE own (id integer)"); err != nil {
			return err
		}
		var err error
		appended, err = tx.AppendEvents(ctx, []journal.Write{withMessage(write("b|1", 0, "x")), withMessage(write("a|1", 2, "three", "four"))})
		if err != nil {
			return err
		}
		more, err := tx.AppendEvents(ctx, []journal.Write{{PersistenceID: "b|1", After: 1, AfterTime: appended[0].Time,
			Events: []journal.NewEvent{{Payload: text("y")}}}})
		appended = append(appended, more...)
		if err != nil {
			return err
		}
		none, err := tx.AppendEvents(ctx, nil)
		equal(t, "appended of nothing", len(none), 0)
		return err
	}))
	c.hasEvents(t, "a|1", "1", "2", "three", "four")
	c.hasEvents(t, "b|1", "x", "y")
	c.hasMessages(t, "a|1", "b|1")
	for i, id := range []string{"b|1", "a|1", "b|1"} {
		events := c.load(t, id, appended[i].SeqNr, appended[i].SeqNr)
		equal(t, "time", appended[i].Time, events[0].Time)
	}
	inOrder(t, c.load(t, "b|1", 1, 0))
}

func (c journalCase[T]) rolledBack(t *testing.T) {
	ctx := t.Context()
	rollback := errors.New("rolled back on purpose")
	err := c.db.Update(ctx, func(tx T) error {
		if _, err := tx.AppendEvents(ctx, []journal.Write{withMessage(write("a|1", 0, "x"))}); err != nil {
			return err
		}
		if _, err := tx.WriteStates(ctx, []journal.StateWrite{stateOf("a|1", 1, "x")}); err != nil {
			return err
		}
		return rollback
	})
	if !errors.Is(err, rollback) {
		t.Fatal(err)
	}
	c.hasEvents(t, "a|1")
	c.standsAt(t, "a|1", 0)
	c.hasNoState(t, "a|1")
	c.hasMessages(t)
	c.fill(t, "a|1", 1)
}

func (c journalCase[T]) conflictInTransaction(t *testing.T) {
	ctx := t.Context()
	c.fill(t, "a|1", 3)
	c.writeState(t, stateOf("a|1", 1, "one"))
	for _, after := range []int64{0, 1, 2, 4} {
		err := c.db.Update(ctx, func(tx T) error {
			_, err := tx.AppendEvents(ctx, []journal.Write{withMessage(write("b|1", 0, "x")), withMessage(write("a|1", after, "x", "y"))})
			return err
		})
		isConflict(t, "appending", err, "a|1", after)
		if c.db.Transient(err) {
			t.Fatal("a conflict is called transient")
		}
	}
	for _, revision := range []int64{1, 3} {
		err := c.db.Update(ctx, func(tx T) error {
			_, err := tx.WriteStates(ctx, []journal.StateWrite{stateOf("b|1", 1, "x"), stateOf("a|1", revision, "x")})
			return err
		})
		isConflict(t, "writing a state", err, "a|1", revision-1)
	}
	err := c.db.Update(ctx, func(tx T) error {
		_, err := tx.AppendEvents(ctx, []journal.Write{write("", 0, "x")})
		return err
	})
	if !errors.Is(err, journal.ErrPersistenceID) {
		t.Fatalf("%v, want ErrPersistenceID", err)
	}
	c.hasEvents(t, "a|1", "1", "2", "3")
	c.hasEvents(t, "b|1")
	c.hasState(t, "a|1", 1, "one")
	c.hasNoState(t, "b|1")
	c.hasMessages(t)
}

// readsOwnWrites is for transactions that are a journal.Loader.
func (c journalCase[T]) readsOwnWrites(t *testing.T) {
	ctx := t.Context()
	must(t, c.db.Update(ctx, func(tx T) error {
		loader, ok := any(tx).(journal.Loader)
		if !ok {
			t.Skip("its transactions load nothing")
		}
		w := write("a|1", 0, "one", "two")
		w.Events[0].Tags = []string{"tag"}
		if _, err := tx.AppendEvents(ctx, []journal.Write{w}); err != nil {
			return err
		}
		if _, err := tx.WriteStates(ctx, []journal.StateWrite{stateOf("a|1", 1, "state")}); err != nil {
			return err
		}
		if err := tx.SaveSnapshot(ctx, journal.Snapshot{PersistenceID: "a|1", SeqNr: 2, Payload: text("snap")}); err != nil {
			return err
		}
		var texts []string
		must(t, loader.Events(ctx, "a|1", 1, 0, func(e journal.Event) error {
			texts = append(texts, string(e.Payload.Data))
			if e.SeqNr == 1 {
				equalSlices(t, "tags", e.Tags, []string{"tag"})
			}
			return nil
		}))
		equalSlices(t, "events", texts, []string{"one", "two"})
		highest, err := loader.HighestSeqNrs(ctx, []string{"a|1"})
		must(t, err)
		equalSlices(t, "sequence numbers", highest, []int64{2})
		s, ok, err := loader.LoadSnapshot(ctx, "a|1", 0)
		must(t, err)
		equal(t, "snapshot", string(s.Payload.Data), "snap")
		e, ok, err := loader.LoadState(ctx, "a|1")
		must(t, err)
		equal(t, "state", string(e.Payload.Data), "state")
		_, ok, err = loader.LoadState(ctx, "a|2")
		must(t, err)
		equal(t, "another's state", ok, false)
		return nil
	}))
}
