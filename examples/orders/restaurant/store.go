package restaurant

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/restaurant/domain"
	"github.com/pabal-dev/pabal/storage"
)

// loadMenu reads what the restaurant has of the products named.
func loadMenu(ctx context.Context, q storage.Querier, restaurantID string, lines []domain.Line) (domain.Menu, error) {
	args := []any{restaurantID}
	for _, line := range lines {
		args = append(args, line.ProductID)
	}
	rows, err := q.Query(ctx, `SELECT r.active, COALESCE(p.id, ''), COALESCE(p.price, 0), COALESCE(p.stock, 0), COALESCE(p.active, 0)
		FROM restaurants r LEFT JOIN products p ON p.restaurant_id = r.id AND p.id IN (`+placeholders(2, len(lines))+`)
		WHERE r.id = $1`, args...)
	if err != nil {
		return domain.Menu{}, err
	}
	defer rows.Close()
	menu := domain.Menu{Products: make(map[string]domain.Product, len(lines))}
	for rows.Next() {
		var p domain.Product
		var active, productActive int64
		if err := rows.Scan(&active, &p.ID, &p.Price, &p.Stock, &productActive); err != nil {
			return domain.Menu{}, err
		}
		menu.Known, menu.Active = true, active == 1
		p.Active = productActive == 1
		if p.ID != "" {
			menu.Products[p.ID] = p
		}
	}
	return menu, rows.Err()
}

// placeholders are n of them, the first one with that number; NULL for none.
func placeholders(first, n int) string {
	if n == 0 {
		return "NULL"
	}
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", first+i)
	}
	return b.String()
}

// take lowers a stock where it suffices. Check and change are one statement, so
// that it never goes below 0.
func take(ctx context.Context, tx storage.Tx, line domain.Line) (bool, error) {
	n, err := tx.Exec(ctx, `UPDATE products SET stock = stock - $1 WHERE id = $2 AND stock >= $1`, line.Quantity, line.ProductID)
	return n == 1, err
}

func putBack(ctx context.Context, tx storage.Tx, lines []domain.Line) error {
	for _, line := range lines {
		if _, err := tx.Exec(ctx, `UPDATE products SET stock = stock + $1 WHERE id = $2`, line.Quantity, line.ProductID); err != nil {
			return err
		}
	}
	return nil
}

// insertApproval returns false where the order has one already.
func insertApproval(ctx context.Context, tx storage.Tx, a approval, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO approvals (order_id, restaurant_id, status, reason, created_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (order_id) DO NOTHING`,
		a.OrderID, a.RestaurantID, a.Status, a.Reason, at.UnixMicro())
	return n == 1, err
}

func updateApproval(ctx context.Context, tx storage.Tx, a approval) error {
	_, err := tx.Exec(ctx, `UPDATE approvals SET status = $1, reason = $2 WHERE order_id = $3`, a.Status, a.Reason, a.OrderID)
	return err
}

func loadApproval(ctx context.Context, q storage.Querier, orderID string) (approval, error) {
	a := approval{OrderID: orderID}
	err := q.QueryRow(ctx, `SELECT restaurant_id, status, reason FROM approvals WHERE order_id = $1`, orderID).
		Scan(&a.RestaurantID, &a.Status, &a.Reason)
	return a, err
}

func insertItems(ctx context.Context, tx storage.Tx, orderID string, lines []domain.Line) error {
	for _, line := range lines {
		if _, err := tx.Exec(ctx, `INSERT INTO approval_items (order_id, product_id, quantity) VALUES ($1, $2, $3)`,
			orderID, line.ProductID, line.Quantity); err != nil {
			return err
		}
	}
	return nil
}
