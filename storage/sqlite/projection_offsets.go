package sqlite

import (
	"context"
	_ "embed" // for the SQL
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/projection_held.sql
var projectionHeld string

//go:embed sql/projection_trim.sql
var projectionTrim string

//go:embed sql/projection_offsets_of.sql
var projectionOffsetsOf string

var putOffsets = newBulk("INSERT INTO projection_timestamp_offset_store (projection_name, projection_key, slice, persistence_id, seq_nr, "+
	"timestamp_offset, timestamp_consumed)", 7, " ON CONFLICT (projection_name, slice, persistence_id) DO UPDATE SET "+
	"projection_key = excluded.projection_key, seq_nr = excluded.seq_nr, timestamp_offset = excluded.timestamp_offset, "+
	"timestamp_consumed = excluded.timestamp_consumed "+
	"WHERE (excluded.timestamp_offset, excluded.seq_nr) >= "+
	"(projection_timestamp_offset_store.timestamp_offset, projection_timestamp_offset_store.seq_nr)")

// SaveOffsets implements projection.Tx. There is one row of an entity, whose time
// does not go back; its numbers do where it was forgotten.
func (tx *Tx) SaveOffsets(ctx context.Context, claim projection.Claim, offsets []projection.Offset, cursor journal.Cursor) error {
	last, err := projection.LastOffsets(claim, offsets)
	if err != nil {
		return err
	}
	now := time.Now()
	key, consumed := claim.Slices.String(), now.UnixMicro()
	values := make([]any, 0, len(last)*putOffsets.width)
	var latest time.Time
	for _, o := range last {
		if o.Time.After(latest) {
			latest = o.Time
		}
		values = append(values, claim.Projection, key, o.Slice, o.PersistenceID, o.SeqNr, o.Time.UnixMicro(), consumed)
	}
	held, err := tx.Exec(ctx, projectionHeld, claim.Projection, claim.Slices.Min, claim.Epoch, cursorText(cursor), consumed, micros(latest))
	if err != nil {
		return fmt.Errorf("save the offsets of projection %s: %w", claim.Projection, err)
	}
	if held == 0 {
		return projection.ErrFenced
	}
	if err := putOffsets.run(ctx, tx, values); err != nil {
		return fmt.Errorf("save the offsets of projection %s: %w", claim.Projection, err)
	}
	return nil
}

const offsetColumns = "SELECT persistence_id, slice, seq_nr, timestamp_offset, timestamp_consumed FROM projection_timestamp_offset_store "

// Offsets implements projection.Admin.
func (db *DB) Offsets(ctx context.Context, claim projection.Claim, limit int) ([]projection.Offset, error) {
	return db.offsets(ctx, offsetColumns+"WHERE projection_name = $1 AND slice BETWEEN $2 AND $3 ORDER BY timestamp_offset DESC, seq_nr DESC LIMIT $4",
		claim.Projection, claim.Slices.Min, claim.Slices.Max, limit)
}

// OffsetsOf implements projection.Admin.
func (db *DB) OffsetsOf(ctx context.Context, claim projection.Claim, persistenceIDs []string) ([]projection.Offset, error) {
	places := make(map[string]int, len(persistenceIDs))
	keys := make([][2]any, len(persistenceIDs))
	out := make([]projection.Offset, len(persistenceIDs))
	for i, id := range persistenceIDs {
		out[i] = projection.Offset{PersistenceID: id, Slice: journal.SliceOf(id)}
		keys[i] = [2]any{out[i].Slice, id}
		places[id] = i
	}
	wanted, err := list(keys)
	if err != nil {
		return nil, err
	}
	found, err := db.offsets(ctx, projectionOffsetsOf, claim.Projection, wanted)
	if err != nil {
		return nil, err
	}
	for _, o := range found {
		out[places[o.PersistenceID]] = o
	}
	for i, id := range persistenceIDs { // one asked for twice
		out[i] = out[places[id]]
	}
	return out, nil
}

func (db *DB) offsets(ctx context.Context, query string, args ...any) (out []projection.Offset, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o projection.Offset
			var at, consumed int64
			if err := rows.Scan(&o.PersistenceID, &o.Slice, &o.SeqNr, &at, &consumed); err != nil {
				return err
			}
			o.Time, o.Consumed = time.UnixMicro(at).UTC(), time.UnixMicro(consumed).UTC()
			out = append(out, o)
		}
		return rows.Err()
	})
	return out, err
}
