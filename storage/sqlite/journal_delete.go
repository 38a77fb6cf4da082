package sqlite

import "context"

const (
	deleteForgotten = "DELETE FROM event_journal WHERE persistence_id = $1 AND NOT deleted"
	deleteMarker    = "DELETE FROM event_journal WHERE persistence_id = $1 AND deleted"
	deleteEvents    = "DELETE FROM event_journal WHERE persistence_id = $1 AND seq_nr < $2 AND NOT deleted"
	deleteOldMarker = "DELETE FROM event_journal WHERE persistence_id = $1 AND seq_nr < $2 AND deleted"
	// The place in the order and the time stay.
	markDeleted = "UPDATE event_journal SET deleted = 1, event_ser_id = 0, event_ser_manifest = '', event_payload = x'', writer = '', " +
		"adapter_manifest = '', tags = NULL, meta_ser_id = NULL, meta_ser_manifest = NULL, meta_payload = NULL " +
		"WHERE persistence_id = $1 AND seq_nr = $2 AND NOT deleted"
)

// DeleteEvents implements journal.Store.
func (db *DB) DeleteEvents(ctx context.Context, persistenceID string, to int64, forget bool) (gone int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		if forget {
			gone, err = tx.forgetEvents(ctx, persistenceID)
			return err
		}
		gone, err = tx.deleteEvents(ctx, persistenceID, to)
		return err
	})
	return gone, err
}

func (tx *Tx) forgetEvents(ctx context.Context, persistenceID string) (int64, error) {
	gone, err := tx.Exec(ctx, deleteForgotten, persistenceID)
	if err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, deleteMarker, persistenceID)
	return gone, err
}

func (tx *Tx) deleteEvents(ctx context.Context, persistenceID string, to int64) (int64, error) {
	found, err := tx.heads(ctx, eventHeads, []string{persistenceID})
	if err != nil {
		return 0, err
	}
	to = min(to, found[persistenceID].seqNr)
	before, err := tx.Exec(ctx, deleteEvents, persistenceID, to)
	if err != nil {
		return 0, err
	}
	last, err := tx.Exec(ctx, markDeleted, persistenceID, to)
	if err != nil || last == 0 {
		return before, err // there is a marker here or above
	}
	_, err = tx.Exec(ctx, deleteOldMarker, persistenceID, to)
	return before + last, err
}
