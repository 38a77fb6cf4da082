package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

const (
	// trimFound is how many rows are looked for at a time.
	trimFound = 50_000
	// trimRows is how many of them a transaction deletes, so that the writer is free
	// again soon.
	trimRows = 5000
)

// TrimOffsets implements projection.Admin.
func (db *DB) TrimOffsets(ctx context.Context, claim projection.Claim, before time.Time) (gone int64, err error) {
	for {
		found, err := db.trimmable(ctx, claim, before)
		if err != nil || len(found) == 0 {
			return gone, err
		}
		begun := gone
		for some := range slices.Chunk(found, trimRows) {
			n, err := db.deleteOffsets(ctx, claim.Projection, some)
			if err != nil {
				return gone, err
			}
			gone += n
		}
		if len(found) < trimFound || gone == begun {
			return gone, nil
		}
	}
}

// trimmable reads what can go, while others write.
func (db *DB) trimmable(ctx context.Context, claim projection.Claim, before time.Time) (found []projection.Offset, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		passed, known, err := passedByAll(ctx, q, claim.Projection)
		if err != nil || !known {
			return err
		}
		rows, err := q.Query(ctx, projectionTrim, claim.Projection, claim.Slices.Min, claim.Slices.Max, before.UnixMicro(), passed, trimFound)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o projection.Offset
			var consumed int64
			if err := rows.Scan(&o.Slice, &o.PersistenceID, &o.SeqNr, &consumed); err != nil {
				return err
			}
			o.Consumed = time.UnixMicro(consumed)
			found = append(found, o)
		}
		return rows.Err()
	})
	return found, err
}

// passedByAll is the ordering that the cursors of all ranges have passed, if it is
// known: of a journal in another database it is not.
func passedByAll(ctx context.Context, q storage.Querier, name string) (passed int64, known bool, err error) {
	end, err := source{table: "event_journal"}.end(ctx, q)
	if err != nil {
		return 0, false, err
	}
	ranges, err := readRanges(ctx, q, name)
	if err != nil {
		return 0, false, err
	}
	covered := 0
	for i, r := range ranges {
		p, err := parseCursor(r.Cursor)
		if err != nil || p.Journal != end.Journal {
			return 0, false, nil
		}
		if i == 0 || p.Ordering < passed {
			passed = p.Ordering
		}
		covered += r.Slices.Max - r.Slices.Min + 1
	}
	return passed, covered == journal.Slices, nil // slices without a range begin anywhere
}

// deleteOffsets leaves those that were saved again meanwhile.
func (db *DB) deleteOffsets(ctx context.Context, name string, offsets []projection.Offset) (gone int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		gone = 0
		for _, o := range offsets {
			n, err := tx.Exec(ctx, "DELETE FROM projection_timestamp_offset_store "+
				"WHERE projection_name = $1 AND slice = $2 AND persistence_id = $3 AND seq_nr = $4 AND timestamp_consumed = $5",
				name, o.Slice, o.PersistenceID, o.SeqNr, o.Consumed.UnixMicro())
			if err != nil {
				return err
			}
			gone += n
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return gone, nil
}
