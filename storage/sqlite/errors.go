package sqlite

import (
	"errors"
	"fmt"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrClosed is returned after Close.
var ErrClosed = errors.New("sqlite: the database was closed")

// errForeignKey is what the commit would say.
var errForeignKey = errors.New("sqlite: a deferred foreign key points to a row that is not there")

// Transient implements inbox.Admin: the file is locked by another process, the
// disk is full or does not answer, a commit shared with others failed, the
// database is being closed, the caller's context ended before the next
// statement.
func (db *DB) Transient(err error) bool {
	if errors.Is(err, ErrClosed) || errors.As(err, new(interrupted)) || errors.As(err, new(lost)) {
		return true
	}
	switch codeOf(err) & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
		return true
	}
	return false
}

// IsDuplicate implements storage.Backend.
func (db *DB) IsDuplicate(err error) bool {
	switch codeOf(err) {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return true
	}
	return false
}

// codeOf is SQLite's extended result code, 0 for an error of another kind.
func codeOf(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code()
	}
	return 0
}

func isBusy(err error) bool { return codeOf(err)&0xff == sqlite3.SQLITE_BUSY }

// interrupted is a context that ended where the database could not do its part.
type interrupted struct{ error }

func (e interrupted) Unwrap() error { return e.error }

// lost is why a transaction is gone as a whole: nothing of it was committed,
// as far as SQLite can tell.
type lost struct{ cause error }

func (e lost) Error() string { return fmt.Sprintf("sqlite: transaction rolled back: %v", e.cause) }

func (e lost) Unwrap() error { return e.cause }
