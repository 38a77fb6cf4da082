package restaurant

import (
	"context"
	"database/sql"
	"time"

	"github.com/pabal-dev/pabal/storage"
)

// restaurantView is a restaurant with what it sells.
type restaurantView struct {
	RestaurantID string        `json:"restaurantId"`
	Name         string        `json:"name"`
	Active       bool          `json:"active"`
	Products     []productView `json:"products"`
}

type productView struct {
	ProductID string `json:"productId"`
	Name      string `json:"name"`
	Price     int64  `json:"price"`
	Quantity  int64  `json:"quantity"`
	Active    bool   `json:"active"`
}

// insertRestaurant returns false where the id is there already.
func insertRestaurant(ctx context.Context, tx storage.Tx, id, name string, at time.Time) (bool, error) {
	n, err := tx.Exec(ctx, `INSERT INTO restaurants (id, name, active, created_at) VALUES ($1, $2, 1, $3)
		ON CONFLICT (id) DO NOTHING`, id, name, at.UnixMicro())
	return n == 1, err
}

func insertProduct(ctx context.Context, tx storage.Tx, restaurantID string, p productView, at time.Time) error {
	_, err := tx.Exec(ctx, `INSERT INTO products (id, restaurant_id, name, price, initial_stock, stock, active, created_at)
		VALUES ($1, $2, $3, $4, $5, $5, 1, $6) ON CONFLICT (id) DO NOTHING`,
		p.ProductID, restaurantID, p.Name, p.Price, p.Quantity, at.UnixMicro())
	return err
}

// setActive returns the restaurant's name, and sql.ErrNoRows where it does not
// exist.
func setActive(ctx context.Context, tx storage.Tx, id string, active bool) (name string, err error) {
	err = tx.QueryRow(ctx, `UPDATE restaurants SET active = $1 WHERE id = $2 RETURNING name`, asInteger(active), id).Scan(&name)
	return name, err
}

func setProductActive(ctx context.Context, tx storage.Tx, restaurantID, id string, active bool) error {
	n, err := tx.Exec(ctx, `UPDATE products SET active = $1 WHERE id = $2 AND restaurant_id = $3`, asInteger(active), id, restaurantID)
	if err == nil && n == 0 {
		err = sql.ErrNoRows
	}
	return err
}

// loadRestaurant returns sql.ErrNoRows where it does not exist.
func loadRestaurant(ctx context.Context, q storage.Querier, id string) (restaurantView, error) {
	v := restaurantView{RestaurantID: id, Products: []productView{}}
	var active int64
	if err := q.QueryRow(ctx, `SELECT name, active FROM restaurants WHERE id = $1`, id).Scan(&v.Name, &active); err != nil {
		return v, err
	}
	v.Active = active == 1
	rows, err := q.Query(ctx, `SELECT id, name, price, stock, active FROM products WHERE restaurant_id = $1 ORDER BY created_at, id`, id)
	if err != nil {
		return v, err
	}
	defer rows.Close()
	for rows.Next() {
		var p productView
		if err := rows.Scan(&p.ProductID, &p.Name, &p.Price, &p.Quantity, &active); err != nil {
			return v, err
		}
		p.Active = active == 1
		v.Products = append(v.Products, p)
	}
	return v, rows.Err()
}

func asInteger(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
