// Package storage is the part of PostgreSQL and SQLite that is the same, for
// code that runs on both by configuration: SQL with $1 placeholders, and the
// ports of outbox, inbox, journal, projections and sagas. Code for one database uses
// storage/postgres or storage/sqlite directly.
package storage

import (
	"context"
	"io/fs"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/saga"
)

// Querier runs SQL. Placeholders are $1, $2, …; a missing row is
// sql.ErrNoRows for errors.Is.
type Querier interface {
	// Exec returns the number of rows affected.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	Query(ctx context.Context, query string, args ...any) (Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row
}

// Row is the result of QueryRow; its errors come from Scan.
type Row interface {
	Scan(dest ...any) error
}

// Rows must be closed; Err tells after the last Next whether all were read.
type Rows interface {
	Row
	Next() bool
	Err() error
	Close() error
}

// Tx is a transaction on either database.
type Tx interface {
	Querier
	inbox.Tx
	saga.Tx
	journal.Tx
	journal.Loader
	projection.Tx
}

// Backend is what *postgres.DB and *sqlite.DB have in common.
type Backend interface {
	outbox.Store
	outbox.Inspector
	inbox.Admin
	inbox.Inspector
	saga.Admin
	journal.Store
	projection.Admin
	projection.Tables
	// View runs fn in a read-only transaction that sees one state.
	View(ctx context.Context, fn func(Querier) error) error
	// Migrate applies the numbered .sql files of a folder ("0001_orders.sql")
	// that were not applied yet under that name, in order, each in a
	// transaction, one process at a time. A file that changed after it was
	// applied is an error.
	Migrate(ctx context.Context, name string, files fs.FS) error
	// IsDuplicate says whether an error is a violated primary key or unique
	// constraint.
	IsDuplicate(err error) bool
	// Ping checks the connection.
	Ping(ctx context.Context) error
	Close() error
}

// DB is either database.
type DB interface {
	Backend
	Update(ctx context.Context, fn func(Tx) error) error
}

// Any hides which database it is.
func Any[T Tx](db interface {
	Backend
	Update(ctx context.Context, fn func(T) error) error
}) DB {
	hidden := anyDB[T]{db, db.Update}
	if placer, ok := any(db).(journal.Placer); ok {
		return placedDB[T]{hidden, placer}
	}
	return hidden
}

type anyDB[T Tx] struct {
	Backend
	update func(context.Context, func(T) error) error
}

func (db anyDB[T]) Update(ctx context.Context, fn func(Tx) error) error {
	return db.update(ctx, func(tx T) error { return fn(tx) })
}

// SingleWriter passes on what inbox.Config.Lanes looks at.
func (db anyDB[T]) SingleWriter() bool {
	s, ok := db.Backend.(interface{ SingleWriter() bool })
	return ok && s.SingleWriter()
}

// Capture passes on what an outbox.Sweeper needs.
func (db anyDB[T]) Capture(ctx context.Context, slot string, limit int) (outbox.Capture, error) {
	if s, ok := db.Backend.(outbox.CaptureStore); ok {
		return s.Capture(ctx, slot, limit)
	}
	return outbox.Capture{}, outbox.ErrNoCapture
}

// Way, Switch and Left pass on what outbox.Move needs.
func (db anyDB[T]) Way(ctx context.Context) (outbox.Way, error) {
	if s, ok := db.Backend.(outbox.WayStore); ok {
		return s.Way(ctx)
	}
	return "", outbox.ErrNoCapture
}

// Switch is described at Way.
func (db anyDB[T]) Switch(ctx context.Context, to outbox.Way, hold time.Duration) error {
	if s, ok := db.Backend.(outbox.WayStore); ok {
		return s.Switch(ctx, to, hold)
	}
	return outbox.ErrNoCapture
}

// Left is described at Way.
func (db anyDB[T]) Left(ctx context.Context, way outbox.Way) (started, failed int64, err error) {
	if s, ok := db.Backend.(outbox.WayStore); ok {
		return s.Left(ctx, way)
	}
	return 0, 0, outbox.ErrNoCapture
}

// placedDB passes on what projection looks for.
type placedDB[T Tx] struct {
	anyDB[T]
	journal.Placer
}

// Repeats passes on what journal.WriterConfig.Metrics shows.
func (db anyDB[T]) Repeats() int64 {
	if s, ok := db.Backend.(interface{ Repeats() int64 }); ok {
		return s.Repeats()
	}
	return 0
}

// Code written against Any runs consumers and relays on it.
var (
	_ inbox.Store[Tx] = anyDB[Tx]{}
	_ outbox.Store    = anyDB[Tx]{}

	_ outbox.WayStore = anyDB[Tx]{}

	_ journal.Store = anyDB[Tx]{}

	_ projection.Store[Tx] = anyDB[Tx]{}
	_ saga.Store[Tx]       = anyDB[Tx]{}
)
