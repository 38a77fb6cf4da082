package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

// stateCases are those of Pekko's DurableStateStoreSpec, and ours after them. A
// state that is deleted for good takes the stored revision, as every other write.
func stateCases[T JournalTx]() map[string]func(journalCase[T], *testing.T) {
	const collaborative, open = "Genuinely Collaborative", "Open to Feedback"
	return map[string]func(journalCase[T], *testing.T){
		"save and retrieve": func(c journalCase[T], t *testing.T) {
			c.writeState(t, tagged(stateOf("d|1", 1, collaborative), "n/a"))
			c.hasState(t, "d|1", 1, collaborative)
		},
		"save and retrieve with an empty tag": func(c journalCase[T], t *testing.T) {
			c.writeState(t, tagged(stateOf("d|1", 1, collaborative), ""))
			c.hasState(t, "d|1", 1, collaborative)
		},
		"none": func(c journalCase[T], t *testing.T) {
			c.hasNoState(t, "d|none")
			c.hasNoState(t, "nul\x00")
		},
		"update": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative, open)
			c.hasState(t, "d|1", 2, open)
		},
		"concurrent inserts": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative)
			c.stateConflicts(t, stateOf("d|1", 1, open))
			c.hasState(t, "d|1", 1, collaborative)
		},
		"concurrent updates": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative, open)
			c.stateConflicts(t, stateOf("d|1", 2, "Genuine and Sincere in all Communications"))
			c.hasState(t, "d|1", 2, open)
		},
		"delete": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative)
			c.writeState(t, deleted("d|1", 2))
			c.hasDeletedState(t, "d|1", 2)
		},
		"delete for good": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative)
			c.writeState(t, gone("d|1", 2))
			c.hasNoState(t, "d|1")
			c.states(t, "d|1", "again")
			c.hasState(t, "d|1", 1, "again")
		},
		"delete the payload, keep the revision": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", "value1")
			c.writeState(t, deleted("d|1", 2))
			c.hasDeletedState(t, "d|1", 2)
			c.writeState(t, stateOf("d|1", 3, "value2"))
			c.hasState(t, "d|1", 3, "value2")
		},
		"deleting takes a revision": func(c journalCase[T], t *testing.T) {
			c.writeState(t, deleted("d|1", 1))
			c.hasDeletedState(t, "d|1", 1)
			c.writeState(t, deleted("d|1", 2))
			c.hasDeletedState(t, "d|1", 2)
			c.writeState(t, stateOf("d|1", 3, "value1"))
			c.hasState(t, "d|1", 3, "value1")
			c.writeState(t, deleted("d|1", 4))
			c.hasDeletedState(t, "d|1", 4)
			c.writeState(t, deleted("d|1", 5))
			c.hasDeletedState(t, "d|1", 5)
		},
		"after a delete, the right revision": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", "initial value")
			c.writeState(t, deleted("d|1", 2))
			c.writeState(t, stateOf("d|1", 3, "new value after delete"))
			c.hasState(t, "d|1", 3, "new value after delete")
		},
		"after a delete, its own revision": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", "initial value")
			c.writeState(t, deleted("d|1", 2))
			c.stateConflicts(t, stateOf("d|1", 2, "wrong value"))
			c.hasDeletedState(t, "d|1", 2)
		},
		"after a delete, a revision too far": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", "initial value")
			c.writeState(t, deleted("d|1", 2))
			c.stateConflicts(t, stateOf("d|1", 4, "wrong value"))
			c.hasDeletedState(t, "d|1", 2)
		},
		"concurrent deletes of revision 1": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative)
			c.stateConflicts(t, deleted("d|1", 1))
			c.hasState(t, "d|1", 1, collaborative)
		},
		"concurrent deletes": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", collaborative, open)
			c.stateConflicts(t, deleted("d|1", 2))
			c.stateConflicts(t, gone("d|1", 2))
			c.hasState(t, "d|1", 2, open)
		},

		"an insert beside a later revision": func(c journalCase[T], t *testing.T) {
			c.states(t, "d|1", "one", "two", "three")
			c.stateConflicts(t, stateOf("d|1", 1, "one again"))
			c.hasState(t, "d|1", 3, "three")
		},
		"an update of nothing": func(c journalCase[T], t *testing.T) {
			c.stateConflicts(t, stateOf("d|1", 2, "two"))
			c.stateConflicts(t, gone("d|1", 2))
			c.hasNoState(t, "d|1")
		},
		"as it was":                       journalCase[T].stateRoundTrip,
		"a group":                         journalCase[T].stateGroup,
		"one of many writers wins":        journalCase[T].stateRace,
		"one of many first writers wins":  journalCase[T].firstStateRace,
		"an invalid write fails alone":    journalCase[T].invalidStates,
		"writes in a transaction":         journalCase[T].statesInTransaction,
		"an empty state is not a deleted": journalCase[T].emptyState,
	}
}

func stateOf(persistenceID string, revision int64, value string) journal.StateWrite {
	return journal.StateWrite{PersistenceID: persistenceID, Revision: revision, Payload: text(value)}
}

func tagged(w journal.StateWrite, tags ...string) journal.StateWrite {
	w.Tags = tags
	return w
}

func deleted(persistenceID string, revision int64) journal.StateWrite {
	return journal.StateWrite{PersistenceID: persistenceID, Revision: revision, Delete: true}
}

func gone(persistenceID string, revision int64) journal.StateWrite {
	return journal.StateWrite{PersistenceID: persistenceID, Revision: revision, Delete: true, Hard: true}
}

func (c journalCase[T]) stateGroupOf(t *testing.T, writes ...journal.StateWrite) []journal.Result {
	t.Helper()
	results, err := c.db.WriteStateGroup(t.Context(), writes)
	must(t, err)
	equal(t, "results", len(results), len(writes))
	return results
}

func (c journalCase[T]) writeState(t *testing.T, w journal.StateWrite) {
	t.Helper()
	r := c.stateGroupOf(t, w)[0]
	must(t, r.Err)
	equal(t, "revision", r.SeqNr, w.Revision)
	isRecent(t, "time", r.Time)
}

// states writes revisions 1, 2, … of those values.
func (c journalCase[T]) states(t *testing.T, persistenceID string, values ...string) {
	t.Helper()
	for i, value := range values {
		c.writeState(t, stateOf(persistenceID, int64(i+1), value))
	}
}

func (c journalCase[T]) stateConflicts(t *testing.T, w journal.StateWrite) {
	t.Helper()
	w.Messages = append(w.Messages, messageOf(w.PersistenceID))
	isConflict(t, fmt.Sprintf("revision %d", w.Revision), c.stateGroupOf(t, w)[0].Err, w.PersistenceID, w.Revision-1)
	c.hasMessages(t)
}

func (c journalCase[T]) loadState(t *testing.T, persistenceID string) journal.Event {
	t.Helper()
	e, ok, err := c.db.LoadState(t.Context(), persistenceID)
	must(t, err)
	equal(t, "there is a state of "+persistenceID, ok, true)
	return e
}

func (c journalCase[T]) hasState(t *testing.T, persistenceID string, revision int64, value string) {
	t.Helper()
	e := c.loadState(t, persistenceID)
	equal(t, "revision", e.SeqNr, revision)
	equal(t, "value", string(e.Payload.Data), value)
	equal(t, "deleted", e.Deleted, false)
}

func (c journalCase[T]) hasDeletedState(t *testing.T, persistenceID string, revision int64) {
	t.Helper()
	e := c.loadState(t, persistenceID)
	equal(t, "revision", e.SeqNr, revision)
	equal(t, "deleted", e.Deleted, true)
	equal(t, "bytes of a deleted state", len(e.Payload.Data), 0)
}

func (c journalCase[T]) hasNoState(t *testing.T, persistenceID string) {
	t.Helper()
	_, ok, err := c.db.LoadState(t.Context(), persistenceID)
	must(t, err)
	equal(t, "there is a state of "+persistenceID, ok, false)
}

func (c journalCase[T]) stateRoundTrip(t *testing.T) {
	want := journal.Event{PersistenceID: "d|1", SeqNr: 1, Tags: []string{`a"b`, "파랑"},
		Payload: journal.Payload{Serializer: 31, Manifest: "com.example.상태", Data: []byte("{}\x00\xff")}}
	w := journal.StateWrite{PersistenceID: "d|1", Revision: 1, Payload: want.Payload, Tags: want.Tags}
	want.Time = c.stateGroupOf(t, w)[0].Time
	if got := c.loadState(t, "d|1"); !reflect.DeepEqual(got, want) {
		t.Fatalf("\n got %+v\nwant %+v", got, want)
	}
	c.writeState(t, stateOf("d|1", 2, "without tags"))
	equal(t, "tags", len(c.loadState(t, "d|1").Tags), 0)
}

func (c journalCase[T]) stateGroup(t *testing.T) {
	c.states(t, "d|update", "one")
	c.states(t, "d|behind", "one", "two")
	c.states(t, "d|taken", "one")
	c.states(t, "d|delete", "one")
	c.states(t, "d|gone", "one")
	writes := []journal.StateWrite{
		stateOf("d|update", 2, "two"), stateOf("d|taken", 1, "x"), stateOf("d|insert", 1, "one"), stateOf("d|behind", 2, "x"),
		deleted("d|delete", 2), gone("d|gone", 2), stateOf("d|ahead", 5, "x"),
	}
	for i := range writes {
		writes[i].Messages = append(writes[i].Messages, messageOf(writes[i].PersistenceID))
	}
	for i, r := range c.stateGroupOf(t, writes...) {
		if i == 1 || i == 3 || i == 6 {
			isConflict(t, writes[i].PersistenceID, r.Err, writes[i].PersistenceID, writes[i].Revision-1)
			continue
		}
		must(t, r.Err)
		equal(t, "revision", r.SeqNr, writes[i].Revision)
	}
	c.hasState(t, "d|update", 2, "two")
	c.hasState(t, "d|taken", 1, "one")
	c.hasState(t, "d|insert", 1, "one")
	c.hasState(t, "d|behind", 2, "two")
	c.hasDeletedState(t, "d|delete", 2)
	c.hasNoState(t, "d|gone")
	c.hasNoState(t, "d|ahead")
	c.hasMessages(t, "d|update", "d|insert", "d|delete", "d|gone")
	equal(t, "results of an empty group", len(c.stateGroupOf(t)), 0)
}

// stateRace: writers that follow one another at once make every revision once.
func (c journalCase[T]) stateRace(t *testing.T) {
	const writers, each = 4, 50
	c.states(t, "d|1", "start")
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for won := 0; won < each; {
				e, _, err := c.db.LoadState(t.Context(), "d|1")
				var r []journal.Result
				if err == nil {
					r, err = c.db.WriteStateGroup(t.Context(), []journal.StateWrite{stateOf("d|1", e.SeqNr+1, fmt.Sprint(w))})
				}
				if err == nil && r[0].Err == nil {
					won++
					continue
				}
				if err != nil || !errors.Is(r[0].Err, journal.ErrConflict) {
					t.Error(err, r)
					return
				}
			}
		})
	}
	all.Wait()
	equal(t, "the last revision", c.loadState(t, "d|1").SeqNr, writers*each+1)
}

// firstStateRace: an insert must not be added to one that was updated meanwhile.
func (c journalCase[T]) firstStateRace(t *testing.T) {
	const rounds = 300
	for round := range rounds {
		id := fmt.Sprintf("d|%d", round)
		var all sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 3 {
			all.Go(func() {
				r, err := c.db.WriteStateGroup(t.Context(), []journal.StateWrite{stateOf(id, 1, "one")})
				if err == nil && r[0].Err == nil {
					mu.Lock()
					won++
					mu.Unlock()
					r, err = c.db.WriteStateGroup(t.Context(), []journal.StateWrite{stateOf(id, 2, "two")})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		equal(t, "first writers", won, 1)
		c.hasState(t, id, 2, "two")
	}
	must(t, c.db.Update(t.Context(), func(tx T) error {
		var rows int
		err := tx.QueryRow(t.Context(), "SELECT count(*) FROM durable_state").Scan(&rows)
		equal(t, "rows", rows, rounds)
		return err
	}))
}

func (c journalCase[T]) invalidStates(t *testing.T) {
	message := stateOf("d|message", 1, "x")
	message.Messages = append(message.Messages, messageOf("d|message"))
	message.Messages[0].Topic = ""
	for what, w := range map[string]journal.StateWrite{
		"without an id": stateOf("", 1, "x"), "with a zero byte in the id": stateOf("d|\x00", 1, "x"),
		"with revision 0": stateOf("d|0", 0, "x"), "with revision -1": stateOf("d|-1", -1, "x"), "with an invalid message": message,
	} {
		r := c.stateGroupOf(t, stateOf("e|"+what, 1, "beside"), w)
		must(t, r[0].Err)
		if r[1].Err == nil || c.db.Transient(r[1].Err) || errors.Is(r[1].Err, journal.ErrConflict) {
			t.Fatalf("a state %s: %v", what, r[1].Err)
		}
		c.hasState(t, "e|"+what, 1, "beside")
		c.hasNoState(t, w.PersistenceID)
	}
	c.hasMessages(t)
}

func (c journalCase[T]) statesInTransaction(t *testing.T) {
	ctx := t.Context()
	var written []journal.Appended
	first := stateOf("d|1", 1, "one")
	first.Messages = append(first.Messages, messageOf("d|1"))
	must(t, c.db.Update(ctx, func(tx T) (err error) {
		if written, err = tx.WriteStates(ctx, []journal.StateWrite{first, stateOf("d|2", 1, "one")}); err != nil {
			return err
		}
		more, err := tx.WriteStates(ctx, []journal.StateWrite{stateOf("d|1", 2, "two"), deleted("d|2", 2)})
		written = append(written, more...)
		return err
	}))
	for i, want := range []int64{1, 1, 2, 2} {
		equal(t, "revision", written[i].SeqNr, want)
	}
	c.hasState(t, "d|1", 2, "two")
	c.hasDeletedState(t, "d|2", 2)
	equal(t, "time", c.loadState(t, "d|1").Time, written[2].Time)
	c.hasMessages(t, "d|1")
}

func (c journalCase[T]) emptyState(t *testing.T) {
	c.writeState(t, journal.StateWrite{PersistenceID: "d|1", Revision: 1, Payload: journal.Payload{Serializer: 4}})
	c.hasState(t, "d|1", 1, "")
}
