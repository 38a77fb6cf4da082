package sql

import (
	"context"

	"github.com/pabal-dev/pabal/connect/data"
)

// dialect is a kind of database.
type dialect interface {
	// open a connection. What it returns may quote the password: see settings.hidden.
	open(ctx context.Context, s *settings) (session, error)
	// natural is the type of the columns that are made for a schema.
	natural(s *data.Schema) string
	// encode a value for a column; nil is NULL.
	encode(s *data.Schema, v any, t columnType) ([]byte, error)
	// creation of a table for a change, and alterations of one that misses fields.
	creation(c *change) string
	alterations(name tableName, missing []field) []string
	// passing errors are those of a database that is away or busy; refusable ones are about the
	// values of a row.
	passing(err error) bool
	refusable(err error) bool
}

// session is a connection.
type session interface {
	// load a table's columns; nil is no table.
	load(ctx context.Context, name tableName) (*table, error)
	define(ctx context.Context, statement string) error
	// run all in one transaction.
	run(ctx context.Context, all []*batch, mode string) error
	closed() bool
	close(ctx context.Context)
}

// dialectOf a URL; what it does not tell is PostgreSQL's to refuse.
func dialectOf(url, zone, postgis string) dialect {
	if isMySQL(url) {
		return newMySQL(zone)
	}
	return postgres{postgis}
}
