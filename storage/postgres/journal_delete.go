package postgres

import (
	"context"
	"math"

	"github.com/pabal-dev/pabal/journal"
)

var (
	journalDelete      = statementFile("journal_delete")
	journalMarkDeleted = statementFile("journal_mark_deleted")
)

// deleteStep is how many rows one statement deletes.
const deleteStep = 2000

// DeleteEvents is described at journal.Store. Where to is beyond the last event
// the marker takes the last one's place. It is one transaction, so that what is left
// after a crash is never a suffix without its beginning. A long one holds nobody up:
// nobody waits for rows of old events, and readers by slices read above it.
func (db *DB) DeleteEvents(ctx context.Context, persistenceID string, to int64, forget bool) (gone int64, err error) {
	if !storable(persistenceID) {
		return 0, nil
	}
	err = db.repeat(ctx, func() error {
		return db.Update(ctx, func(tx *Tx) (err error) {
			if forget {
				gone, err = tx.deleteUpTo(ctx, persistenceID, math.MaxInt64)
				return err
			}
			gone, err = tx.deleteEvents(ctx, persistenceID, to)
			return err
		})
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}

func (tx *Tx) deleteEvents(ctx context.Context, persistenceID string, to int64) (int64, error) {
	highest, err := tx.HighestSeqNrs(ctx, []string{persistenceID})
	if err != nil {
		return 0, err
	}
	if to = min(to, highest[0]); to <= 0 {
		return 0, nil
	}
	gone, err := tx.deleteUpTo(ctx, persistenceID, to-1)
	if err != nil {
		return 0, err
	}
	var last int64
	if err := tx.QueryRow(ctx, tx.names.sql(journalMarkDeleted), journal.SliceOf(persistenceID),
		journal.EntityType(persistenceID), persistenceID, to).Scan(&last); err != nil {
		return 0, failed("mark deleted events", err)
	}
	return gone + last, nil
}

func (tx *Tx) deleteUpTo(ctx context.Context, persistenceID string, to int64) (gone int64, err error) {
	for {
		var rows, events int64
		if err := tx.QueryRow(ctx, tx.names.sql(journalDelete), persistenceID, to, deleteStep).Scan(&rows, &events); err != nil {
			return 0, failed("delete events", err)
		}
		gone += events
		if rows < deleteStep {
			return gone, nil
		}
	}
}
