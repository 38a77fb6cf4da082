package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/outbox"
)

var (
	outboxWay     = statementFile("outbox_way")
	outboxHold    = statementFile("outbox_hold")
	outboxLeft    = statementFile("outbox_left")
	outboxRelayed = statementFile("outbox_relayed")
	outboxClaim   = statementFile("outbox_claim")
	outboxSwitch  = statementFile("outbox_switch")
	outboxBarrier = statementFile("outbox_barrier")
)

var _ outbox.WayStore = (*DB)(nil)

// Ways in the sequence, and of rows.
const (
	wayRelay   = 0
	wayCapture = 1
	wayWaiting = 2
	wayMessage = 3 // of rows: a barrier behind messages
)

var ways = map[int64]outbox.Way{
	wayRelay: outbox.ByRelay, wayCapture: outbox.ByCapture, wayWaiting: outbox.Waiting, wayMessage: outbox.ByMessage,
}

// HasOutbox says whether there is an outbox in a database, in a schema or, without one, the first of the
// search path, and makes none, as Open does.
func HasOutbox(ctx context.Context, url, schema string) (there bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, failed("look for an outbox", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	const find = "SELECT to_regclass(CASE $1 WHEN '' THEN '' ELSE quote_ident($1) || '.' END || 'pabal_outbox') IS NOT NULL"
	if err := conn.QueryRow(ctx, find, schema).Scan(&there); err != nil {
		return false, failed("look for an outbox", err)
	}
	return there, nil
}

// Way is described at outbox.WayStore.
func (db *DB) Way(ctx context.Context) (outbox.Way, error) { return db.way(ctx, db.pool) }

func (db *DB) way(ctx context.Context, conn pgxConn) (outbox.Way, error) {
	var n *int64
	if err := conn.QueryRow(ctx, db.names.sql(outboxWay)).Scan(&n); err != nil {
		return "", failed("read the outbox's way out", err)
	}
	if n == nil {
		return "", errors.New("postgres: the sequence pabal_outbox_way cannot be read: grant SELECT on it")
	}
	way, ok := ways[*n]
	if !ok {
		return "", fmt.Errorf("postgres: the outbox's way out is number %d, which a later version knows", *n)
	}
	return way, nil
}

// Left is described at outbox.WayStore.
func (db *DB) Left(ctx context.Context, way outbox.Way) (started, refused int64, err error) {
	return db.left(ctx, db.pool, way)
}

func (db *DB) left(ctx context.Context, conn pgxConn, way outbox.Way) (started, refused int64, err error) {
	rows := map[outbox.Way][]int16{outbox.ByRelay: {wayRelay}, outbox.ByCapture: {wayCapture, wayMessage}, outbox.Waiting: {wayWaiting}}[way]
	if err = conn.QueryRow(ctx, db.names.sql(outboxLeft), rows).Scan(&started, &refused); err != nil {
		return 0, 0, failed("count the outbox's rows of one way out", err)
	}
	return started, refused, nil
}

// Switch is described at outbox.WayStore.
func (db *DB) Switch(ctx context.Context, to outbox.Way, hold time.Duration) error {
	var busy error
	err := db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
		if _, err := tx.Exec(ctx, db.names.sql(outboxHold), fmt.Sprint(max(hold.Milliseconds(), 1))); err != nil {
			return err
		}
		way := wayRelay
		switch to {
		case outbox.ByRelay:
			err = db.leaveLog(ctx, tx, wayRelay)
		case outbox.ByMessage:
			way, busy, err = db.messages(ctx, tx)
		default:
			way, busy, err = db.capture(ctx, tx)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, db.names.sql(outboxSwitch), pgx.QueryExecModeSimpleProtocol, way)
		return err
	})
	switch {
	case err == nil:
		err = busy
	case sqlState(err) == lockNotAvailable:
		err = fmt.Errorf("%w: transactions that have enqueued are still open", outbox.ErrBusy)
	}
	if err != nil {
		return fmt.Errorf("switch the outbox's way out to %s: %w", to, err)
	}
	return nil
}

// capture gives a connector the rows that no relay has ever looked at, or those that wait for a relay where
// that has come to its end; else what is enqueued waits.
func (db *DB) capture(ctx context.Context, tx pgx.Tx) (way int, busy, err error) {
	var relayed bool
	if err := tx.QueryRow(ctx, db.names.sql(outboxRelayed)).Scan(&relayed); err != nil {
		return 0, nil, err
	}
	if !relayed {
		if err := db.claim(ctx, tx, wayRelay, wayCapture); err != nil {
			return 0, nil, err
		}
	}
	started, refused, err := db.left(ctx, tx, outbox.ByRelay)
	switch {
	case err != nil:
		return 0, nil, err
	case refused > 0:
		return 0, nil, fmt.Errorf("%w: %d", outbox.ErrFailedRows, refused)
	case started > 0:
		return wayWaiting, fmt.Errorf("%w: a relay has %d rows to publish", outbox.ErrBusy, started), nil
	}
	return wayCapture, nil, db.leaveLog(ctx, tx, wayCapture)
}

// leaveLog gives what waits, and a barrier behind messages, to who publishes next.
func (db *DB) leaveLog(ctx context.Context, tx pgx.Tx, to int16) error {
	if _, err := tx.Exec(ctx, db.names.sql(outboxBarrier)); err != nil {
		return err
	}
	return db.claim(ctx, tx, wayWaiting, to)
}

// messages leaves the table out once all of it is published; until then what is enqueued waits.
func (db *DB) messages(ctx context.Context, tx pgx.Tx) (way int, busy, err error) {
	switch now, err := db.way(ctx, tx); {
	case err != nil:
		return 0, nil, err
	case now == outbox.ByMessage:
		return wayMessage, nil, nil
	case now == outbox.ByRelay:
		return 0, nil, fmt.Errorf("%w: by a relay; it goes to a connector with its rows first", outbox.ErrMoved)
	}
	for _, rows := range []outbox.Way{outbox.ByRelay, outbox.ByCapture} {
		started, refused, err := db.left(ctx, tx, rows)
		switch {
		case err != nil:
			return 0, nil, err
		case refused > 0:
			return 0, nil, fmt.Errorf("%w: %d", outbox.ErrFailedRows, refused)
		case started > 0:
			return wayWaiting, fmt.Errorf("%w: %d rows are left, by %s", outbox.ErrBusy, started, rows), nil
		}
	}
	return wayMessage, nil, db.claim(ctx, tx, wayWaiting, wayCapture)
}

func (db *DB) claim(ctx context.Context, tx pgx.Tx, from, to int16) error {
	_, err := tx.Exec(ctx, db.names.sql(outboxClaim), from, to)
	return err
}
