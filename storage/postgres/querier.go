package postgres

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pabal-dev/pabal/storage"
)

// pgxConn is what pgx.Tx, *pgx.Conn and *pgxpool.Pool have in common.
type pgxConn interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// pgxQuerier remembers its last rows: while they are open nothing else can run.
type pgxQuerier struct {
	conn pgxConn
	last pgx.Rows
}

// closeRows closes those that were forgotten, so that the transaction can end.
func (q *pgxQuerier) closeRows() {
	if q.last != nil {
		q.last.Close()
	}
}

func (q *pgxQuerier) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := q.conn.Exec(ctx, query, args...)
	return tag.RowsAffected(), err
}

func (q *pgxQuerier) Query(ctx context.Context, query string, args ...any) (storage.Rows, error) {
	rows, err := q.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	q.last = rows
	return pgxRows{rows}, nil
}

func (q *pgxQuerier) QueryRow(ctx context.Context, query string, args ...any) storage.Row {
	return q.conn.QueryRow(ctx, query, args...)
}

type pgxRows struct{ pgx.Rows }

func (r pgxRows) Close() error {
	r.Rows.Close()
	return r.Rows.Err()
}

// sqlQuerier passes slices as array literals: database/sql knows no arrays, and
// drivers differ in what they take for one.
type sqlQuerier struct{ tx *sql.Tx }

func (q sqlQuerier) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	result, err := q.tx.ExecContext(ctx, query, arrayLiterals(args)...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (q sqlQuerier) Query(ctx context.Context, query string, args ...any) (storage.Rows, error) {
	rows, err := q.tx.QueryContext(ctx, query, arrayLiterals(args)...)
	if err != nil {
		return nil, err
	}
	return rows, nil
}

func (q sqlQuerier) QueryRow(ctx context.Context, query string, args ...any) storage.Row {
	return q.tx.QueryRowContext(ctx, query, arrayLiterals(args)...)
}
