// Package ports is the best books without their surroundings: how messages change
// them, and what keeps them. Package adapters has one for SQL and one for MongoDB.
package ports

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/library/bestbook/domain"
)

// Tx is one transaction of the view: all of it is done, or none. Transactions of one
// view take turns, or the later one of two is done again.
type Tx interface {
	// Rent is nil where there is none of that id.
	Rent(ctx context.Context, id string) (*domain.Rent, error)
	// PutRent adds or replaces one.
	PutRent(ctx context.Context, r domain.Rent) error
	// Count changes how often a book was rented.
	Count(ctx context.Context, bookNo int64, title string, change int64) error
}

// Books are asked for the best.
type Books interface {
	// Best are those that were rented the most, at most limit, none that was not; of
	// two the one with the lower number comes first.
	Best(ctx context.Context, limit int) ([]domain.Best, error)
}

// ErrUnavailable is wrapped where Books are kept elsewhere, and that is away.
var ErrUnavailable = errors.New("the best books are not available")

// Heard of a rent, or of its cancel.
func Heard(ctx context.Context, tx Tx, heard domain.Rent, title string) error {
	known, err := tx.Rent(ctx, heard.ID)
	if err != nil {
		return err
	}
	after, change := domain.Follow(known, heard)
	if known == nil || after != *known {
		if err := tx.PutRent(ctx, after); err != nil {
			return err
		}
	}
	if change == 0 {
		return nil
	}
	return tx.Count(ctx, after.BookNo, title, change)
}
