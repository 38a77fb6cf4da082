package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// Pending implements outbox.Store. Between the ranges of ids that are on their
// way it reads one gap after the other, so that those rows cost nothing.
func (db *DB) Pending(ctx context.Context, above int64, except outbox.Exclusion, limit int, maxBytes int64) ([]outbox.Row, error) {
	topics, err := list(except.Topics)
	if err != nil {
		return nil, err
	}
	keys, err := list(pairs(except.Keys))
	if err != nil {
		return nil, err
	}
	var out []outbox.Row
	err = db.View(ctx, func(q storage.Querier) error {
		out = nil
		room, full := maxBytes, false
		for _, gap := range gaps(above, except.IDs) {
			rows, err := q.Query(ctx, outboxPending, gap.First, gap.Last, topics, keys, limit-len(out))
			if err != nil {
				return err
			}
			if out, full, err = collect(out, rows, &room); err != nil || full || len(out) >= limit {
				return err
			}
		}
		return nil
	})
	return out, err
}

func pairs(keys []outbox.TopicKey) [][2]string {
	out := make([][2]string, len(keys))
	for i, k := range keys {
		out[i] = [2]string{k.Topic, k.Key}
	}
	return out
}

// gaps is what lies between the taken ids, above one; both ends of each are
// excluded.
func gaps(above int64, taken []outbox.Range) []outbox.Range {
	var out []outbox.Range
	for _, r := range taken {
		if r.First > above+1 {
			out = append(out, outbox.Range{First: above, Last: r.First})
		}
		above = max(above, r.Last)
	}
	return append(out, outbox.Range{First: above, Last: math.MaxInt64})
}

// OldestPending implements outbox.Store.
func (db *DB) OldestPending(ctx context.Context, above int64) (id int64, ok bool, err error) {
	err = db.viewRow(ctx, "SELECT id FROM pabal_outbox WHERE id > $1 AND status = 'STARTED' AND attempts = 0 AND replay = 0 ORDER BY id LIMIT 1",
		[]any{above}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil, err
}

// SetAside implements outbox.Store.
func (db *DB) SetAside(ctx context.Context, limit int) ([]outbox.Row, error) {
	return db.rows(ctx, math.MaxInt64, outboxAside, limit)
}

// Load implements outbox.Store.
func (db *DB) Load(ctx context.Context, ids []int64, maxBytes int64) ([]outbox.Row, error) {
	wanted, err := list(ids)
	if err != nil {
		return nil, err
	}
	return db.rows(ctx, maxBytes, outboxLoad, wanted)
}

func (db *DB) rows(ctx context.Context, maxBytes int64, query string, args ...any) (out []outbox.Row, err error) {
	err = db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		room := maxBytes
		out, _, err = collect(nil, rows, &room)
		return err
	})
	return out, err
}

// Horizon implements outbox.Store. One transaction writes at a time, so a
// reader sees no id of one that may still commit: there are no writers.
func (db *DB) Horizon(ctx context.Context) (outbox.Horizon, error) {
	var h outbox.Horizon
	err := db.viewRow(ctx, "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'pabal_outbox'), 0)", nil, &h.LastID)
	return h, err
}

// Backlog implements outbox.Store.
func (db *DB) Backlog(ctx context.Context) (outbox.Backlog, error) {
	var (
		b      outbox.Backlog
		all    int64
		oldest sql.NullInt64
	)
	err := db.viewRow(ctx, outboxBacklog, nil, &all, &b.Failed, &b.Completed, &oldest)
	b.Started = all - b.Failed
	b.Oldest = fromMicros(oldest)
	return b, err
}

// viewRow reads one row in a transaction of its own.
func (db *DB) viewRow(ctx context.Context, query string, args []any, dest ...any) error {
	return db.View(ctx, func(q storage.Querier) error { return q.QueryRow(ctx, query, args...).Scan(dest...) })
}

// TrimHistory implements outbox.Store.
func (db *DB) TrimHistory(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		n, err = tx.Exec(ctx, "DELETE FROM pabal_outbox_history WHERE place IN "+
			"(SELECT place FROM pabal_outbox_history WHERE published_at < $1 ORDER BY published_at LIMIT $2)", before.UnixMicro(), limit)
		return err
	})
	return n, err
}
