package sqlite

import (
	"context"
	_ "embed" // for the SQL
	"slices"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/projection_pause.sql
var projectionPause string

// Beat implements projection.Admin.
func (db *DB) Beat(ctx context.Context, name, worker string, ttl time.Duration) (workers []string, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		now := time.Now()
		_, err := tx.Exec(ctx, "DELETE FROM pabal_projection_worker WHERE projection = $1 AND (until <= $2 OR worker = $3)", name, now.UnixMicro(), worker)
		if err != nil {
			return err
		}
		if ttl > 0 {
			_, err = tx.Exec(ctx, "INSERT INTO pabal_projection_worker (projection, worker, until) VALUES ($1, $2, $3)", name, worker, now.Add(ttl).UnixMicro())
			if err != nil {
				return err
			}
		}
		workers, err = texts(ctx, tx, "SELECT worker FROM pabal_projection_worker WHERE projection = $1 ORDER BY worker", name)
		return err
	})
	return workers, err
}

// texts reads a column.
func texts(ctx context.Context, q storage.Querier, query string, args ...any) (out []string, err error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

// Paused implements projection.Admin.
func (db *DB) Paused(ctx context.Context, name string, of journal.SliceRange) (paused bool, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		keys, err := texts(ctx, q, "SELECT projection_key FROM projection_management WHERE projection_name = $1 AND paused", name)
		paused = slices.ContainsFunc(keys, func(key string) bool { return projection.KeyConcerns(key, of) })
		return err
	})
	return paused, err
}

// SetPaused implements projection.Admin.
func (db *DB) SetPaused(ctx context.Context, name string, paused bool) error {
	return db.Update(ctx, func(tx *Tx) error {
		_, err := tx.Exec(ctx, projectionPause, name, paused, time.Now().UnixMilli(), journal.AllSlices().String())
		return err
	})
}

// Reset implements projection.Admin. One range is left, which nobody has; of
// nothing, nothing.
func (db *DB) Reset(ctx context.Context, name string, after journal.Cursor) error {
	return db.Update(ctx, func(tx *Tx) error {
		stored, err := readRanges(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := tx.clearOffsets(ctx, name); err != nil {
			return err
		}
		if len(stored) == 0 && after == nil {
			return nil
		}
		whole := storedRange{StoredRange: projection.StoredRange{Slices: journal.AllSlices(), Cursor: after}}
		for _, r := range stored {
			whole.source = r.source
		}
		return tx.putRange(ctx, name, whole)
	})
}

// Forget implements projection.Admin.
func (db *DB) Forget(ctx context.Context, name string) error {
	return db.Update(ctx, func(tx *Tx) error { return tx.forget(ctx, name) })
}

func (tx *Tx) forget(ctx context.Context, name string) error {
	if err := tx.clearOffsets(ctx, name); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DELETE FROM projection_management WHERE projection_name = $1", name); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "DELETE FROM pabal_projection_worker WHERE projection = $1", name)
	return err
}

// clearOffsets deletes them and the ranges, which fences every worker.
func (tx *Tx) clearOffsets(ctx context.Context, name string) error {
	for _, query := range []string{
		"DELETE FROM projection_timestamp_offset_store WHERE projection_name = $1",
		"DELETE FROM projection_offset_store WHERE projection_name = $1",
		"DELETE FROM pabal_projection_range WHERE projection = $1",
	} {
		if _, err := tx.Exec(ctx, query, name); err != nil {
			return err
		}
	}
	return nil
}
