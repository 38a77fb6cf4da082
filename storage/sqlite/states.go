package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

// WriteStateGroup implements journal.Store.
func (db *DB) WriteStateGroup(ctx context.Context, writes []journal.StateWrite) ([]journal.Result, error) {
	var results []journal.Result
	err := db.Update(ctx, func(tx *Tx) (err error) {
		results, err = tx.writeStates(ctx, writes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// WriteStates implements journal.Tx.
func (tx *Tx) WriteStates(ctx context.Context, writes []journal.StateWrite) ([]journal.Appended, error) {
	results, err := tx.writeStates(ctx, writes)
	if err != nil {
		return nil, err
	}
	return appendedOf(results)
}

// LoadState implements journal.Loader.
func (db *DB) LoadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	return loadState(ctx, db.View, persistenceID)
}

// LoadState implements journal.Loader.
func (tx *Tx) LoadState(ctx context.Context, persistenceID string) (journal.Event, bool, error) {
	return loadState(ctx, tx.view, persistenceID)
}

func loadState(ctx context.Context, in view, persistenceID string) (e journal.Event, ok bool, err error) {
	err = in(ctx, func(q storage.Querier) error {
		e, _, err = scanEvent(q.QueryRow(ctx, stateColumns+"WHERE persistence_id = $1", persistenceID))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return journal.Event{}, false, nil
	}
	return e, err == nil, err
}

// writeStates writes those that are no conflict.
func (tx *Tx) writeStates(ctx context.Context, writes []journal.StateWrite) ([]journal.Result, error) {
	ids := make([]string, len(writes))
	for i, w := range writes {
		ids[i] = w.PersistenceID
	}
	heads, err := tx.heads(ctx, stateHeads, ids)
	if err != nil {
		return nil, err
	}
	var rows stateRows
	results := make([]journal.Result, len(writes))
	for i, w := range writes {
		at := heads[w.PersistenceID]
		if results[i].Err = checkStateWrite(w, at); results[i].Err != nil {
			continue
		}
		at = at.next(1)
		results[i].Appended = journal.Appended{SeqNr: at.seqNr, Time: time.UnixMicro(at.time).UTC()}
		if w.Delete && w.Hard {
			at = head{}
		}
		heads[w.PersistenceID] = at
		if err := rows.put(ctx, tx, w, results[i].Time.UnixMicro()); err != nil {
			return nil, err
		}
		if err := tx.InsertOutbox(ctx, w.Messages); err != nil {
			return nil, err
		}
	}
	return results, rows.flush(ctx, tx)
}

func checkStateWrite(w journal.StateWrite, at head) error {
	if err := w.Validate(); err != nil {
		return err
	}
	if w.Revision != at.seqNr+1 {
		return &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.Revision - 1}
	}
	return nil
}

// OR REPLACE gives the row a new ordering.
var replaceStates = newBulk("INSERT OR REPLACE INTO durable_state (slice, entity_type, persistence_id, revision, db_timestamp, "+
	"state_ser_id, state_ser_manifest, state_payload, tags)", 9, "")

// stateRows collects rows, which are written in their order.
type stateRows struct{ values []any }

func (r *stateRows) put(ctx context.Context, tx *Tx, w journal.StateWrite, at int64) error {
	if w.Delete && w.Hard {
		if err := r.flush(ctx, tx); err != nil {
			return err
		}
		tx.appended = true
		_, err := tx.Exec(ctx, "DELETE FROM durable_state WHERE persistence_id = $1", w.PersistenceID)
		return err
	}
	if w.Delete {
		w.Payload, w.Tags = journal.Payload{}, nil
	}
	tags, err := encodeTags(w.Tags)
	if err != nil {
		return err
	}
	r.values = append(r.values, journal.SliceOf(w.PersistenceID), journal.EntityType(w.PersistenceID), w.PersistenceID, w.Revision, at,
		w.Payload.Serializer, w.Payload.Manifest, notNull(w.Payload.Data), tags)
	return nil
}

func (r *stateRows) flush(ctx context.Context, tx *Tx) error {
	if len(r.values) == 0 {
		return nil
	}
	tx.appended = true
	values := r.values
	r.values = nil
	return replaceStates.run(ctx, tx, values)
}
