// Package adapters puts REST, sagas and SQL around the rental service's ports.
package adapters

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/library/rental/domain"
	"github.com/pabal-dev/pabal/examples/library/rental/ports"
	"github.com/pabal-dev/pabal/storage"
)

// store is ports.Store over the service's database.
type store struct{ sagas *Sagas }

func (s store) Update(ctx context.Context, fn func(ports.Tx) error) error {
	return s.sagas.env.Update(ctx, func(tx storage.Tx) error { return fn(&transaction{Tx: tx, sagas: s.sagas}) })
}

func (s store) Card(ctx context.Context, memberID string) (c domain.Card, err error) {
	err = s.sagas.env.DB.View(ctx, func(q storage.Querier) error {
		c, err = loadCard(ctx, q, q.QueryRow(ctx, `SELECT `+cardColumns+` FROM rental_cards WHERE member_id = $1`, memberID))
		return err
	})
	return c, err
}

func (s store) NewID() string { return event.NewID() }

func (s store) Now() time.Time { return s.sagas.env.Now() }

// transaction is ports.Tx. causes are the messages that settle transactions, by
// their correlation ids.
type transaction struct {
	storage.Tx
	sagas  *Sagas
	causes map[string]event.Event
}

func (tx *transaction) now() int64 { return tx.sagas.env.Now().UnixMicro() }

func (tx *transaction) OpenCard(ctx context.Context, m domain.Member) (domain.Card, bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO rental_cards (member_id, name, late_fee, status, created_at, changed_at)
		VALUES ($1, $2, 0, $3, $4, $4) ON CONFLICT (member_id) DO NOTHING`, m.ID, m.Name, string(domain.RentAvailable), tx.now())
	if err != nil {
		return domain.Card{}, false, err
	}
	c, err := tx.LockCard(ctx, m.ID)
	return c, n == 1, err
}

// LockCard updates the row: that is the lock that both databases have.
func (tx *transaction) LockCard(ctx context.Context, memberID string) (domain.Card, error) {
	return loadCard(ctx, tx, tx.QueryRow(ctx, `UPDATE rental_cards SET changed_at = changed_at WHERE member_id = $1
		RETURNING `+cardColumns, memberID))
}

const cardColumns = `member_id, name, late_fee`

func loadCard(ctx context.Context, q storage.Querier, row storage.Row) (c domain.Card, err error) {
	err = row.Scan(&c.Member.ID, &c.Member.Name, &c.LateFee)
	if errors.Is(err, sql.ErrNoRows) {
		return c, ports.ErrNoCard
	}
	if err != nil {
		return c, err
	}
	if c.Loans, err = loadLoans(ctx, q, c.Member.ID); err != nil {
		return c, err
	}
	c.Clearing, err = loadClearing(ctx, q, c.Member.ID)
	return c, err
}

func loadLoans(ctx context.Context, q storage.Querier, memberID string) (all []domain.Loan, err error) {
	rows, err := q.Query(ctx, `SELECT id, item_no, title, status, rented_at, due_at, overdue, return_id, returned_at, late_fee
		FROM rentals WHERE member_id = $1 AND status IN ('RENTING', 'RENTED', 'RETURNING', 'CANCELLING')
		ORDER BY rented_at, id`, memberID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l domain.Loan
		var status string
		var rented, due, overdue, returned int64
		if err := rows.Scan(&l.ID, &l.Item.No, &l.Item.Title, &status, &rented, &due, &overdue, &l.ReturnID, &returned, &l.LateFee); err != nil {
			return nil, err
		}
		l.Status, l.Overdue = domain.LoanStatus(status), overdue == 1
		l.RentedAt, l.DueAt, l.ReturnedAt = fromMicros(rented), fromMicros(due), fromMicros(returned)
		all = append(all, l)
	}
	return all, rows.Err()
}

func loadClearing(ctx context.Context, q storage.Querier, memberID string) (*domain.Clearing, error) {
	c := domain.Clearing{Status: domain.Pending}
	err := q.QueryRow(ctx, `SELECT id, point FROM clearings WHERE member_id = $1 AND status = 'PENDING'`, memberID).Scan(&c.ID, &c.Points)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &c, err
}

// fromMicros takes 0 for no time, and micros gives it.
func fromMicros(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
