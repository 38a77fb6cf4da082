// Package adapters puts REST, messages and SQL around the book service's ports.
package adapters

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/book/domain"
	"github.com/pabal-dev/pabal/examples/library/book/ports"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/examples/service/ids"
	"github.com/pabal-dev/pabal/storage"
)

// store is ports.Store over the service's database.
type store struct {
	env service.Env
	nos *ids.Numbers
}

func newStore(env service.Env) *store { return &store{env, ids.New(env, "books")} }

func (s *store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	return s.env.Update(ctx, func(tx storage.Tx) error { return fn(&transaction{Tx: tx, env: s.env}) })
}

func (s *store) Book(ctx context.Context, no int64) (book domain.Book, err error) {
	err = s.env.DB.View(ctx, func(q storage.Querier) error {
		book, err = scanBook(q.QueryRow(ctx, `SELECT `+bookColumns+` FROM books WHERE no = $1`, no))
		return err
	})
	return book, err
}

func (s *store) NewNo(ctx context.Context) (int64, error) { return s.nos.Next(ctx) }

// transaction is ports.Tx. cause and about are of the message that is handled, if any.
type transaction struct {
	storage.Tx
	env   service.Env
	cause event.Event
	about message.EventResult
}

func (tx *transaction) AddBook(ctx context.Context, b domain.Book) error {
	_, err := tx.Exec(ctx, `INSERT INTO books (no, title, author, isbn, status, holder, rental_id, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (no) DO NOTHING`,
		b.No, b.Title, b.Author, b.ISBN, string(b.Status), b.Holder, b.RentalID, tx.env.Now().UnixMicro())
	return err
}

// LockBook updates the row: that is the lock that both databases have.
func (tx *transaction) LockBook(ctx context.Context, no int64) (domain.Book, error) {
	return scanBook(tx.QueryRow(ctx, `UPDATE books SET changed_at = changed_at WHERE no = $1 RETURNING `+bookColumns, no))
}

func (tx *transaction) SaveBook(ctx context.Context, b domain.Book) error {
	_, err := tx.Exec(ctx, `UPDATE books SET status = $1, holder = $2, rental_id = $3, changed_at = $4 WHERE no = $5`,
		string(b.Status), b.Holder, b.RentalID, tx.env.Now().UnixMicro(), b.No)
	return err
}

const bookColumns = `no, title, author, isbn, status, holder, rental_id`

func scanBook(row storage.Row) (domain.Book, error) {
	var b domain.Book
	var status string
	err := row.Scan(&b.No, &b.Title, &b.Author, &b.ISBN, &status, &b.Holder, &b.RentalID)
	if errors.Is(err, sql.ErrNoRows) {
		return b, ports.ErrNoBook
	}
	b.Status = domain.Status(status)
	return b, err
}

func (tx *transaction) AddStep(ctx context.Context, s domain.Step) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO book_steps (id, kind, book_no, member_id, rental_id, status, reason, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (id, kind) DO NOTHING`,
		s.ID, string(s.Kind), s.BookNo, s.Member, s.RentalID, string(s.Status), s.Reason, tx.env.Now().UnixMicro())
	return n == 1, err
}

func (tx *transaction) LockStep(ctx context.Context, id string, kind domain.Kind) (domain.Step, error) {
	s := domain.Step{ID: id, Kind: kind}
	var status string
	err := tx.QueryRow(ctx, `UPDATE book_steps SET changed_at = changed_at WHERE id = $1 AND kind = $2
		RETURNING book_no, member_id, rental_id, status, reason`, id, string(kind)).
		Scan(&s.BookNo, &s.Member, &s.RentalID, &status, &s.Reason)
	s.Status = domain.StepStatus(status)
	return s, err
}

func (tx *transaction) SaveStep(ctx context.Context, s domain.Step) error {
	_, err := tx.Exec(ctx, `UPDATE book_steps SET rental_id = $1, status = $2, reason = $3, changed_at = $4 WHERE id = $5 AND kind = $6`,
		s.RentalID, string(s.Status), s.Reason, tx.env.Now().UnixMicro(), s.ID, string(s.Kind))
	return err
}
