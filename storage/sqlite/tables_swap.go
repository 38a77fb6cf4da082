package sqlite

import (
	"context"
	_ "embed" // for the SQL
	"errors"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

//go:embed sql/projection_behind.sql
var projectionBehind string

// SwapTables implements projection.Tables. The tables that were live have the
// copies' names afterwards, and no indexes: SQLite cannot rename one, so that those
// of the new live table are made once more, about a second for a million rows.
func (db *DB) SwapTables(ctx context.Context, tables []string, suffix, live, rebuild string) error {
	pairs, err := pairsOf(tables, suffix)
	if err != nil {
		return err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		if err := tx.checkAhead(ctx, live, rebuild); err != nil {
			return err
		}
		for _, p := range pairs {
			if err := tx.swapTable(ctx, p); err != nil {
				return fmt.Errorf("table %s: %w", p.live, err)
			}
		}
		return tx.adopt(ctx, live, rebuild)
	})
	if err != nil {
		return fmt.Errorf("swap the tables of projection %s: %w", live, err)
	}
	return nil
}

// swapTable exchanges the names of a table and its copy.
func (tx *Tx) swapTable(ctx context.Context, p pair) error {
	_, live, err := columnsOf(ctx, tx, p.live)
	if err != nil {
		return err
	}
	_, copied, err := columnsOf(ctx, tx, p.copy)
	if err != nil {
		return err
	}
	switch {
	case len(live) == 0 || len(copied) == 0:
		return fmt.Errorf("sqlite: it or its copy %s is not there", p.copy)
	case !slices.Equal(live, copied):
		return errors.New("sqlite: it was changed since the copy was made: rebuild once more")
	}
	indexes, err := tx.indexes(ctx, p.live)
	if err != nil {
		return err
	}
	copies, err := tx.indexes(ctx, p.copy)
	if err != nil {
		return err
	}
	if err := tx.dropIndexes(ctx, append(copies, indexes...)); err != nil {
		return err
	}
	if err := tx.stepAside(ctx, p.live); err != nil {
		return err
	}
	if err := tx.rename(ctx, p.copy, p.live); err != nil {
		return err
	}
	if err := tx.rename(ctx, meanwhile, p.copy); err != nil {
		return err
	}
	return tx.copyIndexes(ctx, indexes, p.live, "")
}

// adopt gives the live projection the offsets of the rebuild, in nobody's hands.
func (tx *Tx) adopt(ctx context.Context, live, rebuild string) error {
	if err := tx.clearOffsets(ctx, live); err != nil {
		return err
	}
	for _, query := range []string{
		"UPDATE projection_timestamp_offset_store SET projection_name = $1 WHERE projection_name = $2",
		"UPDATE pabal_projection_range SET projection = $1, epoch = 0 WHERE projection = $2",
	} {
		if _, err := tx.Exec(ctx, query, live, rebuild); err != nil {
			return err
		}
	}
	return tx.forget(ctx, rebuild)
}

// checkAhead is projection.ErrBehind unless the rebuild has handled whatever the
// live one has, by its offset or, where that was trimmed, by its cursor.
func (tx *Tx) checkAhead(ctx context.Context, live, rebuild string) error {
	end, err := source{table: "event_journal"}.end(ctx, tx)
	if err != nil {
		return err
	}
	stored, err := readRanges(ctx, tx, rebuild)
	if err != nil {
		return err
	}
	next := 0
	for _, r := range append(stored, storedRange{StoredRange: projection.StoredRange{Slices: journal.SliceRange{Min: journal.Slices}}}) {
		if err := tx.checkHandled(ctx, live, rebuild, journal.SliceRange{Min: next, Max: r.Slices.Min - 1}, 0, true); err != nil {
			return err
		}
		next = r.Slices.Max + 1
		passed, known := int64(0), true
		if r.Cursor != nil {
			p, err := parseCursor(r.Cursor)
			passed, known = p.Ordering, err == nil && p.Journal == end.Journal
		}
		if err := tx.checkHandled(ctx, live, rebuild, r.Slices, passed, known); err != nil {
			return err
		}
	}
	return nil
}

// checkHandled is for slices whose cursor has passed an ordering. Of a journal
// that is not known, offsets alone count.
func (tx *Tx) checkHandled(ctx context.Context, live, rebuild string, slices journal.SliceRange, passed int64, known bool) error {
	if slices.Max < slices.Min {
		return nil
	}
	behind, err := texts(ctx, tx, projectionBehind, live, rebuild, slices.Min, slices.Max, passed, known)
	if err == nil && len(behind) > 0 {
		err = fmt.Errorf("%w, for example the last of %s", projection.ErrBehind, behind[0])
	}
	return err
}
