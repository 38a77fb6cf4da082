// Package postgres keeps outbox, inbox and the user's own tables in PostgreSQL
// 13 or later, through pgx.
//
// All in one: Open, then DB.Update for transactions. Who has a connection pool
// and transactions of his own joins them (Join, JoinSQL) and needs a DB only
// for relay, consumers and migrations.
package postgres

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// Config of a database; the zero value is usable.
type Config struct {
	// Schema has Pabal's tables and is the search path of the pool; it is
	// created when it is missing. Default: the first of the URL's search_path,
	// else "public". Any name that PostgreSQL takes, as it is, without quotes.
	Schema string
	// MaxConns bounds the pool. Default: the URL's pool_max_conns, else 4 or
	// the number of CPUs, whichever is more. While somebody listens (Wakeups,
	// Appends) there is one beside it.
	MaxConns int32
	// Source is the CloudEvents source of enqueued events that have none. A relay fills in
	// its own where it is empty; what change data capture publishes is the row as it is.
	Source string
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// DB is a pool of connections to one schema of a PostgreSQL database. It is safe
// for concurrent use.
type DB struct {
	pool    *pgxpool.Pool
	schema  string
	source  string
	names   *names
	log     *slog.Logger
	waker   waker
	ids     durableIDs
	warning sync.Once // about an unreadable system identifier
	servers servers
	holders holders
	repeats atomic.Int64

	running context.Context
	stop    context.CancelFunc
	closing sync.Mutex // between stop and work.Go
	work    sync.WaitGroup
}

var (
	_ storage.Backend  = (*DB)(nil)
	_ outbox.Store     = (*DB)(nil)
	_ inbox.Store[*Tx] = (*DB)(nil)
	_ storage.DB       = storage.Any((*DB)(nil))
	_ outbox.Tx        = (*Tx)(nil)
	_ storage.Querier  = (*pgxQuerier)(nil)
	_ storage.Querier  = sqlQuerier{}
	_ pgxConn          = pgx.Tx(nil)
	_ pgxConn          = (*pgxpool.Pool)(nil)
)

// Update runs fn in a READ COMMITTED transaction: commit where it returns nil,
// rollback otherwise. Its error wraps fn's. Relays and readers of
// the journal are woken after the commit.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	enqueued, appended := false, false
	err := db.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(t pgx.Tx) error {
		querier := &pgxQuerier{conn: t}
		defer querier.closeRows()
		tx := &Tx{Querier: querier, pgx: t, names: db.names, source: db.source}
		err := fn(tx)
		enqueued, appended = tx.enqueued, tx.appended
		return err
	})
	if err == nil && enqueued {
		db.Notify()
	}
	if err == nil && appended {
		db.appended()
	}
	return err
}

// View runs fn in a read-only transaction (REPEATABLE READ) that sees one state.
func (db *DB) View(ctx context.Context, fn func(storage.Querier) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	return db.transact(ctx, options, func(t pgx.Tx) error {
		querier := &pgxQuerier{conn: t}
		defer querier.closeRows()
		return fn(querier)
	})
}

// errLeftOpen would be taken for a lost connection at the commit.
var errLeftOpen = errors.New("postgres: rows of a query through Tx.Pgx were left open, close them before the transaction ends")

// transact ends the transaction also where fn panics. A rollback under a context
// that has ended closes the connection, so nothing waits past ctx.
func (db *DB) transact(ctx context.Context, options pgx.TxOptions, fn func(pgx.Tx) error) error {
	tx, err := db.pool.BeginTx(ctx, options)
	if err != nil {
		return lost("begin", err)
	}
	conn := tx.Conn()
	ended := false
	defer func() {
		if !ended {
			_ = tx.Rollback(ctx)
		}
	}()
	err = fn(tx)
	ended = true
	busy := conn.PgConn().IsBusy()
	if err == nil && busy {
		err = errLeftOpen
	}
	if err != nil {
		gone := conn.IsClosed()
		rollbackErr := tx.Rollback(ctx)
		if gone || rollbackErr != nil && !busy && !errors.Is(rollbackErr, pgx.ErrTxClosed) {
			return lost("connection lost in a transaction", err)
		}
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return commitFailed(err)
	}
	return nil
}

// Ping checks that a connection can be had and answers.
func (db *DB) Ping(ctx context.Context) error {
	if err := db.pool.Ping(ctx); err != nil {
		return failed("ping", err)
	}
	return nil
}

// Pool is the pool below, for what Querier has no method for, such as COPY. It
// is closed by Close.
func (db *DB) Pool() *pgxpool.Pool { return db.pool }

// Schema is the name of the schema, without quotes.
func (db *DB) Schema() string { return db.schema }

// Close ends listeners and notifier, waits for transactions under way, and
// closes the pool. Closing twice does nothing.
func (db *DB) Close() error {
	db.closing.Lock()
	db.stop()
	db.closing.Unlock()
	db.work.Wait()
	db.pool.Close()
	return nil
}
