package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
)

const (
	defaultPage    = 1000
	slicePageBytes = 16 << 20 // of payloads, after which a page ends
)

var _ journal.Reader = (*DB)(nil)

// Page is described at journal.Reader. It reads in the order of transactions, and
// what of one transaction in that of persistence id and number. Neither transactions
// that are open for long nor ones that commit out of order are waited for: the cursor
// lists those that were running, which are read once they are done.
func (db *DB) Page(ctx context.Context, q journal.Query) (journal.Page, error) {
	c, err := parseCursor(q.After)
	if err == nil {
		err = checkQuery(&q)
	}
	if err != nil {
		return journal.Page{}, err
	}
	var p journal.Page
	err = db.look(ctx, q.Kind, func(v *view) error {
		if c, err = v.resolve(ctx, c); err != nil {
			return err
		}
		p, err = v.page(ctx, q, c)
		return err
	})
	if err != nil {
		return journal.Page{}, failed("read the journal by slices", err)
	}
	return p, nil
}

func checkQuery(q *journal.Query) error {
	if q.Limit <= 0 {
		q.Limit = defaultPage
	}
	if q.Kind != journal.Events && q.Kind != journal.States {
		return fmt.Errorf("postgres: there is no journal of kind %d", q.Kind)
	}
	return q.Slices.Validate()
}

func (v *view) page(ctx context.Context, q journal.Query, c cursor) (journal.Page, error) {
	rows := newPageRows(q)
	if c.Before != nil {
		if err := v.readBefore(ctx, q, c.Before, rows); err != nil {
			return journal.Page{}, err
		}
		if rows.full() {
			c.Before, c.Time = rows.place(), rows.lastTime()
			_, err := v.conn.Exec(ctx, "COMMIT")
			return v.made(ctx, rows, c, true, err)
		}
		c.Before = nil
	}
	sees, at, err := v.within(ctx, c)
	if err != nil {
		return journal.Page{}, err
	}
	highest, err := v.readOn(ctx, q, c, sees, rows)
	if rows.full() {
		return v.made(ctx, rows, c.afterRow(sees, rows.cut(), rows.lastTime()), true, err)
	}
	return v.made(ctx, rows, c.after(sees, highest, at), sees.next < v.sees.next, err)
}

// reach is how many transactions a page looks through for rows of the query.
const reach = 20_000

// within is as much of the snapshot as one page looks through, and up to when the
// cursor has read then.
func (v *view) within(ctx context.Context, c cursor) (snapshot, time.Time, error) {
	if v.sees.next < c.XID+reach {
		return v.sees, v.now, nil
	}
	var first uint64
	var at time.Time
	unseen := spans{}
	c.newSpans(v.sees, unseen.add)
	err := v.conn.QueryRow(ctx, v.sql(slicesFirst), unseen.low, unseen.high).Scan(&first, &at)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && v.sees.next <= first+reach:
		return v.sees, v.now, nil
	case err != nil:
		return snapshot{}, time.Time{}, err
	}
	return v.sees.until(first + reach), at.UTC(), nil
}

// readBefore reads rows that have no transaction's number.
func (v *view) readBefore(ctx context.Context, q journal.Query, after *place, into *pageRows) error {
	rows, err := v.conn.Query(ctx, v.sql(slicesBefore), q.Slices.Min, q.Slices.Max, q.EntityType, q.Tag, into.room(),
		after.Time, after.PersistenceID, after.SeqNr)
	if err != nil {
		return err
	}
	return into.read(rows)
}

// readOn reads rows by their transactions, and asks for the highest one that has a
// row of whatever slice and type.
func (v *view) readOn(ctx context.Context, q journal.Query, c cursor, sees snapshot, into *pageRows) (highest uint64, err error) {
	batch := &pgx.Batch{}
	if unread := c.unread(sees); len(unread.low) > 0 {
		done := c.cutOrNone()
		batch.Queue(v.sql(slicesPage), unread.low, unread.high, q.Slices.Min, q.Slices.Max, q.EntityType, q.Tag, into.room(),
			done.XID, done.PersistenceID, done.SeqNr).Query(into.read)
	}
	if unseen := c.unseen(sees); len(unseen.low) > 0 {
		batch.Queue(v.sql(slicesHighest), unseen.low, unseen.high).QueryRow(orNone(&highest))
	}
	return highest, v.end(ctx, batch)
}

func (c cursor) cutOrNone() cut {
	if c.Cut == nil {
		return cut{}
	}
	return *c.Cut
}

// made tells of a transaction that has been open for long where the page was read
// above it.
func (v *view) made(ctx context.Context, rows *pageRows, c cursor, more bool, err error) (journal.Page, error) {
	if err != nil {
		return journal.Page{}, err
	}
	p := journal.Page{Events: inOrder(rows.events), More: more}
	if p.Cursor, err = c.encode(); err != nil {
		return journal.Page{}, err
	}
	oldest := v.sees.oldest()
	p.Blocker = v.db.holders.of(ctx, v, oldest)
	p.Backtracking = p.Blocker != "" && len(c.Open) > 0 && c.Open[0] <= oldest
	return p, nil
}
