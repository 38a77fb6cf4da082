// Package ports is the room service without its surroundings: what it does, and what
// it needs for that. Package adapters puts REST, messages and SQL around it.
package ports

import (
	"context"
	"errors"

	"github.com/pabal-dev/pabal/examples/hotel/room/domain"
)

// ErrNoRoom: there is no room of that id.
var ErrNoRoom = errors.New("unknown room")

// Tx is one transaction of the room service: all of it is done, or none.
type Tx interface {
	// AddRoom does nothing where the id is there already.
	AddRoom(ctx context.Context, r domain.Room) error
	// LockRoom reads a room whose nights nobody else changes until the transaction
	// ends; ErrNoRoom.
	LockRoom(ctx context.Context, id int64) (domain.Room, error)
	// SetCapacity of a room, for the nights that have no stock of their own.
	SetCapacity(ctx context.Context, r domain.Room) error
	Nights
	SaveNights(ctx context.Context, roomID int64, nights []domain.Night) error

	// AddStay says whether the reservation had none yet; otherwise nothing is done.
	AddStay(ctx context.Context, s domain.Stay) (bool, error)
	// LockStay reads one that is there, and that nobody else changes until the
	// transaction ends.
	LockStay(ctx context.Context, reservationID int64) (domain.Stay, error)
	SaveStay(ctx context.Context, s domain.Stay) error

	// AnswerReserve tells the reservation whether its nights were taken.
	AnswerReserve(ctx context.Context, s domain.Stay) error
	// AnswerCancel tells it that none is taken any more.
	AnswerCancel(ctx context.Context, s domain.Stay) error
}

// Nights reads what is free.
type Nights interface {
	// Room returns ErrNoRoom where there is none.
	Room(ctx context.Context, id int64) (domain.Room, error)
	// Nights are those of a period, each of them, in order.
	Nights(ctx context.Context, r domain.Room, p domain.Period) ([]domain.Night, error)
	// OwnNights are those of a room that have a stock of their own, in order.
	OwnNights(ctx context.Context, roomID int64) ([]domain.Night, error)
}

// Store keeps rooms, nights and stays.
type Store interface {
	// Update runs fn in a transaction, again where the database gives it up for
	// reasons of its own.
	Update(ctx context.Context, fn func(Tx) error) error
	// View runs fn where it sees one state.
	View(ctx context.Context, fn func(Nights) error) error
	// NewID is one that no room has had.
	NewID(ctx context.Context) (int64, error)
}
