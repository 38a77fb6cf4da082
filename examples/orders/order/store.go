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
	Version              int64
	CreatedAt, ChangedAt time.Time

	// IdempotencyKey and RequestHash are set on insert only, where the
	// customer gave a key.
	IdempotencyKey, RequestHash string

	previous domain.Status
}

// after is o with its next state.
func (o stored) after(next domain.Order, at time.Time) stored {
	o.previous, o.Order = o.Status, next
	o.Version++
	o.ChangedAt = at
	return o
}

// insert returns false where the id or the idempotency key is there already.
func insert(ctx context.Context, tx storage.Tx, o stored) (bool, error) {
	items, err := json.Marshal(products(o.Items))
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, `INSERT INTO orders
		(id, customer_id, restaurant_id, items, price, status, awaiting, reason, version, idempotency_key, request_hash, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING`,
		o.ID, o.CustomerID, o.RestaurantID, string(items), o.Price, string(o.Status), string(o.Awaiting), o.Reason, o.Version,
		orNull(o.IdempotencyKey), orNull(o.RequestHash), o.CreatedAt.UnixMicro(), o.ChangedAt.UnixMicro())
	return n == 1, err
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// update returns false where the row is not the one of before any more.
func update(ctx context.Context, tx storage.Tx, before, next stored) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE orders SET status = $1, awaiting = $2, reason = $3, version = $4, changed_at = $5
		WHERE id = $6 AND version = $7`,
		string(next.Status), string(next.Awaiting), next.Reason, next.Version, next.ChangedAt.UnixMicro(), next.ID, before.Version)
	return n == 1, err
}

// load returns an error that is sql.ErrNoRows where the order does not exist.
func load(ctx context.Context, q storage.Querier, id string) (stored, error) {
	var o stored
	var status, awaiting, items string
	var created, changed int64
	err := q.QueryRow(ctx, `SELECT customer_id, restaurant_id, items, price, status, awaiting, reason, version, created_at, changed_at
		FROM orders WHERE id = $1`, id).
		Scan(&o.CustomerID, &o.RestaurantID, &items, &o.Price, &status, &awaiting, &o.Reason, &o.Version, &created, &changed)
	if err != nil {
		return stored{}, fmt.Errorf("load order %s: %w", id, err)
	}
	o.ID, o.Status, o.Awaiting = id, domain.Status(status), domain.Awaiting(awaiting)
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

func insertTransition(ctx context.Context, tx storage.Tx, o stored, note string, why cause) error {
	_, err := tx.Exec(ctx, `INSERT INTO order_transitions (order_id, version, status, awaiting, note, cause, cause_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		o.ID, o.Version, string(o.Status), string(o.Awaiting), note, why.name, why.event.ID, o.ChangedAt.UnixMicro())
	return err
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
