package sqlite

import (
	"context"
	"database/sql"
	_ "embed" // for the SQL
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed sql/inspect_outbox.sql
var inspectOutbox string

// inspectFailed lets SQLite see that the index of FAILED rows will do.
var inspectFailed = strings.Replace(inspectOutbox, "WHERE ", "WHERE status = 'FAILED' AND ", 1)

//go:embed sql/inspect_history.sql
var inspectHistory string

// Rows implements outbox.Inspector. Sizes come first, and then the payloads of
// the rows that fit.
func (db *DB) Rows(ctx context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("sqlite: read outbox rows: %w", err)
	}
	ids, err := list(q.EventIDs)
	if err != nil {
		return nil, err
	}
	args := []any{q.After, string(q.Status), q.Topic, q.Key, q.Correlation, ids, q.Limit}
	page := []outbox.StoredRow{}
	err = db.inspect(ctx, "read outbox rows", func(ctx context.Context, r storage.Querier) error {
		var found []outbox.StoredRow
		places := map[int64]int64{} // in the history, by id
		if q.Status != outbox.Completed {
			search := inspectOutbox
			if q.Status == outbox.Failed {
				search = inspectFailed
			}
			if found, err = appendStored(ctx, r, found, nil, search, args...); err != nil {
				return err
			}
		}
		if q.Status == "" || q.Status == outbox.Completed {
			if found, err = appendStored(ctx, r, found, places, inspectHistory, append(args, outbox.HistoryReach)...); err != nil {
				return err
			}
		}
		page = append(page, q.Page(found...)...)
		if !q.Payload {
			return nil
		}
		return addPayloads(ctx, r, page, places)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

func appendStored(ctx context.Context, q storage.Querier, found []outbox.StoredRow, places map[int64]int64, query string, args ...any) ([]outbox.StoredRow, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r outbox.StoredRow
		var published, next sql.NullInt64
		var enqueued, place int64
		err := rows.Scan(&r.ID, &published, &r.Status, &r.Topic, &r.Key, &r.EventID, &r.Type, &r.CorrelationID, &r.CausationID,
			&r.ContentType, &enqueued, &r.Attempts, &next, &r.Reason, &r.Size, &place)
		if err != nil {
			return nil, err
		}
		r.PublishedAt, r.NextAttempt = fromMicros(published), fromMicros(next)
		r.EnqueuedAt = fromMicros(sql.NullInt64{Int64: enqueued, Valid: true})
		if places != nil {
			places[r.ID] = place
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

// addPayloads fills in payload and headers of what was found in the transaction.
func addPayloads(ctx context.Context, q storage.Querier, page []outbox.StoredRow, places map[int64]int64) error {
	for i := range page {
		r := &page[i]
		query, at := "SELECT headers, payload FROM pabal_outbox WHERE id = $1", r.ID
		if r.Status == outbox.Completed {
			query, at = "SELECT headers, payload FROM pabal_outbox_history WHERE place = $1", places[r.ID]
		}
		var headers []byte
		if err := q.QueryRow(ctx, query, at).Scan(&headers, &r.Payload); err != nil {
			return err
		}
		if headers == nil {
			continue
		}
		var fields map[string]string
		if err := json.Unmarshal(headers, &fields); err != nil {
			return fmt.Errorf("headers of outbox row %d: %w", r.ID, err)
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			r.Headers = append(r.Headers, event.Header{Key: name, Value: []byte(fields[name])})
		}
	}
	return nil
}

// inspect reads one state, for InspectTimeout at most.
func (db *DB) inspect(ctx context.Context, what string, fn func(context.Context, storage.Querier) error) error {
	bounded, cancel := context.WithTimeout(ctx, outbox.InspectTimeout)
	defer cancel()
	err := db.View(bounded, func(q storage.Querier) error { return fn(bounded, q) })
	switch {
	case err == nil:
		return nil
	case bounded.Err() != nil && ctx.Err() == nil:
		return fmt.Errorf("sqlite: %s: it took longer than %s: %w", what, outbox.InspectTimeout, errors.Join(context.DeadlineExceeded, err))
	}
	return fmt.Errorf("sqlite: %s: %w", what, err)
}
