package order

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/storage"
)

func (sqlOrders) Project(ctx context.Context, tx storage.Tx, o message.OrderChanged) error {
	items, err := json.Marshal(o.Items)
	if err != nil {
		return err
	}
	// An order's changes come in their order, so the last one is the newest.
	_, err = tx.Exec(ctx, `INSERT INTO order_view (id, customer_id, restaurant_id, items, price, status, reason, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (id) DO UPDATE SET status = excluded.status, reason = excluded.reason, changed_at = excluded.changed_at`,
		o.OrderID, o.CustomerID, o.RestaurantID, string(items), o.Price, o.Status, o.Reason, o.ChangedAt.UnixMicro())
	return err
}

func (o sqlOrders) Find(ctx context.Context, s Search) (found []Line, err error) {
	err = o.db.View(ctx, func(q storage.Querier) error {
		found, err = find(ctx, q, s)
		return err
	})
	return found, err
}

func find(ctx context.Context, q storage.Querier, s Search) ([]Line, error) {
	text, args := s.sql()
	rows, err := q.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []Line{}
	for rows.Next() {
		var o Line
		var items string
		var changed int64
		if err := rows.Scan(&o.OrderID, &o.CustomerID, &o.RestaurantID, &items, &o.Price, &o.Status, &o.Reason, &changed); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(items), &o.Items); err != nil {
			return nil, err
		}
		o.ChangedAt = time.UnixMicro(changed).UTC()
		found = append(found, o)
	}
	return found, rows.Err()
}

// sql has only the conditions asked for, so that each finds its index.
func (s Search) sql() (text string, args []any) {
	text, args = "SELECT id, customer_id, restaurant_id, items, price, status, reason, changed_at FROM order_view WHERE id > $1", []any{s.After}
	for _, condition := range []struct{ column, value string }{{"customer_id", s.Customer}, {"status", s.Status}} {
		if condition.value != "" {
			args = append(args, condition.value)
			text += fmt.Sprintf(" AND %s = $%d", condition.column, len(args))
		}
	}
	args = append(args, s.Limit+1)
	return text + fmt.Sprintf(" ORDER BY id LIMIT $%d", len(args)), args
}
