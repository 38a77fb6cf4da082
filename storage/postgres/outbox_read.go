package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxPlan          = statementFile("outbox_plan")
	outboxPending       = statementFile("outbox_pending")
	outboxSetAside      = statementFile("outbox_set_aside")
	outboxLoad          = statementFile("outbox_load")
	outboxOldestPending = statementFile("outbox_oldest_pending")
	outboxBacklog       = statementFile("outbox_backlog")
)

// inIndexOrder runs a statement, and one before it that keeps it from being
// planned by statistics; one round trip.
func (db *DB) inIndexOrder(ctx context.Context, s statement, args []any, read func(pgx.Rows) error) error {
	batch := &pgx.Batch{}
	batch.Queue(db.names.sql(outboxPlan))
	batch.Queue(db.names.sql(s), args...).Query(read)
	return db.pool.SendBatch(ctx, batch).Close()
}

// Pending is described at outbox.Store.
func (db *DB) Pending(ctx context.Context, above int64, except outbox.Exclusion, limit int, maxBytes int64) ([]outbox.Row, error) {
	low, high := gaps(above, except.IDs)
	topics, keys := make([]string, len(except.Keys)), make([]string, len(except.Keys))
	for i, k := range except.Keys {
		topics[i], keys[i] = k.Topic, columnKey(k.Key)
	}
	held := append([]string{}, except.Topics...) // NULL would exclude everything
	return db.outboxRows(ctx, "read pending rows", limit, outboxPending, low, high, held, topics, keys, limit, maxBytes)
}

// gaps are the ids above the given one that are in none of the ranges.
func gaps(above int64, ranges []outbox.Range) (low, high []int64) {
	next := above + 1
	for _, r := range ranges {
		if r.First > next {
			low, high = append(low, next), append(high, r.First-1)
		}
		next = max(next, r.Last+1)
	}
	return append(low, next), append(high, math.MaxInt64)
}

// SetAside is described at outbox.Store.
func (db *DB) SetAside(ctx context.Context, limit int) ([]outbox.Row, error) {
	return db.outboxRows(ctx, "read rows set aside", limit, outboxSetAside, limit)
}

// Load is described at outbox.Store.
func (db *DB) Load(ctx context.Context, ids []int64, maxBytes int64) ([]outbox.Row, error) {
	return db.outboxRows(ctx, "load rows", len(ids), outboxLoad, ids, maxBytes)
}

func (db *DB) outboxRows(ctx context.Context, what string, most int, s statement, args ...any) ([]outbox.Row, error) {
	all := make([]outbox.Row, 0, min(most, 1024))
	err := db.inIndexOrder(ctx, s, args, func(rows pgx.Rows) error {
		for rows.Next() {
			all = append(all, outbox.Row{})
			if err := scanRow(rows, &all[len(all)-1]); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, failed(what, err)
	}
	// It is one index scan after the other, but SQL promises no order here.
	slices.SortFunc(all, func(a, b outbox.Row) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

func scanRow(rows pgx.Rows, r *outbox.Row) error {
	var next *time.Time
	var reason *string
	var headers []byte
	err := rows.Scan(&r.ID, &r.Attempts, &r.Replay, &next, &r.Time, &r.Topic, &r.Key, &r.Event.ID, &r.Type, &r.Source,
		&r.CorrelationID, &r.CausationID, &r.Traceparent, &r.ContentType, &reason, &headers, &r.Payload)
	if err != nil {
		return err
	}
	r.Time = r.Time.UTC()
	if next != nil {
		r.NextAttempt = next.UTC()
	}
	if reason != nil {
		r.Reason = *reason
	}
	return decodeHeaders(headers, &r.Event)
}

// OldestPending is described at outbox.Store.
func (db *DB) OldestPending(ctx context.Context, above int64) (id int64, ok bool, err error) {
	err = db.inIndexOrder(ctx, outboxOldestPending, []any{above}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&id}, func() error { ok = true; return nil })
		return err
	})
	if err != nil {
		return 0, false, failed("look for the oldest pending row", err)
	}
	return id, ok, nil
}

// Backlog is described at outbox.Store. Completed rows are counted up to a
// million, and estimated beyond.
func (db *DB) Backlog(ctx context.Context) (outbox.Backlog, error) {
	var b outbox.Backlog
	var oldest *time.Time
	err := db.pool.QueryRow(ctx, db.names.sql(outboxBacklog)).Scan(&b.Started, &b.Failed, &oldest, &b.Completed)
	if err != nil {
		return b, failed("count the outbox", err)
	}
	if oldest != nil {
		b.Oldest = oldest.UTC()
	}
	return b, nil
}
