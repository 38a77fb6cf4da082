package sqlite

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// AppendGroup implements journal.Store. There is one writer at a time: where an
// entity stands is looked up once for the group, and nobody can change it before
// the insert.
func (db *DB) AppendGroup(ctx context.Context, writes []journal.Write) ([]journal.Result, error) {
	var results []journal.Result
	err := db.Update(ctx, func(tx *Tx) (err error) {
		results, err = tx.append(ctx, writes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// AppendEvents implements journal.Tx.
func (tx *Tx) AppendEvents(ctx context.Context, writes []journal.Write) ([]journal.Appended, error) {
	results, err := tx.append(ctx, writes)
	if err != nil {
		return nil, err
	}
	return appendedOf(results)
}

// appendedOf is for transactions in which one failure is that of all.
func appendedOf(results []journal.Result) ([]journal.Appended, error) {
	appended := make([]journal.Appended, len(results))
	for i, r := range results {
		if r.Err != nil {
			return nil, r.Err
		}
		appended[i] = r.Appended
	}
	return appended, nil
}

// append writes those that are no conflict.
func (tx *Tx) append(ctx context.Context, writes []journal.Write) ([]journal.Result, error) {
	ids := make([]string, len(writes))
	for i, w := range writes {
		ids[i] = w.PersistenceID
	}
	heads, err := tx.heads(ctx, eventHeads, ids)
	if err != nil {
		return nil, err
	}
	var rows eventRows
	results := make([]journal.Result, len(writes))
	for i, w := range writes {
		at := heads[w.PersistenceID]
		if results[i].Err = checkWrite(w, at); results[i].Err != nil {
			continue
		}
		if !w.AfterTime.IsZero() {
			at.time = max(at.time, w.AfterTime.UnixMicro())
		}
		at = at.next(len(w.Events))
		if err := rows.add(w, at.time); err != nil {
			results[i].Err = err
			continue
		}
		heads[w.PersistenceID] = at
		results[i].Appended = journal.Appended{SeqNr: at.seqNr, Time: time.UnixMicro(at.time).UTC()}
		if err := tx.InsertOutbox(ctx, w.Messages); err != nil {
			return nil, err
		}
	}
	return results, rows.insert(ctx, tx)
}

func checkWrite(w journal.Write, at head) error {
	if err := w.Validate(); err != nil {
		return err
	}
	if w.After != at.seqNr {
		return &journal.ConflictError{PersistenceID: w.PersistenceID, Expected: w.After}
	}
	return nil
}
