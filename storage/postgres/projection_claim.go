package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

var (
	projectionSource     = statementFile("projection_source")
	projectionRanges     = statementFile("projection_ranges")
	projectionRangesOf   = statementFile("projection_ranges_of")
	projectionForeign    = statementFile("projection_foreign")
	projectionDropRanges = statementFile("projection_drop_ranges")
	projectionPutRanges  = statementFile("projection_put_ranges")
)

// ClaimSlices is described at projection.Admin. Slices that Pekko has gone on
// with begin where it ended, less the time by which it looks back.
func (db *DB) ClaimSlices(ctx context.Context, name, source string, slices journal.SliceRange, start journal.Cursor) (projection.Claim, error) {
	claim := projection.Claim{Projection: name, Source: source, Slices: slices}
	err := db.onProjection(ctx, name, func(tx pgx.Tx) error {
		if err := db.checkSource(ctx, tx, name, source); err != nil {
			return err
		}
		stored, err := db.lockRanges(ctx, tx, name, slices)
		if err != nil {
			return err
		}
		if stored, err = db.afterPekko(ctx, tx, name, stored, slices, start); err != nil {
			return err
		}
		cut, err := projection.CutRanges(stored, slices, start, earlierCursor)
		if err != nil {
			return err
		}
		claim.Cursor = cut.Cursor
		claim.Epoch, err = db.putRanges(ctx, tx, name, source, append(cut.Left, claimedRange(cut, slices)))
		return err
	})
	if err != nil {
		return projection.Claim{}, fmt.Errorf("claim of slices %s of projection %s: %w", slices, name, err)
	}
	return claim, nil
}

// claimedRange has been saved when the last of its parts was.
func claimedRange(cut projection.Cut, slices journal.SliceRange) projection.StoredRange {
	r := projection.StoredRange{Slices: slices, Cursor: cut.Cursor}
	for _, t := range cut.Taken {
		if t.Saved.After(r.Saved) {
			r.Saved = t.Saved
		}
	}
	return r
}

// onProjection changes the ranges of a projection, one caller at a time.
func (db *DB) onProjection(ctx context.Context, name string, change func(pgx.Tx) error) error {
	return db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) error {
		if err := db.lockProjection(ctx, tx, name); err != nil {
			return err
		}
		return change(tx)
	})
}

func (db *DB) lockProjection(ctx context.Context, tx pgx.Tx, name string) error {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lockKey("projection", db.schema, name)); err != nil {
		return failed("lock the projection", err)
	}
	return nil
}

// checkSource refuses to mix the offsets of two sources.
func (db *DB) checkSource(ctx context.Context, tx pgx.Tx, name, source string) error {
	rows, err := tx.Query(ctx, db.names.sql(projectionSource), name, source)
	if err != nil {
		return failed("look at the source", err)
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return failed("look at the source", err)
	}
	if len(others) > 0 {
		return fmt.Errorf("postgres: its offsets are those of source %q, not of %q: give the projection another name, or forget this one", others[0], source)
	}
	return nil
}

// lockRanges waits for transactions that save a range with one of the slices, and
// reads what they left.
func (db *DB) lockRanges(ctx context.Context, tx pgx.Tx, name string, slices journal.SliceRange) ([]projection.StoredRange, error) {
	return db.queryRanges(ctx, tx, projectionRanges, name, slices.Min, slices.Max)
}

func (db *DB) queryRanges(ctx context.Context, tx pgx.Tx, s statement, args ...any) ([]projection.StoredRange, error) {
	rows, err := tx.Query(ctx, db.names.sql(s), args...)
	if err != nil {
		return nil, failed("read the slices", err)
	}
	ranges, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r projection.StoredRange, err error) {
		var cursor *string
		var saved *time.Time
		err = row.Scan(&r.Slices.Min, &r.Slices.Max, &r.Epoch, &cursor, &saved)
		r.Cursor, r.Saved = cursorFrom(cursor), timeOrZero(saved)
		return r, err
	})
	if err != nil {
		return nil, failed("read the slices", err)
	}
	return ranges, nil
}

// putRanges replaces the ranges that are locked, and returns the epoch of the
// last of those that come instead.
func (db *DB) putRanges(ctx context.Context, tx pgx.Tx, name, source string, ranges []projection.StoredRange) (epoch int64, err error) {
	n := len(ranges)
	low, high := make([]int32, n), make([]int32, n)
	cursors, saved := make([]*string, n), make([]*time.Time, n)
	for i, r := range ranges {
		low[i], high[i] = int32(r.Slices.Min), int32(r.Slices.Max)
		cursors[i], saved[i] = cursorOrNull(r.Cursor), timeOrNull(r.Saved)
		_, err := tx.Exec(ctx, db.names.sql(projectionDropRanges), name, r.Slices.Min, r.Slices.Max)
		if err != nil {
			return 0, failed("replace the slices", err)
		}
	}
	rows, err := tx.Query(ctx, db.names.sql(projectionPutRanges), name, source, low, high, cursors, saved)
	if err != nil {
		return 0, failed("store the slices", err)
	}
	epochs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, failed("store the slices", err)
	}
	return epochs[n-1], nil
}

// pekkoLooksBack is the default of its setting backtracking.window.
const pekkoLooksBack = 2 * time.Minute

// afterPekko sets the cursors of ranges that Pekko has gone on with; slices that
// have no range get one where it has been there.
func (db *DB) afterPekko(ctx context.Context, tx pgx.Tx, name string, stored []projection.StoredRange,
	slices journal.SliceRange, start journal.Cursor) ([]projection.StoredRange, error) {
	all := withGaps(stored, slices, start)
	for i := range all {
		r := &all[i]
		var reached *time.Time
		err := tx.QueryRow(ctx, db.names.sql(projectionForeign), name, r.Slices.Min, r.Slices.Max, timeOrNull(r.Saved)).Scan(&reached)
		if err != nil {
			return nil, failed("look for Pekko's offsets", err)
		}
		if reached != nil {
			r.Cursor = cursorAt(reached.Add(-pekkoLooksBack))
		}
	}
	return all, nil
}

// withGaps adds ranges that begin at start for those of the slices that have
// none.
func withGaps(stored []projection.StoredRange, slices journal.SliceRange, start journal.Cursor) (all []projection.StoredRange) {
	next := slices.Min
	gap := func(before int) {
		if next < before {
			all = append(all, projection.StoredRange{Slices: journal.SliceRange{Min: next, Max: before - 1}, Cursor: start})
		}
	}
	for _, r := range stored {
		gap(r.Slices.Min)
		all, next = append(all, r), r.Slices.Max+1
	}
	gap(slices.Max + 1)
	return all
}
