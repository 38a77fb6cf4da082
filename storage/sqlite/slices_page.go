package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage"
)

// Bounds of a page.
const (
	pageEvents = 1000 // where the query has no limit
	pageBytes  = 8 << 20
	// pageReach is how many numbers a page looks through for events of the query.
	pageReach = 20_000
)

// Page implements journal.Reader. The order of events is that of their commits,
// and a number that can be seen has all below it: that is all it takes.
func (db *DB) Page(ctx context.Context, q journal.Query) (page journal.Page, err error) {
	s, err := sourceOf(q.Kind)
	if err = errors.Join(err, q.Slices.Validate()); err != nil {
		return journal.Page{}, err
	}
	err = db.View(ctx, func(r storage.Querier) error {
		page, err = s.page(ctx, r, q)
		return err
	})
	if err != nil {
		return journal.Page{}, fmt.Errorf("read events of slices %s: %w", q.Slices, err)
	}
	return page, nil
}

func (s source) page(ctx context.Context, r storage.Querier, q journal.Query) (page journal.Page, err error) {
	end, err := s.end(ctx, r)
	if err != nil {
		return page, err
	}
	after, err := s.after(ctx, r, q.After, end)
	if err != nil {
		return page, err
	}
	if after == end.Ordering {
		page.Cursor = q.After
		return page, s.begin(&page, end)
	}
	if after, err = s.skip(ctx, r, after, end.Ordering); err != nil {
		return page, err
	}
	reached := end
	reached.Ordering = min(after+pageReach, end.Ordering)
	events, last, err := s.read(ctx, r, q, after, reached.Ordering)
	if err != nil {
		return page, err
	}
	if last > 0 {
		reached.Ordering = last
	}
	if reached, err = s.stamp(ctx, r, reached); err != nil {
		return page, err
	}
	page.Events, page.More = events, reached.Ordering < end.Ordering
	page.Cursor, err = reached.cursor()
	return page, err
}

// begin gives an empty journal's reader a cursor, by which it knows the journal.
func (s source) begin(page *journal.Page, end position) (err error) {
	if page.Cursor == nil {
		page.Cursor, err = end.cursor()
	}
	return err
}

// skip passes numbers whose rows are gone.
func (s source) skip(ctx context.Context, r storage.Querier, after, end int64) (int64, error) {
	var next int64
	err := r.QueryRow(ctx, "SELECT coalesce(min(ordering), $2 + 1) - 1 FROM "+s.table+" WHERE ordering > $1", after, end).Scan(&next)
	return next, err
}

// filter of rows, its parameters $1 to $6.
const filter = "WHERE ordering > $1 AND ordering <= $2 AND slice BETWEEN $3 AND $4 AND ($5 = '' OR entity_type = $5) " +
	"AND ($6 = '' OR tags IS NOT NULL AND EXISTS (SELECT 1 FROM json_each(tags) AS tag WHERE tag.value = $6))"

// only events that were not deleted; a deleted state is a change of it.
func (s source) only() string {
	if s.table == "event_journal" {
		return filter + " AND NOT deleted"
	}
	return filter
}

// read returns rows up to a number, or as many as a page holds; then last is the
// number of the last one, else 0.
func (s source) read(ctx context.Context, r storage.Querier, q journal.Query, after, upTo int64) (events []journal.Event, last int64, err error) {
	limit := q.Limit
	if limit <= 0 {
		limit = pageEvents
	}
	rows, err := r.Query(ctx, s.columns+s.only()+" ORDER BY ordering LIMIT $7",
		after, upTo, q.Slices.Min, q.Slices.Max, q.EntityType, q.Tag, limit)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for size := 0; rows.Next(); {
		e, ordering, err := scanEvent(rows)
		if err != nil {
			return nil, 0, err
		}
		events = append(events, e)
		if size += len(e.Payload.Data); size >= pageBytes || len(events) == limit {
			return events, ordering, nil
		}
	}
	return events, 0, rows.Err()
}

// Now implements journal.Reader.
func (db *DB) Now(ctx context.Context, k journal.Kind) (c journal.Cursor, err error) {
	s, err := sourceOf(k)
	if err != nil {
		return nil, err
	}
	err = db.View(ctx, func(r storage.Querier) error {
		end, err := s.end(ctx, r)
		if err != nil {
			return err
		}
		if end, err = s.stamp(ctx, r, end); err != nil {
			return err
		}
		c, err = end.cursor()
		return err
	})
	return c, err
}

// Ahead implements journal.Reader.
func (db *DB) Ahead(ctx context.Context, q journal.Query, limit int) (n int, err error) {
	s, err := sourceOf(q.Kind)
	if err = errors.Join(err, q.Slices.Validate()); err != nil {
		return 0, err
	}
	err = db.View(ctx, func(r storage.Querier) error {
		end, err := s.end(ctx, r)
		if err != nil {
			return err
		}
		after, err := s.after(ctx, r, q.After, end)
		if err != nil {
			return err
		}
		return r.QueryRow(ctx, "SELECT count(*) FROM (SELECT 1 FROM "+s.table+" "+s.only()+" LIMIT $7)",
			after, end.Ordering, q.Slices.Min, q.Slices.Max, q.EntityType, q.Tag, limit).Scan(&n)
	})
	return n, err
}

// Time implements journal.Reader: the database's clock is the machine's.
func (db *DB) Time(ctx context.Context) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, interrupted{err}
	}
	return time.Now().UTC().Truncate(time.Microsecond), nil
}
