package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

var (
	projectionPaused = statementFile("projection_paused")
	projectionPause  = statementFile("projection_pause")
	projectionClear  = statementFile("projection_clear")
	projectionForget = statementFile("projection_forget")
)

// Paused is described at projection.Admin.
func (db *DB) Paused(ctx context.Context, name string, of journal.SliceRange) (bool, error) {
	rows, err := db.pool.Query(ctx, db.names.sql(projectionPaused), name)
	if err != nil {
		return false, failed("look whether projection "+name+" is paused", err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return false, failed("look whether projection "+name+" is paused", err)
	}
	return slices.ContainsFunc(keys, func(key string) bool { return projection.KeyConcerns(key, of) }), nil
}

// SetPaused is described at projection.Admin. Pekko's instances read their row
// when they start.
func (db *DB) SetPaused(ctx context.Context, name string, paused bool) error {
	if _, err := db.pool.Exec(ctx, db.names.sql(projectionPause), name, paused, journal.AllSlices().String()); err != nil {
		return failed("pause projection "+name, err)
	}
	return nil
}

// Reset is described at projection.Admin. One range is left, which nobody has.
func (db *DB) Reset(ctx context.Context, name string, after journal.Cursor) error {
	err := db.onProjection(ctx, name, func(tx pgx.Tx) error {
		source, known, err := db.clear(ctx, tx, name)
		if err != nil || !known && after == nil {
			return err
		}
		_, err = db.putRanges(ctx, tx, name, source, []projection.StoredRange{{Slices: journal.AllSlices(), Cursor: after}})
		return err
	})
	if err != nil {
		return fmt.Errorf("reset of projection %s: %w", name, err)
	}
	return nil
}

// Forget is described at projection.Admin.
func (db *DB) Forget(ctx context.Context, name string) error {
	err := db.onProjection(ctx, name, func(tx pgx.Tx) error {
		if _, _, err := db.clear(ctx, tx, name); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, db.names.sql(projectionForget), name); err != nil {
			return failed("delete the rest", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget projection %s: %w", name, err)
	}
	return nil
}

// clear waits for the transactions of all workers, and deletes ranges and offsets;
// known says whether there were any.
func (db *DB) clear(ctx context.Context, tx pgx.Tx, name string) (source string, known bool, err error) {
	all := journal.AllSlices()
	if _, err := db.lockRanges(ctx, tx, name, all); err != nil {
		return "", false, err
	}
	rows, err := tx.Query(ctx, db.names.sql(projectionDropRanges), name, all.Min, all.Max)
	if err != nil {
		return "", false, failed("delete the ranges", err)
	}
	sources, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", false, failed("delete the ranges", err)
	}
	tag, err := tx.Exec(ctx, db.names.sql(projectionClear), name)
	if err != nil {
		return "", false, failed("delete the offsets", err)
	}
	return slices.Max(append(sources, "")), len(sources) > 0 || tag.RowsAffected() > 0, nil
}
