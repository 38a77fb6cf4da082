package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

// position is a journal.Cursor: everything up to an ordering was read.
type position struct {
	// Journal is the UUID of the journal.
	Journal  string `json:"journal"`
	Ordering int64  `json:"ordering"`
	// Time of the row at Ordering, 0 where there is none: a file that was restored
	// from an older copy gives its numbers again, to rows of another time.
	Time int64 `json:"time,omitempty"`
}

func (p position) cursor() (journal.Cursor, error) { return json.Marshal(p) }

func parseCursor(c journal.Cursor) (p position, err error) {
	if err := json.Unmarshal(c, &p); err != nil || p.Journal == "" {
		return p, fmt.Errorf("sqlite: cursor %.80s is not one of a SQLite journal", c)
	}
	return p, nil
}

// earlierCursor is for projection.CutRanges. Cursors that cannot be compared mean
// the beginning; what was handled is known by its offset.
func earlierCursor(a, b journal.Cursor) (journal.Cursor, error) {
	first, err := parseCursor(a)
	if err != nil {
		return nil, nil
	}
	second, err := parseCursor(b)
	switch {
	case err != nil || first.Journal != second.Journal:
		return nil, nil
	case second.Ordering < first.Ordering:
		return b, nil
	}
	return a, nil
}

// source is a table by slices.
type source struct {
	table, columns string
}

func sourceOf(k journal.Kind) (source, error) {
	switch k {
	case journal.Events:
		return source{"event_journal", eventColumns}, nil
	case journal.States:
		return source{"durable_state", stateColumns}, nil
	}
	return source{}, fmt.Errorf("sqlite: kind %d of a journal query is unknown", k)
}

// end is a position at the end of the table.
func (s source) end(ctx context.Context, q storage.Querier) (position, error) {
	var p position
	err := q.QueryRow(ctx, "SELECT journal, coalesce((SELECT seq FROM sqlite_sequence WHERE name = '"+s.table+"'), 0) FROM pabal_journal").
		Scan(&p.Journal, &p.Ordering)
	return p, err
}

// stamp adds the time of the row at the position.
func (s source) stamp(ctx context.Context, q storage.Querier, p position) (position, error) {
	at, err := s.timeAt(ctx, q, p.Ordering)
	p.Time = at
	return p, err
}

func (s source) timeAt(ctx context.Context, q storage.Querier, ordering int64) (at int64, err error) {
	err = q.QueryRow(ctx, "SELECT db_timestamp FROM "+s.table+" WHERE ordering = $1", ordering).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return at, err
}

// after is where a cursor stands, of which it makes sure that it is of this
// journal, and of its present.
func (s source) after(ctx context.Context, q storage.Querier, c journal.Cursor, end position) (int64, error) {
	if c == nil {
		return 0, nil
	}
	p, err := parseCursor(c)
	if err != nil {
		return 0, err
	}
	const mend = "reset the projection, or restore its view together with the journal"
	if p.Journal != end.Journal {
		return 0, fmt.Errorf("sqlite: the cursor is of journal %s, this one is %s: %s", p.Journal, end.Journal, mend)
	}
	if p.Ordering > end.Ordering {
		return 0, fmt.Errorf("sqlite: the cursor stands at %d of %s, which ends at %d: the file was restored from an older copy; %s",
			p.Ordering, s.table, end.Ordering, mend)
	}
	at, err := s.timeAt(ctx, q, p.Ordering)
	if err != nil {
		return 0, err
	}
	if at != 0 && p.Time != 0 && at != p.Time {
		return 0, fmt.Errorf("sqlite: number %d of %s is not the one that the cursor passed: the file was restored from an older copy and written to; %s",
			p.Ordering, s.table, mend)
	}
	return p.Ordering, nil
}
