package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pabal-dev/pabal/storage"
)

// querier is storage.Querier over a connection of ours or a transaction of the
// user's.
type querier struct {
	on runner
	// detached statements run without the caller's context, which is looked at
	// before each: the driver starts a goroutine for every statement whose
	// context can end, and one that is interrupted rolls back the transaction
	// that others may share.
	detached bool
	ended    bool
	// broken is why SQLite rolled back the whole transaction by itself.
	broken error
	open   map[*rows]struct{}
}

// Exec implements storage.Querier.
func (q *querier) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	ctx, err := q.begin(ctx)
	if err != nil {
		return 0, err
	}
	n, err := q.on.exec(ctx, query, bindable(args))
	if err != nil {
		return 0, q.failed(err)
	}
	return n, nil
}

// Query implements storage.Querier.
func (q *querier) Query(ctx context.Context, query string, args ...any) (storage.Rows, error) {
	r, err := q.query(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// QueryRow implements storage.Querier.
func (q *querier) QueryRow(ctx context.Context, query string, args ...any) storage.Row {
	r, err := q.query(ctx, query, args)
	return row{r, err}
}

func (q *querier) query(ctx context.Context, query string, args []any) (*rows, error) {
	ctx, err := q.begin(ctx)
	if err != nil {
		return nil, err
	}
	got, release, err := q.on.query(ctx, query, bindable(args))
	if err != nil {
		return nil, q.failed(err)
	}
	r := &rows{q: q, sql: got, release: release}
	if q.open == nil {
		q.open = map[*rows]struct{}{}
	}
	q.open[r] = struct{}{}
	return r, nil
}

// begin says whether a statement may run, and with which context.
func (q *querier) begin(ctx context.Context) (context.Context, error) {
	switch {
	case q.ended:
		return nil, sql.ErrTxDone
	case q.broken != nil:
		return nil, q.broken
	}
	if err := ctx.Err(); err != nil {
		return nil, interrupted{err}
	}
	if q.detached {
		return context.Background(), nil
	}
	return ctx, nil
}

// failed looks whether an error took the transaction with it. Statements after
// it would otherwise commit one by one.
func (q *querier) failed(err error) error {
	if !q.detached || q.broken != nil {
		return err // the user's own transaction, or a read-only one
	}
	if q.lostTransaction() {
		q.broken = lost{err}
		return q.broken
	}
	return err
}

// lostTransaction asks with BEGIN, which is refused within a transaction.
func (q *querier) lostTransaction() bool {
	if _, err := q.on.exec(context.Background(), "BEGIN", nil); err != nil {
		return false
	}
	_, _ = q.on.exec(context.Background(), "ROLLBACK", nil)
	return true
}

// end closes what was left open; nothing can be run afterwards.
func (q *querier) end() {
	q.ended = true
	for r := range q.open {
		r.Close()
	}
}

// rows is storage.Rows.
type rows struct {
	q       *querier
	sql     *sql.Rows
	release func()
}

func (r *rows) Next() bool { return r.sql.Next() }

func (r *rows) Scan(dest ...any) error { return r.sql.Scan(scannable(dest)...) }

func (r *rows) Err() error {
	if err := r.sql.Err(); err != nil {
		return r.q.failed(err)
	}
	return nil
}

func (r *rows) Close() error {
	if _, open := r.q.open[r]; !open {
		return nil
	}
	delete(r.q.open, r)
	err := r.sql.Close()
	if r.release != nil {
		r.release()
	}
	return err
}

// row is storage.Row: the first of rows.
type row struct {
	rows *rows
	err  error
}

func (r row) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		return errors.Join(r.rows.Err(), noRows(r.rows.sql))
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

func noRows(r *sql.Rows) error {
	if r.Err() != nil {
		return nil
	}
	return sql.ErrNoRows
}
