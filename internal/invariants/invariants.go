// Package invariants recomputes from the services' databases what must hold
// once nothing is under way any more. It shares no code with the services:
// everything it knows of them is the tables that their README.md describes.
// Nobody may write meanwhile.
package invariants

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/storage"
)

// Viewer reads a database.
type Viewer interface {
	View(ctx context.Context, fn func(storage.Querier) error) error
}

// Databases are those of the four services.
type Databases struct {
	Order, Payment, Restaurant, Customer Viewer
	// Postgres says that they are PostgreSQL's: text is sorted by byte there
	// only where the query says so.
	Postgres bool
}

// Accepted calls fn with batches of the Idempotency-Keys that were accepted and
// the order ids they were answered with.
type Accepted func(batch int, fn func(keys, orders []string) error) error

// Names of the orders' invariants.
const (
	Money    = "money"    // deposits = credits + money taken
	Debits   = "debits"   // one debit per paid order
	Refunds  = "refunds"  // one refund per cancelled paid order
	Stock    = "stock"    // stock = initial - approved, never negative
	Orders   = "orders"   // every order in a final state
	Once     = "accepted" // every accepted POST has exactly one order
	Messages = "messages" // none waits, none failed, none is dead
)

// Check computes all of them. Its error says that a database could not be
// read; a violation is a Result that is not OK.
func Check(ctx context.Context, dbs Databases, accepted Accepted) ([]Result, error) {
	c := newChecker(dbs)
	for _, step := range []func(context.Context) error{
		c.money, c.stock, c.orders, c.messages,
		func(ctx context.Context) error { return c.accepted(ctx, accepted) },
	} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("read the services' databases: %w", err)
		}
	}
	return c.results(), nil
}

// checker looks at orders.
type checker struct {
	Databases
	findings
}

func newChecker(dbs Databases) *checker {
	return &checker{dbs, newFindings(Money, Debits, Refunds, Stock, Orders, Once, Messages)}
}

// row reads one row of one database.
func row(ctx context.Context, db Viewer, query string, dest ...any) error {
	return db.View(ctx, func(q storage.Querier) error { return q.QueryRow(ctx, query).Scan(dest...) })
}

// each calls fn for every row of one database.
func each(ctx context.Context, db Viewer, query string, args []any, fn func(storage.Row) error) error {
	return db.View(ctx, func(q storage.Querier) error {
		rows, err := q.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := fn(rows); err != nil {
				return errors.Join(err, rows.Close())
			}
		}
		return errors.Join(rows.Err(), rows.Close())
	})
}
