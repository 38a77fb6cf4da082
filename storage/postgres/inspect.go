package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	inspectLimits   = statementFile("inspect_limits")
	inspectOutbox   = statementFile("inspect_outbox")
	inspectHistory  = statementFile("inspect_history")
	inspectPayloads = statementFile("inspect_payloads")
)

// Rows is described at outbox.Inspector. Sizes come first, and then the payloads
// of the rows that fit.
func (db *DB) Rows(ctx context.Context, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	q, err := q.WithDefaults()
	if err != nil {
		return nil, fmt.Errorf("postgres: read outbox rows: %w", err)
	}
	page := []outbox.StoredRow{}
	err = db.inspect(ctx, "read outbox rows", func(ctx context.Context, tx pgx.Tx) error {
		var found []outbox.StoredRow
		for _, s := range rowSources(q.Status) {
			if found, err = db.appendRows(ctx, tx, found, s, q); err != nil {
				return err
			}
		}
		page = append(page, q.Page(found...)...)
		if !q.Payload {
			return nil
		}
		return db.addPayloads(ctx, tx, page)
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// rowSources are the statements that find rows of a status.
func rowSources(status outbox.Status) []statement {
	switch status {
	case "":
		return []statement{inspectOutbox, inspectHistory}
	case outbox.Completed:
		return []statement{inspectHistory}
	}
	return []statement{inspectOutbox}
}

func (db *DB) appendRows(ctx context.Context, tx pgx.Tx, found []outbox.StoredRow, s statement, q outbox.RowQuery) ([]outbox.StoredRow, error) {
	var ids []string // NULL for none
	for _, id := range q.EventIDs {
		ids = append(ids, columnText(id))
	}
	args := []any{q.After, string(q.Status), columnText(q.Topic), columnText(q.Key), columnText(q.Correlation), ids, q.Limit}
	if s == inspectHistory {
		args = append(args, outbox.HistoryReach)
	}
	rows, err := tx.Query(ctx, db.names.sql(s), args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanStored(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func scanStored(row pgx.Row) (outbox.StoredRow, error) {
	var r outbox.StoredRow
	var published, next *time.Time
	var reason *string
	var oddKey []byte
	err := row.Scan(&r.ID, &published, &r.Status, &r.Topic, &r.Key, &r.EventID, &r.Type, &r.CorrelationID, &r.CausationID,
		&r.ContentType, &r.EnqueuedAt, &r.Attempts, &next, &reason, &r.Size, &oddKey)
	if err != nil {
		return r, err
	}
	r.EnqueuedAt, r.PublishedAt, r.NextAttempt = r.EnqueuedAt.UTC(), timeOrZero(published), timeOrZero(next)
	if reason != nil {
		r.Reason = *reason
	}
	r.Key, _, err = readHeaders(oddKey, r.Key)
	return r, err
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// addPayloads fills in payload and headers of what was found in the transaction.
func (db *DB) addPayloads(ctx context.Context, tx pgx.Tx, page []outbox.StoredRow) error {
	places := make(map[int64]int, len(page))
	var pending, published []int64
	var at []time.Time
	for i, r := range page {
		places[r.ID] = i
		if r.Status == outbox.Completed {
			published, at = append(published, r.ID), append(at, r.PublishedAt)
		} else {
			pending = append(pending, r.ID)
		}
	}
	rows, err := tx.Query(ctx, db.names.sql(inspectPayloads), pending, at, published)
	if err != nil {
		return err
	}
	var id int64
	var headers, payload []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &headers, &payload}, func() (err error) {
		r := &page[places[id]]
		r.Payload, payload = payload, nil
		r.Key, r.Headers, err = readHeaders(headers, r.Key)
		return err
	})
	return err
}

// inspectGrace is how much longer than its statements a search may take.
const inspectGrace = time.Second

// inspect reads one state, for InspectTimeout at most.
func (db *DB) inspect(ctx context.Context, what string, fn func(context.Context, pgx.Tx) error) error {
	bounded, cancel := context.WithTimeout(ctx, outbox.InspectTimeout+inspectGrace)
	defer cancel()
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err := db.transact(bounded, options, func(tx pgx.Tx) error {
		most := strconv.FormatInt(outbox.InspectTimeout.Milliseconds(), 10)
		if _, err := tx.Exec(bounded, db.names.sql(inspectLimits), most); err != nil {
			return err
		}
		return fn(bounded, tx)
	})
	switch {
	case err == nil:
		return nil
	case sqlState(err) == queryCanceled && ctx.Err() == nil:
		return fmt.Errorf("postgres: %s: it took longer than %s: %w", what, outbox.InspectTimeout, errors.Join(context.DeadlineExceeded, err))
	}
	return failed(what, err)
}
