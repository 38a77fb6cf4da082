package sqlite

import (
	"context"
	"database/sql"

	"github.com/pabal-dev/pabal/storage"
)

// Tx is a transaction. It is valid until the closure it was given to returns,
// and used by one goroutine at a time. Its SQL must not begin, commit or roll
// back transactions; savepoints are allowed. A time.Time is stored as text in
// UTC with microseconds ("2006-01-02 15:04:05.000000+00:00") and read from any
// column that holds such text.
type Tx struct {
	querier
	// wake the relay after the commit.
	wake bool
	// appended wakes who reads the journal.
	appended bool
}

var _ storage.Tx = (*Tx)(nil)

func newTx(c *conn) *Tx { return &Tx{querier: querier{on: c, detached: true}} }

// Join makes the ports of outbox, inbox, journal, projection and saga available in a transaction that the
// caller began on the same file through database/sql and modernc.org/sqlite,
// and that the caller ends. Open the file once with Open before, so that the
// tables are there; set busy_timeout and _txlock=immediate in the caller's
// connection string, because DB and caller take turns in writing.
//
// Call (*DB).Wake after the commit, or relay and projections see what is new only
// when they poll.
func Join(tx *sql.Tx) *Tx { return &Tx{querier: querier{on: joined{tx}}} }

// joined runs statements in a transaction of the user's.
type joined struct{ tx *sql.Tx }

func (j joined) exec(ctx context.Context, query string, args []any) (int64, error) {
	result, err := j.tx.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (j joined) query(ctx context.Context, query string, args []any) (*sql.Rows, func(), error) {
	rows, err := j.tx.QueryContext(ctx, query, args...)
	return rows, nil, err
}
