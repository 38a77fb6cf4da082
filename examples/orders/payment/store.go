package payment

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/payment/domain"
	"github.com/pabal-dev/pabal/storage"
)

func openCredit(ctx context.Context, tx storage.Tx, customerID string, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO credits (customer_id, balance, deposited, created_at)
		VALUES ($1, 0, 0, $2) ON CONFLICT (customer_id) DO NOTHING`, customerID, at.UnixMicro())
	return err
}

// debit takes a price where the credit covers it (see domain.Credit.Covers).
// Check and change are one statement, so that two debits at a time can neither
// overdraw nor lose one of them.
func debit(ctx context.Context, tx storage.Tx, customerID string, price int64) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE credits SET balance = balance - $1 WHERE customer_id = $2 AND balance >= $1`, price, customerID)
	return n == 1, err
}

// credit gives back what was debited.
func credit(ctx context.Context, tx storage.Tx, customerID string, amount int64) error {
	n, err := tx.Exec(ctx, `UPDATE credits SET balance = balance + $1 WHERE customer_id = $2`, amount, customerID)
	if err == nil && n != 1 {
		err = fmt.Errorf("no credit of customer %s to give %d back to", customerID, amount)
	}
	return err
}

func loadCredit(ctx context.Context, q storage.Querier, customerID string) (domain.Credit, error) {
	c := domain.Credit{Known: true}
	err := q.QueryRow(ctx, `SELECT balance FROM credits WHERE customer_id = $1`, customerID).Scan(&c.Balance)
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Credit{}, nil
	}
	return c, err
}

// deposit adds to a credit; done is false where the credit is not there or has
// no room for it. A deposit of that id that is there already is done.
func deposit(ctx context.Context, tx storage.Tx, id, customerID string, amount int64, at time.Time) (done bool, err error) {
	n, err := tx.Exec(ctx, `INSERT INTO deposits (id, customer_id, amount, created_at)
		VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`, id, customerID, amount, at.UnixMicro())
	if err != nil || n == 0 {
		return err == nil, err
	}
	n, err = tx.Exec(ctx, `UPDATE credits SET balance = balance + $1, deposited = deposited + $1
		WHERE customer_id = $2 AND deposited <= $3`, amount, customerID, domain.RoomFor(amount))
	return n == 1, err
}

// insertPayment returns false where the order has a payment already.
func insertPayment(ctx context.Context, tx storage.Tx, p domain.Payment, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO payments
		(order_id, customer_id, price, taken, refunded, status, reason, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) ON CONFLICT (order_id) DO NOTHING`,
		p.OrderID, p.CustomerID, p.Price, p.Taken, p.Refunded, string(p.Status), p.Reason, at.UnixMicro())
	return n == 1, err
}

func updatePayment(ctx context.Context, tx storage.Tx, p domain.Payment, at time.Time) error {
	_, err := tx.Exec(ctx, `UPDATE payments SET taken = $1, refunded = $2, status = $3, reason = $4, changed_at = $5
		WHERE order_id = $6`, p.Taken, p.Refunded, string(p.Status), p.Reason, at.UnixMicro(), p.OrderID)
	return err
}

const paymentColumns = `order_id, customer_id, price, taken, refunded, status, reason`

func loadPayment(ctx context.Context, q storage.Querier, orderID string) (domain.Payment, error) {
	return scanPayment(q.QueryRow(ctx, `SELECT `+paymentColumns+` FROM payments WHERE order_id = $1`, orderID))
}

// lockPayment reads a payment that nobody else changes until the transaction
// ends. Updating a row is the lock that both databases have.
func lockPayment(ctx context.Context, tx storage.Tx, orderID string) (domain.Payment, error) {
	return scanPayment(tx.QueryRow(ctx, `UPDATE payments SET changed_at = changed_at WHERE order_id = $1
		RETURNING `+paymentColumns, orderID))
}

func scanPayment(row storage.Row) (domain.Payment, error) {
	var p domain.Payment
	var status string
	err := row.Scan(&p.OrderID, &p.CustomerID, &p.Price, &p.Taken, &p.Refunded, &status, &p.Reason)
	p.Status = domain.Status(status)
	return p, err
}
