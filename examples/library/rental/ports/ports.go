// Package ports is the rental service without its surroundings: what it does, and
// what it needs for that. Package adapters puts REST, sagas and SQL around it.
package ports

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/examples/library/rental/domain"
)

// ErrNoCard: the member has no rental card.
var ErrNoCard = errors.New("unknown rental card")

// Tx is one transaction of the rental service: all of it is done, or none.
type Tx interface {
	// OpenCard makes a card where the member has none, and says whether it did. It
	// locks it like LockCard.
	OpenCard(ctx context.Context, m domain.Member) (domain.Card, bool, error)
	// LockCard reads a card that nobody else changes until the transaction ends;
	// ErrNoCard.
	LockCard(ctx context.Context, memberID string) (domain.Card, error)
	// SaveCard stores what differs between two states of a card.
	SaveCard(ctx context.Context, before, after domain.Card) error

	// Rented tells the others of a rent, and watches what they answer, and when the
	// item is due.
	Rented(ctx context.Context, m domain.Member, l domain.Loan) error
	// Returned tells the others of a return, and watches what they answer.
	Returned(ctx context.Context, m domain.Member, l domain.Loan) error
	// Cleared tells the others of a clearing, and watches what they answer.
	Cleared(ctx context.Context, m domain.Member, c domain.Clearing) error
	// RentUndone tells those who answered nothing that there is no such rent.
	RentUndone(ctx context.Context, m domain.Member, l domain.Loan) error
}

// Store keeps cards.
type Store interface {
	// Update runs fn in a transaction, again where the database gives it up for
	// reasons of its own.
	Update(ctx context.Context, fn func(Tx) error) error
	// Card returns ErrNoCard where there is none.
	Card(ctx context.Context, memberID string) (domain.Card, error)
	// NewID is a correlation id that was never used.
	NewID() string
	// Now is the time of the service's clock.
	Now() time.Time
}
