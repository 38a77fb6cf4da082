// Package ports is the reservation service without its surroundings: what it does, and
// what it needs for that. Package adapters puts REST, messages, sagas and SQL around it.
package ports

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/hotel/reservation/domain"
)

// ErrNoReservation: there is no reservation of that id.
var ErrNoReservation = errors.New("unknown reservation")

// Tx is one transaction of the reservation service: all of it is done, or none.
type Tx interface {
	// Add says whether the id was new; otherwise nothing is done.
	Add(ctx context.Context, r domain.Reservation) (bool, error)
	// Lock reads one that nobody else changes until the transaction ends;
	// ErrNoReservation.
	Lock(ctx context.Context, id int64) (domain.Reservation, error)
	// Save its status and reason.
	Save(ctx context.Context, r domain.Reservation) error

	// Reserve asks the room service for the nights, and has the answer watched for.
	Reserve(ctx context.Context, r domain.Reservation) error
	// Cancel tells it that they are not wanted, and has the answer watched for.
	Cancel(ctx context.Context, r domain.Reservation) error
}

// Store keeps reservations.
type Store interface {
	// Update runs fn in a transaction, again where the database gives it up for
	// reasons of its own.
	Update(ctx context.Context, fn func(Tx) error) error
	// NewID is one that no reservation has had.
	NewID(ctx context.Context) (int64, error)
}
