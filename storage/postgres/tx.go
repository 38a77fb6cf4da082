package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/storage"
)

// Tx is a transaction: one of DB.Update, or the user's own that was joined. It
// is valid as long as the transaction is, and for one goroutine at a time.
type Tx struct {
	storage.Querier
	pgx      pgx.Tx
	sql      *sql.Tx
	names    *names
	source   string // of events that have none
	notify   bool   // wake listeners by NOTIFY within the transaction
	enqueued bool
	appended bool
}

var _ storage.Tx = (*Tx)(nil)

// Pgx is the transaction below, nil where a database/sql one was joined.
func (tx *Tx) Pgx() pgx.Tx { return tx.pgx }

// SQL is the joined database/sql transaction, otherwise nil.
func (tx *Tx) SQL() *sql.Tx { return tx.sql }

// JoinOption changes what joining does.
type JoinOption func(*Tx)

// WithoutNotify leaves out the NOTIFY that wakes relays and readers of the journal
// when the joined transaction commits; the caller calls DB.Notify (DB.NotifyJournal)
// after the commit, or they find the rows at their next poll. A NOTIFY makes the commits of all
// transactions of the server that contain one wait for each other, which is felt
// from some thousand per second on.
func WithoutNotify() JoinOption { return func(tx *Tx) { tx.notify = false } }

// Join lets the user's own transaction take outgoing messages and inbox marks.
// It must be on a database that Open has seen, with the schema of Pabal's tables
// in its search path; DB.Join needs no search path. Who began the transaction
// ends it.
func Join(tx pgx.Tx, options ...JoinOption) *Tx {
	return joined(&Tx{Querier: &pgxQuerier{conn: tx}, pgx: tx, names: searchPath()}, options)
}

// JoinSQL is Join for a database/sql transaction of any PostgreSQL driver with
// $1 placeholders.
func JoinSQL(tx *sql.Tx, options ...JoinOption) *Tx {
	return joined(&Tx{Querier: sqlQuerier{tx}, sql: tx, names: searchPath()}, options)
}

// Join lets the user's own transaction on the same database take outgoing
// messages and inbox marks, whatever its search path. Who began the transaction
// ends it.
func (db *DB) Join(tx pgx.Tx, options ...JoinOption) *Tx {
	return joined(&Tx{Querier: &pgxQuerier{conn: tx}, pgx: tx, names: db.names, source: db.source}, options)
}

// JoinSQL is Join for a database/sql transaction.
func (db *DB) JoinSQL(tx *sql.Tx, options ...JoinOption) *Tx {
	return joined(&Tx{Querier: sqlQuerier{tx}, sql: tx, names: db.names, source: db.source}, options)
}

func joined(tx *Tx, options []JoinOption) *Tx {
	tx.notify = true
	for _, option := range options {
		option(tx)
	}
	return tx
}

// wakeAtCommit makes relays look, once per transaction.
func (tx *Tx) wakeAtCommit(ctx context.Context) error {
	return tx.tellAtCommit(ctx, &tx.enqueued, outboxRows)
}

func (tx *Tx) tellAtCommit(ctx context.Context, told *bool, about news) error {
	first := !*told
	*told = true
	if !first || !tx.notify {
		return nil
	}
	_, err := tx.Exec(ctx, tx.names.sql(wakeNotify), string(about))
	return err
}
