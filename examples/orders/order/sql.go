package order

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

// sqlOrders are Orders in PostgreSQL or SQLite.
type sqlOrders struct {
	saga.Store[storage.Tx]
	db storage.DB
}

func inSQL(db storage.DB) Orders[storage.Tx] { return sqlOrders{db, db} }

func (sqlOrders) NewID() string { return event.NewID() }

func (sqlOrders) Insert(ctx context.Context, tx storage.Tx, o Stored) (bool, error) {
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

func (sqlOrders) Change(ctx context.Context, tx storage.Tx, changes []Changed, steps []Step) error {
	var rows, entries values
	for _, c := range changes {
		rows.add(c.OrderID, c.Status, c.Awaiting, c.Reason, c.At.UnixMicro())
	}
	nth := map[string]int{}
	for _, s := range steps {
		nth[s.OrderID]++
		entries.add(s.OrderID, nth[s.OrderID], s.Status, s.Awaiting, s.Note, s.Cause, s.CauseID, s.At.UnixMicro())
	}
	if err := updateOrders(ctx, tx, rows); err != nil {
		return err
	}
	return insertTransitions(ctx, tx, entries)
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

func (sqlOrders) Load(ctx context.Context, tx storage.Tx, id string) (Stored, []Step, error) {
	return read(ctx, tx, id)
}

func (s sqlOrders) Read(ctx context.Context, id string) (o Stored, steps []Step, err error) {
	err = s.db.View(ctx, func(q storage.Querier) error {
		o, steps, err = read(ctx, q, id)
		return err
	})
	return o, steps, err
}

func read(ctx context.Context, q storage.Querier, id string) (Stored, []Step, error) {
	o, err := load(ctx, q, id)
	if err != nil {
		return o, nil, err
	}
	steps, err := timeline(ctx, q, id)
	return o, steps, err
}

func load(ctx context.Context, q storage.Querier, id string) (Stored, error) {
	var o Stored
	var status, items string
	var created, changed int64
	err := q.QueryRow(ctx, `SELECT customer_id, restaurant_id, items, price, status, awaiting, reason, created_at, changed_at
		FROM orders WHERE id = $1`, id).
		Scan(&o.CustomerID, &o.RestaurantID, &items, &o.Price, &status, &o.Awaiting, &o.Reason, &created, &changed)
	if err != nil {
		return Stored{}, fmt.Errorf("load order %s: %w", id, notFound(err))
	}
	o.ID, o.Status = id, domain.Status(status)
	o.CreatedAt, o.ChangedAt = fromMicros(created), fromMicros(changed)
	o.Items, err = parseItems(items)
	return o, err
}

func notFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

func (sqlOrders) PlacedBefore(ctx context.Context, tx storage.Tx, key string) (orderID, requestHash string, err error) {
	err = tx.QueryRow(ctx, `SELECT id, request_hash FROM orders WHERE idempotency_key = $1`, key).Scan(&orderID, &requestHash)
	return orderID, requestHash, notFound(err)
}

func timeline(ctx context.Context, q storage.Querier, id string) ([]Step, error) {
	rows, err := q.Query(ctx, `SELECT status, awaiting, note, cause, cause_id, at FROM order_transitions
		WHERE order_id = $1 ORDER BY version`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var steps []Step
	for rows.Next() {
		var s Step
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
