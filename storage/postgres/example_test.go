package postgres_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// Who owns his transactions joins them: the message commits with the rest, or not at
// all.
func ExampleJoin() {
	cancelOrder := func(ctx context.Context, conn *pgx.Conn, id string) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE orders SET status = 'CANCELLED' WHERE id = $1", id); err != nil {
				return err
			}
			return outbox.Enqueue(ctx, postgres.Join(tx), event.New("order-cancelled", id, nil))
		})
	}
	_ = cancelOrder
}

// What is no PostgreSQL URL is refused before anything is connected.
func ExampleOpen() {
	_, err := postgres.Open(context.Background(), "sqlite:/tmp/shop.db", postgres.Config{})
	fmt.Println(strings.Contains(err.Error(), "expected postgres://user:password@host:port/database"))
	// Output: true
}
