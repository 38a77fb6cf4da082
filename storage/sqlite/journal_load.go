package sqlite

import (
	"context"
	_ "embed" // for the SQL
	"math"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/event_ids.sql
var eventIDs string

//go:embed sql/event_highest.sql
var eventHighest string

// What Events reads ahead at most, unless one event alone is larger.
const (
	aheadEvents = 1000
	aheadBytes  = 1 << 20
)

const eventsOf = eventColumns + "WHERE persistence_id = $1 AND seq_nr BETWEEN $2 AND $3 AND NOT deleted ORDER BY seq_nr LIMIT $4"

// view runs a function that reads: DB.View, or in a transaction.
type view func(ctx context.Context, read func(storage.Querier) error) error

func (tx *Tx) view(_ context.Context, read func(storage.Querier) error) error { return read(tx) }

// Events implements journal.Loader. fn runs while nothing of the database is
// held, so that it may take its time and use the database.
func (db *DB) Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	return loadEvents(ctx, db.View, persistenceID, from, to, fn)
}

// Events implements journal.Loader.
func (tx *Tx) Events(ctx context.Context, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	return loadEvents(ctx, tx.view, persistenceID, from, to, fn)
}

// HighestSeqNrs implements journal.Loader.
func (db *DB) HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	return highestSeqNrs(ctx, db.View, persistenceIDs)
}

// HighestSeqNrs implements journal.Loader.
func (tx *Tx) HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error) {
	return highestSeqNrs(ctx, tx.view, persistenceIDs)
}

func loadEvents(ctx context.Context, in view, persistenceID string, from, to int64, fn func(journal.Event) error) error {
	if to <= 0 {
		to = math.MaxInt64
	}
	for from <= to {
		events, full, err := eventsAhead(ctx, in, persistenceID, from, to)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := fn(e); err != nil {
				return err
			}
		}
		if !full {
			return nil
		}
		from = events[len(events)-1].SeqNr + 1
	}
	return nil
}

// eventsAhead says by full that there may be more.
func eventsAhead(ctx context.Context, in view, persistenceID string, from, to int64) (events []journal.Event, full bool, err error) {
	err = in(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, eventsOf, persistenceID, from, to, aheadEvents)
		if err != nil {
			return err
		}
		defer rows.Close()
		size := 0
		for size < aheadBytes && rows.Next() {
			e, _, err := scanEvent(rows)
			if err != nil {
				return err
			}
			events = append(events, e)
			size += len(e.Payload.Data)
		}
		full = size >= aheadBytes || len(events) == aheadEvents
		return rows.Err()
	})
	return events, full, err
}

func highestSeqNrs(ctx context.Context, in view, persistenceIDs []string) ([]int64, error) {
	highest := make([]int64, len(persistenceIDs))
	wanted, err := list(persistenceIDs)
	if err != nil {
		return nil, err
	}
	err = in(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, eventHighest, wanted)
		if err != nil {
			return err
		}
		defer rows.Close()
		for i := 0; rows.Next(); i++ {
			if err := rows.Scan(&highest[i]); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	return highest, err
}

// PersistenceIDs implements journal.Store. They ascend by their bytes.
func (db *DB) PersistenceIDs(ctx context.Context, entityType, after string, limit int) (ids []string, err error) {
	from, before := after+"\x00", "" // what comes next after after
	if entityType != "" {
		from, before = max(from, entityType+"|"), entityType+"}" // the character after "|"
	}
	err = db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, eventIDs, from, before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}
