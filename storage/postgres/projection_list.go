package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/projection"
)

var (
	projectionList       = statementFile("projection_list")
	projectionListRanges = statementFile("projection_list_ranges")
)

// Projections is described at projection.Admin. Those that Pekko runs are there
// too.
func (db *DB) Projections(ctx context.Context, name string) ([]projection.Stored, error) {
	var list []projection.Stored
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := db.transact(ctx, options, func(tx pgx.Tx) (err error) {
		rows, err := tx.Query(ctx, db.names.sql(projectionList), name)
		if err != nil {
			return err
		}
		if list, err = pgx.CollectRows(rows, scanProjection); err != nil {
			return err
		}
		return db.addRanges(ctx, tx, name, list)
	})
	if err != nil {
		return nil, failed("list projections", err)
	}
	return list, nil
}

func scanProjection(row pgx.CollectableRow) (projection.Stored, error) {
	p := projection.Stored{Ranges: []projection.StoredRange{}}
	var latest, consumed *time.Time
	err := row.Scan(&p.Name, &latest, &consumed, &p.Paused, &p.Workers)
	p.Latest, p.Consumed = timeOrZero(latest), timeOrZero(consumed)
	return p, err
}

func (db *DB) addRanges(ctx context.Context, tx pgx.Tx, name string, list []projection.Stored) error {
	places := make(map[string]int, len(list))
	for i := range list {
		places[list[i].Name] = i
	}
	rows, err := tx.Query(ctx, db.names.sql(projectionListRanges), name)
	if err != nil {
		return err
	}
	var owner, source string
	var r projection.StoredRange
	var cursor *string
	var saved *time.Time
	_, err = pgx.ForEachRow(rows, []any{&owner, &source, &r.Slices.Min, &r.Slices.Max, &r.Epoch, &cursor, &saved}, func() error {
		r.Cursor, r.Saved = cursorFrom(cursor), timeOrZero(saved)
		p := &list[places[owner]]
		p.Source, p.Ranges = source, append(p.Ranges, r)
		return nil
	})
	return err
}

func cursorFrom(text *string) journal.Cursor {
	if text == nil {
		return nil
	}
	return journal.Cursor(*text)
}
