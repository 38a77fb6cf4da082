package order

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/storage"
)

// stored is an order as its row has it.
type stored struct {
	domain.Order
	Awaiting             string
	CreatedAt, ChangedAt time.Time

	// IdempotencyKey and RequestHash are set on insert only, where the
	// customer gave a key.
	IdempotencyKey, RequestHash string
}

// insert stores a fresh order; it returns false where the id or the idempotency key
// is there already.
func insert(ctx context.Context, tx storage.Tx, o stored) (bool, error) {
	items, err := json.Marshal(products(o.Items))
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO orders
		(id, customer_id, restaurant_id, items, price, status, awaiting, reason, idempotency_key, request_hash, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11) ON CONFLICT DO NOTHING`,
		o.ID, o.CustomerID, o.RestaurantID, string(items), o.Price, string(o.Status), string(o.Order.Awaiting()), o.Reason,
		orNull(o.IdempotencyKey), orNull(o.RequestHash), o.CreatedAt.UnixMicro())
	return n == 1, err
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// updateOrders takes rows of id, status, awaiting, reason and changed_at.
func updateOrders(ctx context.Context, tx storage.Tx, rows values) error {
	if len(rows.args) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE orders SET status = v.column2, awaiting = v.column3, reason = v.column4, changed_at = v.column5
		FROM (VALUES `+rows.text.String()+`) v WHERE orders.id = v.column1`, rows.args...)
	return err
}

// insertTransitions takes rows of order_id, which of the order's this one is (from
// 1), status, awaiting, note, cause, cause_id and at. version goes on from the
// order's last.
func insertTransitions(ctx context.Context, tx storage.Tx, rows values) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_transitions (order_id, version, status, awaiting, note, cause, cause_id, at)
		SELECT v.column1, v.column2 + COALESCE((SELECT MAX(version) FROM order_transitions WHERE order_id = v.column1), 0),
			v.column3, v.column4, v.column5, v.column6, v.column7, v.column8
		FROM (VALUES `+rows.text.String()+`) v`, rows.args...)
	return err
}

// load returns an error that is sql.ErrNoRows where the order does not exist.
func load(ctx context.Context, q storage.Querier, id string) (stored, error) {
	var o stored
	var status, items string
	var created, changed int64
	err := q.QueryRow(ctx, `SELECT customer_id, restaurant_id, items, price, status, awaiting, reason, created_at, changed_at
		FROM orders WHERE id = $1`, id).
		Scan(&o.CustomerID, &o.RestaurantID, &items, &o.Price, &status, &o.Awaiting, &o.Reason, &created, &changed)
	if err != nil {
		return stored{}, fmt.Errorf("load order %s: %w", id, err)
	}
	o.ID, o.Status = id, domain.Status(status)
	o.CreatedAt, o.ChangedAt = fromMicros(created), fromMicros(changed)
	o.Items, err = parseItems(items)
	return o, err
}

// byKey returns which order was placed under an idempotency key, and by what
// request.
func byKey(ctx context.Context, q storage.Querier, key string) (orderID, requestHash string, err error) {
	err = q.QueryRow(ctx, `SELECT id, request_hash FROM orders WHERE idempotency_key = $1`, key).Scan(&orderID, &requestHash)
	return orderID, requestHash, err
}

// step is one entry of an order's timeline.
type step struct {
	Status   string    `json:"status"`
	Awaiting string    `json:"awaiting,omitempty"`
	Note     string    `json:"note,omitempty"`
	Cause    string    `json:"cause"`
	CauseID  string    `json:"causeId,omitempty"`
	At       time.Time `json:"at"`
}

func timeline(ctx context.Context, q storage.Querier, id string) ([]step, error) {
	rows, err := q.Query(ctx, `SELECT status, awaiting, note, cause, cause_id, at FROM order_transitions
		WHERE order_id = $1 ORDER BY version`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var steps []step
	for rows.Next() {
		var s step
		var at int64
		if err := rows.Scan(&s.Status, &s.Awaiting, &s.Note, &s.Cause, &s.CauseID, &at); err != nil {
			return nil, err
		}
		s.At = fromMicros(at)
		steps = append(steps, s)
	}
	return steps, rows.Err()
}

func parseItems(text string) ([]domain.Item, error) {
	var lines []message.Product
	if err := json.Unmarshal([]byte(text), &lines); err != nil {
		return nil, fmt.Errorf("items of an order: %w", err)
	}
	return items(lines), nil
}

func fromMicros(at int64) time.Time { return time.UnixMicro(at).UTC() }
