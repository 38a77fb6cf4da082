package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// NextDue implements saga.Admin.
func (db *DB) NextDue(ctx context.Context, name string) (time.Time, error) {
	var next sql.NullInt64
	err := db.View(ctx, func(q storage.Querier) error {
		return q.QueryRow(ctx, "SELECT min(due) FROM pabal_saga INDEXED BY pabal_saga_due WHERE name = $1 AND due IS NOT NULL", name).Scan(&next)
	})
	if err != nil {
		return time.Time{}, fmt.Errorf("sqlite: look for the next timer of sagas: %w", err)
	}
	return fromMicros(next), nil
}

// trimSagas is how many a transaction deletes, so that the writer is free again soon.
const trimSagas = 1000

// TrimSagas implements saga.Admin.
func (db *DB) TrimSagas(ctx context.Context, name string, before time.Time, limit int) (gone int64, err error) {
	for limit > 0 {
		step := min(limit, trimSagas)
		n, err := db.trimSagaStep(ctx, name, before, step)
		if err != nil {
			return gone, fmt.Errorf("sqlite: trim sagas: %w", err)
		}
		gone, limit = gone+n, limit-step
		if n < int64(step) {
			break
		}
	}
	return gone, nil
}

func (db *DB) trimSagaStep(ctx context.Context, name string, before time.Time, limit int) (n int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		rows, err := tx.Query(ctx, "SELECT number FROM pabal_saga INDEXED BY pabal_saga_ended WHERE name = $1 AND ended < $2 ORDER BY ended LIMIT $3",
			name, before.UnixMicro(), limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		var numbers []int64
		for rows.Next() {
			var number int64
			if err := rows.Scan(&number); err != nil {
				return err
			}
			numbers = append(numbers, number)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		text, err := list(numbers)
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, "DELETE FROM pabal_saga_entry WHERE saga IN (SELECT value FROM json_each($1))", text); err != nil {
			return err
		}
		n, err = tx.Exec(ctx, "DELETE FROM pabal_saga WHERE number IN (SELECT value FROM json_each($1))", text)
		return err
	})
	return n, err
}

// Sagas implements saga.Admin. The oldest of each name and status are found by index
// and put in order.
func (db *DB) Sagas(ctx context.Context, q saga.Query) ([]saga.Record, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("sqlite: list sagas: %w", err)
	}
	found := []saga.Record{}
	if q.Impossible() {
		return found, nil
	}
	err = db.inspect(ctx, "list sagas", func(ctx context.Context, r storage.Querier) error {
		names, err := sagaNames(ctx, r, q.Name)
		if err != nil {
			return err
		}
		for _, name := range names {
			for _, status := range saga.Statuses() {
				if len(q.Status) > 0 && !slices.Contains(q.Status, status) {
					continue
				}
				query, args := sagaSearch(q, name, status)
				some, err := querySagas(ctx, r, "search", query, args...)
				if err != nil {
					return err
				}
				found = append(found, some...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b saga.Record) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	return found[:min(len(found), q.Limit)], nil
}

// sagaNames hops over the key.
func sagaNames(ctx context.Context, q storage.Querier, only string) (names []string, err error) {
	if only != "" {
		return []string{only}, nil
	}
	for name := ""; ; names = append(names, name) {
		err := q.QueryRow(ctx, "SELECT name FROM pabal_saga WHERE name > $1 ORDER BY name LIMIT 1", name).Scan(&name)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return names, nil
		case err != nil:
			return nil, err
		}
	}
}

// sagaSearch names the index, since SQLite has no statistics to choose by.
func sagaSearch(q saga.Query, name string, status saga.Status) (query string, args []any) {
	index := "pabal_saga_age"
	where := ""
	args = []any{name, string(status), q.Limit}
	also := func(condition string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			condition = strings.Replace(condition, "?", fmt.Sprintf("$%d", len(args)), 1)
		}
		where += " AND " + condition
	}
	if q.CorrelationID != "" {
		index = "pabal_saga_correlation"
		also("correlation_id = ?", q.CorrelationID)
	}
	if q.ID != "" {
		index = "pabal_saga_id"
		also("id = ?", q.ID)
	}
	if !q.StartedBefore.IsZero() {
		also("started < ?", q.StartedBefore.UnixMicro())
	}
	if a := q.After; a != nil {
		// In this name's order: what is above depends on which name comes first.
		id := a.ID
		switch at := a.Started.UnixMicro(); cmp.Compare(name, a.Name) {
		case -1:
			also("started > ?", at)
		case 1:
			also("started >= ?", at)
		default:
			also("started >= ? AND (started, id) > (?, ?)", at, at, id)
		}
	}
	return "SELECT name, id, version, revision, status, NULL, NULL, current, correlation_id, reason, started, changed, ended, due " +
		"FROM pabal_saga INDEXED BY " + index + " WHERE name = $1 AND status = $2" + where + " ORDER BY started, id LIMIT $3", args
}

// Saga implements saga.Admin.
func (db *DB) Saga(ctx context.Context, name, id string) (record saga.Record, entries []saga.Entry, err error) {
	err = db.inspect(ctx, "read a saga", func(ctx context.Context, q storage.Querier) error {
		var number int64
		record, err = scanSaga(q.QueryRow(ctx, "SELECT "+sagaColumns+", number FROM pabal_saga WHERE name = $1 AND id = $2", name, id), &number)
		if err != nil {
			return err
		}
		entries, err = sagaTimeline(ctx, q, number)
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return saga.Record{}, nil, fmt.Errorf("sqlite: saga %q of %q: %w", id, name, saga.ErrNotFound)
	case err != nil:
		return saga.Record{}, nil, err
	}
	return record, entries, nil
}

func sagaTimeline(ctx context.Context, q storage.Querier, number int64) (entries []saga.Entry, err error) {
	rows, err := q.Query(ctx, "SELECT entries FROM pabal_saga_entry WHERE saga = $1 ORDER BY revision", number)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var some []saga.Entry
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &some); err != nil {
			return nil, err
		}
		entries = append(entries, some...)
	}
	return entries, rows.Err()
}

// SagaCounts implements saga.Admin.
func (db *DB) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	const query = "SELECT name, status, count(*), min(started) FROM pabal_saga INDEXED BY pabal_saga_age GROUP BY name, status ORDER BY name, status"
	return inspectAll(ctx, db, "count sagas", query, nil, func(row storage.Row) (c saga.Count, err error) {
		var oldest sql.NullInt64
		err = row.Scan(&c.Name, &c.Status, &c.Count, &oldest)
		c.Oldest = fromMicros(oldest)
		return c, err
	})
}
