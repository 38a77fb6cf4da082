package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// lostError says that the database was the cause, and not what it was asked.
type lostError struct {
	what string
	err  error
}

func (e *lostError) Error() string { return "postgres: " + e.what + ": " + e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// lost says that the connection failed at that.
func lost(what string, err error) error {
	if connect := (*pgconn.ConnectError)(nil); errors.As(err, &connect) {
		err = &openError{describe(connect.Config, err), err}
	}
	return &lostError{what, err}
}

// failed names what was done when err came. Answers of the server keep their
// SQLSTATE; all other errors came from the connection, or from making one.
func failed(what string, err error) error {
	connect := (*pgconn.ConnectError)(nil)
	if !errors.As(err, &connect) && (sqlState(err) != "" || errors.Is(err, pgx.ErrNoRows)) {
		return fmt.Errorf("postgres: %s: %w", what, err)
	}
	return lost(what, err)
}

// commitFailed is failed for COMMIT. A handler that swallows an error makes the
// COMMIT a ROLLBACK: its own fault, and the same the next time.
func commitFailed(err error) error {
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return fmt.Errorf("postgres: nothing was committed, because an error of an earlier statement was not returned: %w", err)
	}
	return failed("commit", err)
}

// transientCodes are SQLSTATEs and, with two characters, their classes.
var transientCodes = map[string]bool{
	"08":    true, // connection
	"53":    true, // out of disk, memory or connections
	"58":    true, // errors of the system below
	"40001": true, // serialization
	"40P01": true, // deadlock
	"40003": true, // unknown whether the statement completed
	"55P03": true, // lock not available
	"57P01": true, // shutdown by an administrator
	"57P02": true, // crash shutdown
	"57P03": true, // starting up
	"57P05": true, // idle session ended
	"25006": true, // read-only: a standby since a failover
	"25P03": true, // idle transaction ended
}

// Transient is described at inbox.Admin. A commit that a deferred constraint
// refuses, or a statement that runs into statement_timeout, is not transient:
// the same message would do the same again.
func (db *DB) Transient(err error) bool {
	if lost := (*lostError)(nil); errors.As(err, &lost) {
		return true
	}
	code := sqlState(err)
	return transientCodes[code] || len(code) == 5 && transientCodes[code[:2]] || code == queryCanceled && stopped(err)
}

const queryCanceled = "57014"

func stopped(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// IsDuplicate says whether err is a violated primary key or unique constraint.
func (db *DB) IsDuplicate(err error) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == "23505"
}

const (
	lockNotAvailable      = "55P03"
	insufficientPrivilege = "42501"
	undefinedFunction     = "42883"
)

// sqlState is "" for errors that are not the server's.
func sqlState(err error) string {
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		return answer.Code
	}
	return ""
}
