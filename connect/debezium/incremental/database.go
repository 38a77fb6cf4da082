package incremental

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Database is what a source does for its incremental snapshots, on a connection of their own. One
// goroutine at a time calls it.
type Database interface {
	// Mark inserts a row (id, type, data) into the table of signals, and commits it.
	Mark(ctx context.Context, id, kind, text string) error
	// Unmark deletes the row of that id, and commits it.
	Unmark(ctx context.Context, id string) error
	// Last is the greatest key of a table's rows that meet its condition; nil where there is none.
	// It and Rows wrap ErrNoKey or ErrUnknownTable where the table cannot be read so.
	Last(ctx context.Context, t Table) (Key, error)
	// Rows are the first ones by key after a key, which may be nil, and up to another; at most
	// limit, and fewer where they are large, but at least one where there are any. They are read by
	// a statement that begins when it is called, so that it sees what was committed until then.
	Rows(ctx context.Context, t Table, after, until Key, limit int) ([]Row, error)
}

// Reasons for which Database cannot read a table. It is left out, and a notification tells so.
var (
	ErrNoKey        = errors.New("the table has no primary key, and the signal names no surrogate-key")
	ErrUnknownTable = errors.New("there is no such table")
)

// Perform reads a chunk as it says. After an error that is not one of the table's the caller tells
// Failed, and tries again later.
func Perform(ctx context.Context, db Database, c Chunk) (Result, error) {
	r := Result{ID: c.ID, Until: c.Until}
	opened := time.Now()
	if err := db.Mark(ctx, c.OpenID(), c.OpenType, fmt.Sprintf(`{"openWindowTimestamp": %q}`, instant(opened))); err != nil {
		return r, fmt.Errorf("the mark before a chunk of %s: %w", c.Table.ID, err)
	}
	err := read(ctx, db, c, &r)
	if errors.Is(err, ErrNoKey) {
		r.Skip = NoPrimaryKey
	} else if errors.Is(err, ErrUnknownTable) {
		r.Skip = UnknownSchema
	} else if err != nil {
		return r, fmt.Errorf("a chunk of %s: %w", c.Table.ID, err)
	}
	if err := closeWindow(ctx, db, c, opened); err != nil {
		return r, fmt.Errorf("the mark after a chunk of %s: %w", c.Table.ID, err)
	}
	return r, nil
}

func read(ctx context.Context, db Database, c Chunk, r *Result) (err error) {
	if r.Until == nil {
		if r.Until, err = db.Last(ctx, c.Table); err != nil || r.Until == nil {
			return err
		}
	}
	r.Rows, err = db.Rows(ctx, c.Table, c.After, r.Until, c.Limit)
	return err
}

func closeWindow(ctx context.Context, db Database, c Chunk, opened time.Time) error {
	if c.Strategy == DeleteStrategy {
		return db.Unmark(ctx, c.OpenID())
	}
	return db.Mark(ctx, c.CloseID(), c.CloseType, fmt.Sprintf(`{"openWindowTimestamp": %q, "closeWindowTimestamp": %q}`, instant(opened), instant(time.Now())))
}

// DeleteStrategy deletes the first mark instead of writing a second one.
const DeleteStrategy = "INSERT_DELETE"

func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
