package storagetest

import (
	"testing"
)

// gapCases are those of Pekko's EventsByPersistenceIdGapSpec: what was deleted,
// with a marker or without one, does not keep later events from being read.
func gapCases[T JournalTx]() map[string]func(journalCase[T], *testing.T) {
	return map[string]func(journalCase[T], *testing.T){
		"wider than a page": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 4)
			c.lose(t, "g|1", 2, 3)
			c.hasSeqNrs(t, "g|1", 4, 1, 4)
		},
		"several": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 8)
			c.lose(t, "g|1", 2, 3, 6, 7)
			c.hasSeqNrs(t, "g|1", 8, 1, 4, 5, 8)
		},
		"a marker and a missing row": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 5)
			c.deleteTo(t, "g|1", 3, 3)
			c.lose(t, "g|1", 4)
			c.hasSeqNrs(t, "g|1", 5, 5)
		},
		"everything up to the marker": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 3)
			c.deleteTo(t, "g|1", 3, 3)
			c.hasSeqNrs(t, "g|1", 3)
		},
		"the first events": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 4)
			c.deleteTo(t, "g|1", 3, 3)
			c.hasSeqNrs(t, "g|1", 4, 4)
		},
		"the first events, wider than a page": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 6)
			c.deleteTo(t, "g|1", 4, 4)
			c.hasSeqNrs(t, "g|1", 6, 5, 6)
		},
		"wider than a page, without an end": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 4)
			c.lose(t, "g|1", 2, 3)
			c.hasSeqNrs(t, "g|1", 0, 1, 4)
		},
		"the first events, without an end": func(c journalCase[T], t *testing.T) {
			c.fill(t, "g|1", 4)
			c.deleteTo(t, "g|1", 3, 3)
			c.hasSeqNrs(t, "g|1", 0, 4)
		},
	}
}

// lose deletes rows behind the store's back.
func (c journalCase[T]) lose(t *testing.T, persistenceID string, seqNrs ...int64) {
	t.Helper()
	must(t, c.db.Update(t.Context(), func(tx T) error {
		for _, seqNr := range seqNrs {
			n, err := tx.Exec(t.Context(), "DELETE FROM event_journal WHERE persistence_id = $1 AND seq_nr = $2", persistenceID, seqNr)
			if err != nil {
				return err
			}
			equal(t, "rows deleted", n, 1)
		}
		return nil
	}))
}

func (c journalCase[T]) deleteTo(t *testing.T, persistenceID string, to, gone int64) {
	t.Helper()
	n, err := c.db.DeleteEvents(t.Context(), persistenceID, to, false)
	must(t, err)
	equal(t, "deleted events", n, gone)
}

func (c journalCase[T]) forget(t *testing.T, persistenceID string, gone int64) {
	t.Helper()
	n, err := c.db.DeleteEvents(t.Context(), persistenceID, 0, true)
	must(t, err)
	equal(t, "forgotten events", n, gone)
}
