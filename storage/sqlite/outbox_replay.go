package sqlite

import (
	"context"
	"time"
)

const replayFailed = "UPDATE pabal_outbox SET status = 'STARTED', attempts = 0, reason = '', replay = $1, next_attempt = $2 WHERE status = 'FAILED'"

// Replay implements outbox.Store.
func (db *DB) Replay(ctx context.Context, ids ...int64) (n int64, err error) {
	chosen, err := list(ids)
	if err != nil {
		return 0, err
	}
	err = db.Update(ctx, func(tx *Tx) error {
		var number int64
		err := tx.QueryRow(ctx, "UPDATE pabal_outbox_state SET last_replay = last_replay + 1 RETURNING last_replay").Scan(&number)
		if err != nil {
			return err
		}
		query, args := replayFailed, []any{number, time.Now().UnixMicro()}
		if len(ids) > 0 {
			query, args = query+" AND id IN (SELECT value FROM json_each($3))", append(args, chosen)
		}
		n, err = tx.Exec(ctx, query, args...)
		tx.wake = true
		return err
	})
	return n, err
}

// LastReplay implements outbox.Store.
func (db *DB) LastReplay(ctx context.Context) (number int64, err error) {
	err = db.viewRow(ctx, "SELECT last_replay FROM pabal_outbox_state", nil, &number)
	return number, err
}

// Republish implements outbox.Store. The rows leave the history: they come
// back to it when they are published again.
func (db *DB) Republish(ctx context.Context, since time.Time) (n int64, err error) {
	err = db.Update(ctx, func(tx *Tx) error {
		n, err = tx.Exec(ctx, outboxRepublish, time.Now().UnixMicro(), since.UnixMicro())
		if err != nil {
			return err
		}
		tx.wake = true
		_, err = tx.Exec(ctx, "DELETE FROM pabal_outbox_history WHERE published_at >= $1", since.UnixMicro())
		return err
	})
	return n, err
}
