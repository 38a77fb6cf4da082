package storagetest

import (
	"math"
	"strconv"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

// cleanupCases are those of Pekko's EventSourcedCleanupSpec, and ours after them.
func cleanupCases[T JournalTx]() map[string]func(journalCase[T], *testing.T) {
	return map[string]func(journalCase[T], *testing.T){
		"forget all events": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 10)
			c.forget(t, "c|1", 10)
			c.hasEvents(t, "c|1")
			c.standsAt(t, "c|1", 0)
		},
		"forget in steps": func(c journalCase[T], t *testing.T) {
			c.fillAtOnce(t, "c|1", 4700)
			c.forget(t, "c|1", 4700)
			c.hasEvents(t, "c|1")
			c.standsAt(t, "c|1", 0)
		},
		"delete all events, keep the number": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 10)
			c.deleteTo(t, "c|1", math.MaxInt64, 10)
			c.hasEvents(t, "c|1")
			c.standsAt(t, "c|1", 10)
		},
		"delete in steps, keep the number": func(c journalCase[T], t *testing.T) {
			c.fillAtOnce(t, "c|1", 4700)
			c.deleteTo(t, "c|1", math.MaxInt64, 4700)
			c.hasEvents(t, "c|1")
			c.standsAt(t, "c|1", 4700)
		},
		"delete some": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 8)
			c.deleteTo(t, "c|1", 5, 5)
			c.hasEvents(t, "c|1", "6", "7", "8")
			c.standsAt(t, "c|1", 8)
		},
		"delete the snapshot": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 10)
			c.saveSnapshot(t, "c|1", 3, "1|2|3-snap")
			c.deleteTo(t, "c|1", math.MaxInt64, 10)
			c.hasSnapshot(t, "c|1", 0, 3, "1|2|3-snap")
			must(t, c.db.DeleteSnapshot(t.Context(), "c|1", 0))
			c.noSnapshot(t, "c|1", 0)
			c.hasEvents(t, "c|1")
		},
		"delete what is before the snapshot": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 10)
			c.saveSnapshot(t, "c|1", 3, "1|2|3-snap")
			c.deleteTo(t, "c|1", 3, 3)
			c.hasSnapshot(t, "c|1", 0, 3, "1|2|3-snap")
			c.hasEvents(t, "c|1", "4", "5", "6", "7", "8", "9", "10")
		},
		"forget everything of several": func(c journalCase[T], t *testing.T) {
			for _, id := range []string{"c|1", "c|2", "c|3"} {
				c.fill(t, id, 10)
				c.saveSnapshot(t, id, 3, "snap")
			}
			for _, id := range []string{"c|1", "c|2"} {
				c.forget(t, id, 10)
				must(t, c.db.DeleteSnapshot(t.Context(), id, 0))
				c.hasEvents(t, id)
				c.standsAt(t, id, 0)
				c.noSnapshot(t, id, 0)
			}
			c.standsAt(t, "c|3", 10)
			c.hasSnapshot(t, "c|3", 0, 3, "snap")
		},
		"delete before the snapshot of several": func(c journalCase[T], t *testing.T) {
			for _, id := range []string{"c|1", "c|2", "c|3"} {
				c.fill(t, id, 10)
				c.saveSnapshot(t, id, 3, "snap")
				c.deleteTo(t, id, 3, 3)
				must(t, c.db.DeleteSnapshot(t.Context(), id, 0))
			}
			for _, id := range []string{"c|1", "c|2", "c|3"} {
				c.hasEvents(t, id, "4", "5", "6", "7", "8", "9", "10")
			}
		},
		"go on after a marker": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 4)
			c.deleteTo(t, "c|1", 4, 4)
			r := c.group(t, write("c|1", 3, "again"))[0]
			isConflict(t, "a number that was deleted", r.Err, "c|1", 3)
			equal(t, "the next number", c.append(t, write("c|1", 4, "five"))[0].SeqNr, 5)
			c.hasEvents(t, "c|1", "five")
		},
		"a writer that was left behind what was deleted": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 2)
			second := c.append(t, write("c|1", 2, "3"))[0]
			c.append(t, write("c|1", 3, "4", "5"))
			c.deleteTo(t, "c|1", 4, 4)
			behind := write("c|1", 3, "stale")
			behind.AfterTime = second.Time
			isConflict(t, "behind", c.group(t, behind)[0].Err, "c|1", 3)
			isConflict(t, "at the beginning", c.group(t, write("c|1", 0, "stale"))[0].Err, "c|1", 0)
			rs := c.group(t, write("c|1", 0, "stale", "more"), withMessage(write("c|2", 0, "1", "2")))
			isConflict(t, "in a group", rs[0].Err, "c|1", 0)
			must(t, rs[1].Err)
			err := c.db.Update(t.Context(), func(tx T) error {
				_, err := tx.AppendEvents(t.Context(), []journal.Write{behind})
				return err
			})
			isConflict(t, "in a transaction", err, "c|1", 3)
			c.hasEvents(t, "c|1", "5")
			c.hasEvents(t, "c|2", "1", "2")
			c.hasMessages(t, "c|2")
		},
		"a writer of an entity that was forgotten": func(c journalCase[T], t *testing.T) {
			last := c.append(t, write("c|1", 0, "1", "2", "3"))[0]
			c.forget(t, "c|1", 3)
			behind := write("c|1", 3, "stale")
			behind.AfterTime = last.Time
			isConflict(t, "behind", c.group(t, behind)[0].Err, "c|1", 3)
			isConflict(t, "in a group", c.group(t, behind, write("c|2", 0, "1"))[0].Err, "c|1", 3)
			c.hasEvents(t, "c|1")
			c.hasEvents(t, "c|2", "1")
		},
		"delete again": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 6)
			c.deleteTo(t, "c|1", 2, 2)
			c.deleteTo(t, "c|1", 2, 0)
			c.deleteTo(t, "c|1", 1, 0)
			c.hasEvents(t, "c|1", "3", "4", "5", "6")
			c.deleteTo(t, "c|1", 4, 2)
			c.deleteTo(t, "c|1", 100, 2)
			c.standsAt(t, "c|1", 6)
			c.deleteTo(t, "c|1", 100, 0)
			c.standsAt(t, "c|1", 6)
			c.deleteTo(t, "c|1", 0, 0)
			c.deleteTo(t, "c|1", -1, 0)
			c.deleteTo(t, "none", 5, 0)
			c.standsAt(t, "none", 0)
			c.forget(t, "c|1", 0)
			c.standsAt(t, "c|1", 0)
		},
		"begin again after forgetting": func(c journalCase[T], t *testing.T) {
			c.fill(t, "c|1", 3)
			c.forget(t, "c|1", 3)
			c.fill(t, "c|1", 2)
			c.hasEvents(t, "c|1", "1", "2")
		},
		"others are left alone": func(c journalCase[T], t *testing.T) {
			for _, id := range []string{"c|1", "c|10", "c|%", "c|_"} {
				c.fill(t, id, 2)
			}
			c.deleteTo(t, "c|%", 1, 1)
			c.forget(t, "c|_", 2)
			for _, id := range []string{"c|1", "c|10"} {
				c.hasEvents(t, id, "1", "2")
			}
			c.hasEvents(t, "c|%", "2")
		},
	}
}

func (c journalCase[T]) fillAtOnce(t *testing.T, persistenceID string, n int) {
	t.Helper()
	w := write(persistenceID, 0)
	for i := range n {
		w.Events = append(w.Events, journal.NewEvent{Payload: text(strconv.Itoa(i + 1))})
	}
	c.append(t, w)
}
