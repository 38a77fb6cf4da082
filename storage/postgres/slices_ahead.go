package postgres

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
)

var _ journal.Placer = (*DB)(nil)

// Now is described at journal.Reader.
func (db *DB) Now(ctx context.Context, k journal.Kind) (journal.Cursor, error) {
	q := journal.Query{Kind: k, Slices: journal.AllSlices()}
	if err := checkQuery(&q); err != nil {
		return nil, err
	}
	var c cursor
	err := db.look(ctx, k, func(v *view) error {
		var highest uint64
		batch := &pgx.Batch{}
		batch.Queue(v.sql(slicesHighest), all(v.sees).low, all(v.sees).high).QueryRow(orNone(&highest))
		err := v.end(ctx, batch)
		c = cursor{Server: v.server}.after(v.sees, highest, v.now)
		return err
	})
	if err != nil {
		return nil, failed("look for the journal's end", err)
	}
	return c.encode()
}

func orNone(dest any) func(pgx.Row) error {
	return func(row pgx.Row) error {
		if err := row.Scan(dest); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	}
}

// Ahead is described at journal.Reader.
func (db *DB) Ahead(ctx context.Context, q journal.Query, limit int) (int, error) {
	c, err := parseCursor(q.After)
	if err == nil {
		err = checkQuery(&q)
	}
	if err != nil || limit <= 0 {
		return 0, err
	}
	var n int
	err = db.look(ctx, q.Kind, func(v *view) error {
		if c, err = v.resolve(ctx, c); err != nil {
			return err
		}
		unread, done, before := c.unread(v.sees), c.cutOrNone(), c.placeOrEnd()
		batch := &pgx.Batch{}
		batch.Queue(v.sql(slicesCount), unread.low, unread.high, q.Slices.Min, q.Slices.Max, q.EntityType, q.Tag, limit,
			done.XID, done.PersistenceID, done.SeqNr, c.Before != nil, before.Time, before.PersistenceID, before.SeqNr).QueryRow(orNone(&n))
		return v.end(ctx, batch)
	})
	if err != nil {
		return 0, failed("count what is ahead in the journal", err)
	}
	return n, nil
}

func (c cursor) placeOrEnd() place {
	if c.Before == nil {
		return place{}
	}
	return *c.Before
}

// Passed is described at journal.Placer.
func (db *DB) Passed(ctx context.Context, after journal.Cursor, persistenceIDs []string, upTo []int64) ([]int64, error) {
	if len(persistenceIDs) != len(upTo) {
		return nil, errors.New("postgres: as many numbers as persistence ids are wanted")
	}
	c, err := parseCursor(after)
	if err != nil || after == nil || len(upTo) == 0 {
		return make([]int64, len(upTo)), err
	}
	var all []int64
	err = db.look(ctx, journal.Events, func(v *view) error {
		c, _ = c.trusted(v.server, v.sees)
		if c.Server == "" { // all below From
			c.XID = math.MaxInt64
		}
		done, before := c.cutOrNone(), c.placeOrEnd()
		batch := &pgx.Batch{}
		batch.Queue(v.db.names.sql(slicesPassed), persistenceIDs, upTo, c.XID, append([]uint64{}, c.Open...), done.XID, done.PersistenceID,
			done.SeqNr, c.Before == nil, before.Time, before.PersistenceID, before.SeqNr, c.From).Query(func(rows pgx.Rows) (err error) {
			all, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
		return v.end(ctx, batch)
	})
	if err != nil {
		return nil, failed("look at what a cursor has passed", err)
	}
	return all, nil
}

// Time is described at journal.Reader.
func (db *DB) Time(ctx context.Context) (time.Time, error) {
	var now time.Time
	if err := db.pool.QueryRow(ctx, "SELECT clock_timestamp()").Scan(&now); err != nil {
		return now, failed("ask for the time", err)
	}
	return now.UTC(), nil
}
