package order

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/saga"
)

// ErrNotFound: there is no such order.
var ErrNotFound = errors.New("no such order")

// Orders is the database of the order service: orders with their timelines and
// idempotency keys, and the view. T is its transaction.
type Orders[T saga.Tx] interface {
	saga.Store[T]
	// NewID is for an order to come; ids ascend with time.
	NewID() string
	// Insert stores a fresh order; false where the id or the idempotency key is there
	// already.
	Insert(ctx context.Context, tx T, o Stored) (bool, error)
	// PlacedBefore says which order was placed under an idempotency key, and by what
	// request. ErrNotFound.
	PlacedBefore(ctx context.Context, tx T, key string) (orderID, requestHash string, err error)
	// Change stores what sagas have made of orders that are there, and appends to their
	// timelines; an order has at most one change and any number of steps.
	Change(ctx context.Context, tx T, changes []Changed, steps []Step) error
	// Load reads an order with its timeline in the transaction, Read outside of one.
	// ErrNotFound.
	Load(ctx context.Context, tx T, id string) (Stored, []Step, error)
	Read(ctx context.Context, id string) (Stored, []Step, error)
	// Project keeps the view.
	Project(ctx context.Context, tx T, o message.OrderChanged) error
	// Find asks the view, in the order of ids, for one more than the limit where there is
	// one.
	Find(ctx context.Context, s Search) ([]Line, error)
}

// Stored is an order as the database has it.
type Stored struct {
	domain.Order
	Awaiting             string
	CreatedAt, ChangedAt time.Time

	// IdempotencyKey and RequestHash are set on insert only, where the
	// customer gave a key.
	IdempotencyKey, RequestHash string
}

// Changed is what becomes of an order.
type Changed struct {
	OrderID          string
	Status, Awaiting string
	Reason           string
	At               time.Time
}

// Step is one entry of an order's timeline.
type Step struct {
	OrderID  string    `json:"-"`
	Status   string    `json:"status"`
	Awaiting string    `json:"awaiting,omitempty"`
	Note     string    `json:"note,omitempty"`
	Cause    string    `json:"cause"`
	CauseID  string    `json:"causeId,omitempty"`
	At       time.Time `json:"at"`
}

// Line is an order as the view has it.
type Line struct {
	OrderID      string            `json:"orderId"`
	CustomerID   string            `json:"customerId"`
	RestaurantID string            `json:"restaurantId"`
	Items        []message.Product `json:"items"`
	Price        int64             `json:"price"`
	Status       string            `json:"status"`
	Reason       string            `json:"reason,omitempty"`
	ChangedAt    time.Time         `json:"changedAt"`
}

// Search asks the view. Empty texts select all.
type Search struct {
	// After is the last id of the page before.
	Customer, Status, After string
	Limit                   int
}
