package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

const (
	nextEpoch = "UPDATE pabal_projection_epoch SET last = last + 1 RETURNING last"
	dropRange = "DELETE FROM pabal_projection_range WHERE projection = $1 AND min_slice = $2"
	putRange  = "INSERT INTO pabal_projection_range (projection, min_slice, max_slice, source, epoch, cursor, saved, latest, consumed) " +
		"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
)

// ClaimSlices implements projection.Admin.
func (db *DB) ClaimSlices(ctx context.Context, name, source string, slices journal.SliceRange, start journal.Cursor) (projection.Claim, error) {
	claim := projection.Claim{Projection: name, Source: source, Slices: slices}
	err := db.Update(ctx, func(tx *Tx) error {
		stored, err := readRanges(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := checkSource(stored, source); err != nil {
			return err
		}
		cut, err := projection.CutRanges(rangesOf(stored), slices, start, earlierCursor)
		if err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, nextEpoch).Scan(&claim.Epoch); err != nil {
			return err
		}
		claim.Cursor = cut.Cursor
		return tx.recut(ctx, name, source, stored, cut, claim)
	})
	if err != nil {
		return projection.Claim{}, fmt.Errorf("claim of slices %s of projection %s: %w", slices, name, err)
	}
	return claim, nil
}

// checkSource refuses to mix the offsets of two sources.
func checkSource(stored []storedRange, source string) error {
	for _, r := range stored {
		if r.source != "" && r.source != source {
			return fmt.Errorf("sqlite: its offsets are those of source %q, not of %q: give the projection another name, or forget this one", r.source, source)
		}
	}
	return nil
}

// recut replaces the ranges that were taken. News of the taken goes to all that
// come of them.
func (tx *Tx) recut(ctx context.Context, name, source string, stored []storedRange, cut projection.Cut, claim projection.Claim) error {
	claimed := storedRange{StoredRange: projection.StoredRange{Slices: claim.Slices, Epoch: claim.Epoch, Cursor: claim.Cursor}}
	var left []storedRange
	for _, r := range stored {
		if !r.Slices.Overlaps(claim.Slices) {
			continue
		}
		if _, err := tx.Exec(ctx, dropRange, name, r.Slices.Min); err != nil {
			return err
		}
		if r.Saved.After(claimed.Saved) {
			claimed.Saved = r.Saved
		}
		if r.latest.After(claimed.latest) {
			claimed.latest, claimed.consumed = r.latest, r.consumed
		}
		for _, l := range cut.Left {
			if r.Slices.Contains(l.Slices.Min) {
				left = append(left, storedRange{StoredRange: l, latest: r.latest, consumed: r.consumed})
			}
		}
	}
	for _, r := range append(left, claimed) {
		r.source = source
		if err := tx.putRange(ctx, name, r); err != nil {
			return err
		}
	}
	return nil
}

// storedRange is a row of pabal_projection_range.
type storedRange struct {
	projection.StoredRange
	source           string
	latest, consumed time.Time
}

func rangesOf(stored []storedRange) []projection.StoredRange {
	ranges := make([]projection.StoredRange, len(stored))
	for i, r := range stored {
		ranges[i] = r.StoredRange
	}
	return ranges
}

func (tx *Tx) putRange(ctx context.Context, name string, r storedRange) error {
	_, err := tx.Exec(ctx, putRange, name, r.Slices.Min, r.Slices.Max, r.source, r.Epoch, cursorText(r.Cursor),
		micros(r.Saved), micros(r.latest), micros(r.consumed))
	return err
}

// readRanges of a projection, ascending.
func readRanges(ctx context.Context, q storage.Querier, name string) (ranges []storedRange, err error) {
	rows, err := q.Query(ctx, "SELECT min_slice, max_slice, source, epoch, cursor, saved, latest, consumed "+
		"FROM pabal_projection_range WHERE projection = $1 ORDER BY min_slice", name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r storedRange
		var cursor sql.NullString
		var saved, latest, consumed sql.NullInt64
		if err := rows.Scan(&r.Slices.Min, &r.Slices.Max, &r.source, &r.Epoch, &cursor, &saved, &latest, &consumed); err != nil {
			return nil, err
		}
		if cursor.Valid {
			r.Cursor = journal.Cursor(cursor.String)
		}
		r.Saved, r.latest, r.consumed = fromMicros(saved), fromMicros(latest), fromMicros(consumed)
		ranges = append(ranges, r)
	}
	return ranges, rows.Err()
}

// cursorText is NULL for none.
func cursorText(c journal.Cursor) any {
	if c == nil {
		return nil
	}
	return string(c)
}
