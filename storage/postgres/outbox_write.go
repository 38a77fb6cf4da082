package postgres

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxComplete     = statementFile("outbox_complete")
	outboxCompleteKeep = statementFile("outbox_complete_keep")
	outboxRefuse       = statementFile("outbox_refuse")
	outboxFail         = statementFile("outbox_fail")
	outboxReplay       = statementFile("outbox_replay")
	outboxLastReplay   = statementFile("outbox_last_replay")
	outboxRepublish    = statementFile("outbox_republish")
	outboxTrimHistory  = statementFile("outbox_trim_history")
)

// Complete is described at outbox.Store; one round trip.
func (db *DB) Complete(ctx context.Context, lease outbox.Lease, ids []int64, position []byte, keepHistory bool) error {
	low, high := runs(ids)
	s := outboxComplete
	if keepHistory {
		s = outboxCompleteKeep
	}
	return db.held(ctx, "complete rows", s, lease.Token, lease.Holder, low, high, position)
}

// runs turns ids into ranges that contain nothing else. ids are left as they are.
func runs(ids []int64) (low, high []int64) {
	low, high = []int64{}, []int64{}
	if !slices.IsSorted(ids) {
		ids = slices.Sorted(slices.Values(ids))
	}
	for _, id := range ids {
		if n := len(high); n > 0 && id <= high[n-1]+1 {
			high[n-1] = id
			continue
		}
		low, high = append(low, id), append(high, id)
	}
	return low, high
}

// Refuse is described at outbox.Store.
func (db *DB) Refuse(ctx context.Context, lease outbox.Lease, refusals []outbox.Refusal) error {
	n := len(refusals)
	ids, attempts, next, reasons := make([]int64, n), make([]int32, n), make([]*time.Time, n), make([]string, n)
	for i := range refusals {
		r := &refusals[i]
		ids[i], attempts[i], next[i], reasons[i] = r.ID, int32(r.Attempts), timeOrNull(r.Next), columnText(r.Reason)
	}
	return db.held(ctx, "record refused rows", outboxRefuse, lease.Token, lease.Holder, ids, attempts, next, reasons)
}

// Fail is described at outbox.Store.
func (db *DB) Fail(ctx context.Context, lease outbox.Lease, ids []int64, upToReplay int64, position []byte) error {
	return db.held(ctx, "fail rows", outboxFail, lease.Token, lease.Holder, append([]int64{}, ids...), upToReplay, position)
}

// held runs a statement that does nothing, and says so, where the lease is gone.
func (db *DB) held(ctx context.Context, what string, s statement, args ...any) error {
	var holds int
	err := db.inIndexOrder(ctx, s, args, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&holds}, func() error { return nil })
		return err
	})
	if err != nil {
		return failed(what, err)
	}
	if holds == 0 {
		return outbox.ErrLeaseLost
	}
	return nil
}

// Replay is described at outbox.Store.
func (db *DB) Replay(ctx context.Context, ids ...int64) (int64, error) {
	return db.execAndWake(ctx, "replay failed rows", outboxReplay, ids)
}

// LastReplay is described at outbox.Store.
func (db *DB) LastReplay(ctx context.Context) (number int64, err error) {
	if err = db.pool.QueryRow(ctx, db.names.sql(outboxLastReplay)).Scan(&number); err != nil {
		return 0, failed("read the last replay", err)
	}
	return number, nil
}

// Republish is described at outbox.Store; the rows leave the history.
func (db *DB) Republish(ctx context.Context, since time.Time) (int64, error) {
	return db.execAndWake(ctx, "republish", outboxRepublish, since)
}

func (db *DB) execAndWake(ctx context.Context, what string, s statement, args ...any) (int64, error) {
	n, err := db.exec(ctx, what, s, args...)
	if n > 0 {
		db.Notify()
	}
	return n, err
}

// TrimHistory is described at outbox.Store.
func (db *DB) TrimHistory(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.trim(ctx, "trim the outbox's history", outboxTrimHistory, before, limit)
}

func (db *DB) trim(ctx context.Context, what string, s statement, args ...any) (deleted int64, err error) {
	err = db.inIndexOrder(ctx, s, args, func(rows pgx.Rows) error {
		rows.Close()
		deleted = rows.CommandTag().RowsAffected()
		return rows.Err()
	})
	if err != nil {
		return 0, failed(what, err)
	}
	return deleted, nil
}

func (db *DB) exec(ctx context.Context, what string, s statement, args ...any) (int64, error) {
	tag, err := db.pool.Exec(ctx, db.names.sql(s), args...)
	if err != nil {
		return 0, failed(what, err)
	}
	return tag.RowsAffected(), nil
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// columnText makes any text one that PostgreSQL takes.
func columnText(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\u2400")
}
