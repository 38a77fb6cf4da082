package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

const (
	sagaColumns = "name, id, version, revision, status, state, progress, current, correlation_id, reason, started, changed, ended, due"

	sagaLoad = "SELECT " + sagaColumns + " FROM pabal_saga INDEXED BY pabal_saga_id WHERE name = $1 AND id IN (SELECT value FROM json_each($2)) ORDER BY id"

	sagaDue = "SELECT " + sagaColumns + " FROM pabal_saga INDEXED BY pabal_saga_due WHERE name = $1 AND due <= $2 ORDER BY due LIMIT $3"

	sagaInsert = "INSERT INTO pabal_saga (" + sagaColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) " +
		"ON CONFLICT (name, id) DO NOTHING RETURNING number"

	sagaSave = "UPDATE pabal_saga SET version = $3, revision = $4, status = $5, state = $6, progress = $7, current = $8, " +
		"correlation_id = $9, reason = $10, started = $11, changed = $12, ended = $13, due = $14 " +
		"WHERE name = $1 AND id = $2 AND revision = $4 - 1 RETURNING number"
)

var putSagaEntries = newBulk("INSERT INTO pabal_saga_entry (saga, revision, entries)", 3, "")

// LoadSagas implements saga.Tx. One transaction writes at a time: that is the lock.
func (tx *Tx) LoadSagas(ctx context.Context, name string, ids []string) ([]saga.Record, error) {
	wanted := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return saga.CheckID("id", id) != nil })
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	if len(wanted) == 0 || saga.CheckID("name", name) != nil {
		return nil, nil
	}
	text, err := list(wanted)
	if err != nil {
		return nil, err
	}
	return querySagas(ctx, tx, "load sagas", sagaLoad, name, text)
}

// DueSagas implements saga.Tx.
func (tx *Tx) DueSagas(ctx context.Context, name string, now time.Time, limit int) ([]saga.Record, error) {
	if limit <= 0 || saga.CheckID("name", name) != nil {
		return nil, nil
	}
	return querySagas(ctx, tx, "look for sagas that are due", sagaDue, name, now.UnixMicro(), limit)
}

func querySagas(ctx context.Context, q storage.Querier, what, query string, args ...any) ([]saga.Record, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", what, err)
	}
	defer rows.Close()
	var records []saga.Record
	for rows.Next() {
		r, err := scanSaga(rows)
		if err != nil {
			return nil, fmt.Errorf("sqlite: %s: %w", what, err)
		}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: %s: %w", what, err)
	}
	return records, nil
}

func scanSaga(row storage.Row, more ...any) (saga.Record, error) {
	var r saga.Record
	var started, changed, ended, due sql.NullInt64
	err := row.Scan(append([]any{&r.Name, &r.ID, &r.Version, &r.Revision, &r.Status, (*[]byte)(&r.State), (*[]byte)(&r.Progress),
		&r.Current, &r.CorrelationID, &r.Reason, &started, &changed, &ended, &due}, more...)...)
	r.Started, r.Changed, r.Ended, r.Due = fromMicros(started), fromMicros(changed), fromMicros(ended), fromMicros(due)
	return r, err
}

// InsertSagas implements saga.Tx.
func (tx *Tx) InsertSagas(ctx context.Context, records []saga.Record) ([]bool, error) {
	if err := checkSagas(records); err != nil {
		return nil, err
	}
	inserted := make([]bool, len(records))
	var timeline []any
	for i := range records {
		r := &records[i]
		number, err := tx.writeSaga(ctx, sagaInsert, r)
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, fmt.Errorf("sqlite: insert saga %s/%s: %w", r.Name, r.ID, err)
		}
		inserted[i] = true
		if timeline, err = appendTimeline(timeline, number, r); err != nil {
			return nil, err
		}
	}
	if err := putSagaEntries.run(ctx, tx, timeline); err != nil {
		return nil, fmt.Errorf("sqlite: insert sagas: %w", err)
	}
	return inserted, nil
}

// SaveSagas implements saga.Tx.
func (tx *Tx) SaveSagas(ctx context.Context, records []saga.Record) error {
	if err := errors.Join(checkSagas(records), checkSagasOnce(records)); err != nil {
		return err
	}
	var timeline []any
	for i := range records {
		r := &records[i]
		number, err := tx.writeSaga(ctx, sagaSave, r)
		if errors.Is(err, sql.ErrNoRows) {
			err = saga.ErrChanged
		}
		if err != nil {
			return fmt.Errorf("sqlite: save saga %s/%s, revision %d: %w", r.Name, r.ID, r.Revision, err)
		}
		if timeline, err = appendTimeline(timeline, number, r); err != nil {
			return err
		}
	}
	if err := putSagaEntries.run(ctx, tx, timeline); err != nil {
		return fmt.Errorf("sqlite: save sagas: %w", err)
	}
	return nil
}

func checkSagas(records []saga.Record) error {
	for i := range records {
		if err := records[i].Validate(); err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
	}
	return nil
}

func checkSagasOnce(records []saga.Record) error {
	met := make(map[[2]string]struct{}, len(records))
	for i := range records {
		key := [2]string{records[i].Name, records[i].ID}
		if _, twice := met[key]; twice {
			return fmt.Errorf("sqlite: save sagas: saga %s/%s comes twice", key[0], key[1])
		}
		met[key] = struct{}{}
	}
	return nil
}

// writeSaga returns the row's number, or sql.ErrNoRows where nothing was written.
func (tx *Tx) writeSaga(ctx context.Context, query string, r *saga.Record) (number int64, err error) {
	err = tx.QueryRow(ctx, query, r.Name, r.ID, r.Version, r.Revision, string(r.Status), string(r.State), string(r.Progress), r.Current,
		r.CorrelationID, r.Reason, r.Started.UnixMicro(), r.Changed.UnixMicro(), micros(r.Ended), micros(r.Due)).Scan(&number)
	return number, err
}

func appendTimeline(values []any, number int64, r *saga.Record) ([]any, error) {
	if len(r.Entries) == 0 {
		return values, nil
	}
	text, err := json.Marshal(r.Entries)
	if err != nil {
		return nil, fmt.Errorf("sqlite: the timeline of saga %s/%s: %w", r.Name, r.ID, err)
	}
	return append(values, number, r.Revision, string(text)), nil
}
