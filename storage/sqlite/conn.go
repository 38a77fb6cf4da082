package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"
)

// runner runs one statement: a conn of ours, or a transaction of the user's.
type runner interface {
	exec(ctx context.Context, query string, args []any) (int64, error)
	// query returns rows; release is called after they were closed.
	query(ctx context.Context, query string, args []any) (rows *sql.Rows, release func(), err error)
}

// mostStatements is how many prepared statements a connection keeps.
const mostStatements = 256

// conn is one connection with its prepared statements. One goroutine at a
// time uses it.
type conn struct {
	sql        *sql.Conn
	statements map[string]*statement
}

type statement struct {
	*sql.Stmt
	// busy while rows of it are open: it cannot be run a second time then.
	busy bool
	// kept in conn.statements; others are closed after use.
	kept bool
}

func newConn(c *sql.Conn) *conn { return &conn{sql: c, statements: map[string]*statement{}} }

func (c *conn) exec(ctx context.Context, query string, args []any) (int64, error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	defer c.release(s)
	result, err := s.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *conn) query(ctx context.Context, query string, args []any) (*sql.Rows, func(), error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		c.release(s)
		return nil, nil, err
	}
	return rows, func() { c.release(s) }, nil
}

// script runs several statements without keeping them prepared.
func (c *conn) script(ctx context.Context, text string) error {
	_, err := c.sql.ExecContext(ctx, text)
	return err
}

// owesRows says whether deferred foreign keys point to rows that are missing
// still.
func (c *conn) owesRows() (owes bool, err error) {
	err = c.sql.Raw(func(raw any) error {
		status, ok := raw.(sqlite.DBStatus)
		if !ok {
			return fmt.Errorf("the SQLite driver's connection is a %T, which has no status", raw)
		}
		n, _, err := status.Status(sqlite.DBStatusDeferredFKs, false)
		owes = n != 0
		return err
	})
	return owes, err
}

// prepare returns a statement that is not busy; release gives it back.
func (c *conn) prepare(ctx context.Context, query string) (*statement, error) {
	kept, ok := c.statements[query]
	if ok && !kept.busy {
		kept.busy = true
		return kept, nil
	}
	stmt, err := c.sql.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &statement{Stmt: stmt, busy: true}
	if !ok && c.hasRoom() {
		s.kept = true
		c.statements[query] = s
	}
	return s, nil
}

func (c *conn) release(s *statement) {
	s.busy = false
	if !s.kept {
		s.Close()
	}
}

// hasRoom drops any statement where there are too many: programs have few,
// unless they build SQL from data.
func (c *conn) hasRoom() bool {
	if len(c.statements) < mostStatements {
		return true
	}
	for query, s := range c.statements {
		if !s.busy {
			s.Close()
			delete(c.statements, query)
			return true
		}
	}
	return false
}

// close returns the connection to its pool.
func (c *conn) close() error {
	c.closeStatements()
	return c.sql.Close()
}

// discard closes it for good, with whatever state it is in.
func (c *conn) discard() {
	c.closeStatements()
	_ = c.sql.Raw(func(any) error { return driver.ErrBadConn })
	_ = c.sql.Close() // says only that it is closed already
}

func (c *conn) closeStatements() {
	for query, s := range c.statements {
		s.Close()
		delete(c.statements, query)
	}
}
