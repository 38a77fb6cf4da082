package adapters

import (
	"context"
	"slices"

	"github.com/pabal-dev/pabal/examples/library/rental/domain"
)

// SaveCard implements ports.Tx.
func (tx *transaction) SaveCard(ctx context.Context, before, after domain.Card) error {
	for _, l := range after.Loans {
		i := slices.IndexFunc(before.Loans, func(b domain.Loan) bool { return b.ID == l.ID })
		if i >= 0 && before.Loans[i] == l {
			continue
		}
		if err := tx.saveLoan(ctx, after.Member, l); err != nil {
			return err
		}
		if i >= 0 {
			if err := tx.saveReturn(ctx, after.Member, before.Loans[i], l); err != nil {
				return err
			}
		}
	}
	if err := tx.saveClearing(ctx, after.Member, before.Clearing, after.Clearing); err != nil {
		return err
	}
	if before.LateFee == after.LateFee && before.Status() == after.Status() {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE rental_cards SET late_fee = $1, status = $2, changed_at = $3 WHERE member_id = $4`,
		after.LateFee, string(after.Status()), tx.now(), after.Member.ID)
	return err
}

func (tx *transaction) saveLoan(ctx context.Context, m domain.Member, l domain.Loan) error {
	overdue := int64(0)
	if l.Overdue {
		overdue = 1
	}
	_, err := tx.Exec(ctx, `INSERT INTO rentals
		(id, member_id, item_no, title, status, rented_at, due_at, overdue, return_id, returned_at, late_fee, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, due_at = excluded.due_at, overdue = excluded.overdue,
			return_id = excluded.return_id, returned_at = excluded.returned_at, late_fee = excluded.late_fee, changed_at = excluded.changed_at`,
		l.ID, m.ID, l.Item.No, l.Item.Title, string(l.Status), micros(l.RentedAt), micros(l.DueAt), overdue,
		l.ReturnID, micros(l.ReturnedAt), l.LateFee, tx.now())
	return err
}

// saveReturn keeps what becomes of returns, also of those that were undone.
func (tx *transaction) saveReturn(ctx context.Context, m domain.Member, before, after domain.Loan) error {
	if before.Status == after.Status {
		return nil
	}
	switch {
	case after.Status == domain.Returning:
		_, err := tx.Exec(ctx, `INSERT INTO returns (id, rental_id, member_id, late_fee, status, created_at, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $6)`, after.ReturnID, after.ID, m.ID, after.LateFee, string(domain.Pending), tx.now())
		return err
	case before.Status == domain.Returning:
		status := domain.Done
		if after.Status != domain.Returned {
			status = domain.Undone
		}
		_, err := tx.Exec(ctx, `UPDATE returns SET status = $1, changed_at = $2 WHERE id = $3`, string(status), tx.now(), before.ReturnID)
		return err
	}
	return nil
}

func (tx *transaction) saveClearing(ctx context.Context, m domain.Member, before, after *domain.Clearing) error {
	if after == nil || before != nil && *before == *after {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO clearings (id, member_id, point, status, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (id) DO UPDATE SET status = excluded.status, changed_at = excluded.changed_at`,
		after.ID, m.ID, after.Points, string(after.Status), tx.now())
	return err
}
