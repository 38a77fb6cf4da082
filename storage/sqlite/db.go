// Package sqlite is Pabal's storage in one SQLite file, without cgo: the
// transactions of services that need no database server, and the tables of
// outbox, inbox, event store, projections and sagas in them.
//
// What Update committed survives a crash of the machine (WAL, synchronous=FULL).
// Callers of Update take turns, and those that queue up share one commit. Two
// processes may use one file on one machine; they wait for each other's
// transactions, and relays and projections notice what the other process wrote by
// polling.
// A file on a network drive is not supported.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage"
)

// Config of a DB; its zero value is the default.
type Config struct {
	// BusyTimeout is how long a transaction waits for another process that
	// writes; 10 s by default.
	BusyTimeout time.Duration
	// Readers is how many Views run at the same time; 4 by default.
	Readers int
	// Logger; nil is slog.Default().
	Logger *slog.Logger
}

const (
	defaultBusyTimeout = 10 * time.Second
	defaultReaders     = 4
)

func (c Config) withDefaults() Config {
	if c.BusyTimeout <= 0 {
		c.BusyTimeout = defaultBusyTimeout
	}
	if c.Readers <= 0 {
		c.Readers = defaultReaders
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

// DB is an open SQLite file. Its methods may be called concurrently.
type DB struct {
	config  Config
	path    string
	system  string
	file    *file
	writer  *writer
	readers *readers
	wakeups wakeups
	appends wakeups
	warned  time.Time

	closing sync.Once
	closed  error
}

var (
	_ outbox.Store     = (*DB)(nil)
	_ inbox.Store[*Tx] = (*DB)(nil)
	_ storage.Backend  = (*DB)(nil)

	_ projection.Store[*Tx] = (*DB)(nil)
)

// Open opens the file, creates it where it is missing, and creates or updates
// the tables of outbox, inbox and sagas (their names begin with pabal_), of the event
// store and of projections (named as Pekko's: event_journal, snapshot,
// durable_state, projection_…). The folder must exist. Close it.
func Open(ctx context.Context, path string, config Config) (*DB, error) {
	config = config.withDefaults()
	f, err := openFile(ctx, path, config)
	if err != nil {
		return nil, fmt.Errorf("open SQLite file %s: %w", path, err)
	}
	db := &DB{config: config, path: path, file: f, system: f.system}
	db.writer = &writer{open: f.connect, busyTimeout: config.BusyTimeout, committed: db.wake, failed: db.warn, idle: make(chan struct{})}
	db.readers = newReaders(f.connectReader, config.Readers)
	if err := db.Migrate(ctx, "pabal", migrations()); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite file %s: %w", path, err), db.Close())
	}
	return db, nil
}

// Update runs fn in a transaction that commits where fn returns nil, and rolls
// back otherwise; the error wraps fn's. Callers take turns, in the order they
// came; closures that queued up meanwhile share a commit, but one that fails
// rolls back only itself. Where ctx ends in the queue, fn does not run. fn must
// not call Update.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return db.writer.update(ctx, fn)
}

// warn logs, once a second at most: a full disk stays full for a while.
func (db *DB) warn(n int, err error) {
	if now := time.Now(); now.Sub(db.warned) > time.Second { // only whoever has the writer's turn comes here
		db.warned = now
		db.config.Logger.Warn("transactions were rolled back", "file", db.path, "transactions", n, "error", err)
	}
}

// View implements storage.Backend.
func (db *DB) View(ctx context.Context, fn func(storage.Querier) error) error {
	return db.readers.view(ctx, func(q *querier) error { return fn(q) })
}

// SingleWriter tells consumers that several transactions at a time gain nothing.
func (db *DB) SingleWriter() bool { return true }

// Ping implements storage.Backend.
func (db *DB) Ping(ctx context.Context) error {
	return db.readers.view(ctx, func(q *querier) error {
		var one int
		return q.QueryRow(ctx, "SELECT one FROM pabal_outbox_state").Scan(&one)
	})
}

// Close waits for the transactions under way and those queued, and closes the
// file. Later calls return what the first did.
func (db *DB) Close() error {
	db.closing.Do(func() {
		db.appends.close()
		db.closed = errors.Join(db.readers.close(), db.writer.close(), db.file.close())
	})
	return db.closed
}
