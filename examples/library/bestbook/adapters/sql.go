// Package adapters puts REST, messages and SQL around the best books; package mongo
// has MongoDB.
package adapters

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/examples/library/bestbook/domain"
	"github.com/pabal-dev/pabal/examples/library/bestbook/ports"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

// View keeps the best books in the service's database.
func View(env service.Env) map[string]inbox.Handler[storage.Tx] {
	return Handlers(env, func(ctx context.Context, tx storage.Tx, change func(context.Context, ports.Tx) error) error {
		n, err := tx.Exec(ctx, `UPDATE turns SET taken = taken + 1 WHERE name = 'view'`)
		if err != nil || n != 1 {
			return fmt.Errorf("take the view's turn (%d rows): %w", n, err)
		}
		return change(ctx, sqlTx{tx})
	})
}

// sqlTx is ports.Tx.
type sqlTx struct{ storage.Tx }

func (tx sqlTx) Rent(ctx context.Context, id string) (*domain.Rent, error) {
	r := domain.Rent{ID: id}
	var status string
	err := tx.QueryRow(ctx, `SELECT book_no, status FROM rents WHERE id = $1`, id).Scan(&r.BookNo, &status)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	r.Status = domain.Status(status)
	return &r, err
}

func (tx sqlTx) PutRent(ctx context.Context, r domain.Rent) error {
	_, err := tx.Exec(ctx, `INSERT INTO rents (id, book_no, status) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status`, r.ID, r.BookNo, string(r.Status))
	return err
}

func (tx sqlTx) Count(ctx context.Context, bookNo int64, title string, change int64) error {
	n, err := tx.Exec(ctx, `UPDATE best_books SET rents = rents + $1 WHERE book_no = $2`, change, bookNo)
	if err != nil || n == 1 {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO best_books (book_no, title, rents) VALUES ($1, $2, $3)`, bookNo, title, change)
	return err
}

// sqlBooks is ports.Books.
type sqlBooks struct{ db storage.DB }

// NewSQLBooks are those that View keeps.
func NewSQLBooks(db storage.DB) ports.Books { return sqlBooks{db} }

func (b sqlBooks) Best(ctx context.Context, limit int) (best []domain.Best, err error) {
	err = b.db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, `SELECT book_no, title, rents FROM best_books WHERE rents > 0
			ORDER BY rents DESC, book_no LIMIT $1`, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b domain.Best
			if err := rows.Scan(&b.BookNo, &b.Title, &b.Rents); err != nil {
				return err
			}
			best = append(best, b)
		}
		return rows.Err()
	})
	return best, err
}
