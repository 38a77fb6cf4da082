package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/saga"
)

var (
	sagaNextDue = statementFile("saga_next_due")
	sagaList    = statementFile("saga_list")
	sagaOne     = statementFile("saga_one")
	sagaEntries = statementFile("saga_entries")
	sagaCounts  = statementFile("saga_counts")
	sagaTrim    = statementFile("saga_trim")
)

// NextDue is described at saga.Admin.
func (db *DB) NextDue(ctx context.Context, name string) (next time.Time, err error) {
	if saga.CheckID("name", name) != nil {
		return next, nil
	}
	err = db.inIndexOrder(ctx, sagaNextDue, []any{name}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&next}, func() error { return nil })
		return err
	})
	if err != nil {
		return time.Time{}, failed("look for the next timer of sagas", err)
	}
	return next.UTC(), nil
}

// TrimSagas is described at saga.Admin.
func (db *DB) TrimSagas(ctx context.Context, name string, before time.Time, limit int) (n int64, err error) {
	if limit <= 0 || saga.CheckID("name", name) != nil {
		return 0, nil
	}
	err = db.inIndexOrder(ctx, sagaTrim, []any{name, before, limit}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&n}, func() error { return nil })
		return err
	})
	if err != nil {
		return 0, failed("trim sagas", err)
	}
	return n, nil
}

// Sagas is described at saga.Admin.
func (db *DB) Sagas(ctx context.Context, q saga.Query) ([]saga.Record, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("postgres: list sagas: %w", err)
	}
	if q.Impossible() {
		return []saga.Record{}, nil
	}
	var wanted []string
	for _, s := range saga.Statuses() {
		if len(q.Status) == 0 || slices.Contains(q.Status, s) {
			wanted = append(wanted, string(s))
		}
	}
	var after saga.Place
	if q.After != nil {
		after = *q.After
	}
	args := []any{q.Name, wanted, q.ID, q.CorrelationID, timeOrNull(q.StartedBefore), timeOrNull(after.Started), after.Name, after.ID, q.Limit}
	return inspectAll(ctx, db, "list sagas", sagaList, args, func(row pgx.CollectableRow) (saga.Record, error) {
		return scanSaga(row)
	})
}

// Saga is described at saga.Admin.
func (db *DB) Saga(ctx context.Context, name, id string) (record saga.Record, entries []saga.Entry, err error) {
	notFound := fmt.Errorf("postgres: saga %q of %q: %w", id, name, saga.ErrNotFound)
	if saga.CheckID("name", name) != nil || saga.CheckID("id", id) != nil {
		return record, nil, notFound
	}
	err = db.inspect(ctx, "read a saga", func(ctx context.Context, tx pgx.Tx) error {
		var number int64
		if record, err = scanSaga(tx.QueryRow(ctx, db.names.sql(sagaOne), name, id), &number); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, db.names.sql(sagaEntries), number)
		if err != nil {
			return err
		}
		var text []byte
		_, err = pgx.ForEachRow(rows, []any{&text}, func() error {
			var some []saga.Entry
			if err := json.Unmarshal(text, &some); err != nil {
				return err
			}
			entries = append(entries, some...)
			return nil
		})
		return err
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return saga.Record{}, nil, notFound
	case err != nil:
		return saga.Record{}, nil, err
	}
	return record, entries, nil
}

// SagaCounts is described at saga.Admin.
func (db *DB) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	return inspectAll(ctx, db, "count sagas", sagaCounts, nil, func(row pgx.CollectableRow) (c saga.Count, err error) {
		err = row.Scan(&c.Name, &c.Status, &c.Count, &c.Oldest)
		c.Oldest = c.Oldest.UTC()
		return c, err
	})
}
