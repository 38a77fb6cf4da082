// Package domain is what an order is and how it goes on: no Kafka, no SQL, no
// clock. Decide is the whole saga.
package domain

import (
	"errors"
	"fmt"
)

// Order is the state of one order and of its saga.
type Order struct {
	ID           string
	CustomerID   string
	RestaurantID string
	Items        []Item
	// Price is what the customer offers for all items, in the currency's
	// smallest unit.
	Price  int64
	Status Status
	// Awaiting is whose answer the saga waits for. The order is final when its
	// status is and nothing is awaited.
	Awaiting Awaiting
	// Reason says why an order was or is being cancelled.
	Reason string
}

// Item is one line; two lines may name one product.
type Item struct {
	ProductID string
	Quantity  int64
}

// Status is what a customer sees.
type Status string

// The states: PENDING -> PAID -> APPROVED; PAID -> CANCELLING -> CANCELLED;
// PENDING -> CANCELLED.
const (
	Pending    Status = "PENDING"
	Paid       Status = "PAID"
	Approved   Status = "APPROVED"
	Cancelling Status = "CANCELLING"
	Cancelled  Status = "CANCELLED"
)

// Awaiting is the answer the saga waits for.
type Awaiting string

// What an order can wait for.
const (
	AwaitingPayment  Awaiting = "PAYMENT"
	AwaitingApproval Awaiting = "APPROVAL"
	// AwaitingRefund is payment's answer to a cancel, also where there may be
	// nothing to give back.
	AwaitingRefund Awaiting = "REFUND"
	AwaitingNobody Awaiting = ""
)

// Bounds of an order.
const (
	MaxItems    = 100
	MaxQuantity = 1_000_000
)

// ErrTransition is wrapped by the error of a transition that the states do not
// allow.
var ErrTransition = errors.New("transition not allowed")

// ErrInvalid is wrapped by the error of New.
var ErrInvalid = errors.New("invalid order")

// New is a fresh order: PENDING, and payment is to be asked.
func New(id, customerID, restaurantID string, items []Item, price int64) (Order, error) {
	switch {
	case id == "" || customerID == "" || restaurantID == "":
		return Order{}, fmt.Errorf("%w: order, customer and restaurant need an id", ErrInvalid)
	case price <= 0:
		return Order{}, fmt.Errorf("%w: price %d is not above 0", ErrInvalid, price)
	case len(items) == 0 || len(items) > MaxItems:
		return Order{}, fmt.Errorf("%w: %d items, 1 to %d are allowed", ErrInvalid, len(items), MaxItems)
	}
	for _, item := range items {
		if item.ProductID == "" || item.Quantity <= 0 || item.Quantity > MaxQuantity {
			return Order{}, fmt.Errorf("%w: %d of product %q", ErrInvalid, item.Quantity, item.ProductID)
		}
	}
	return Order{
		ID: id, CustomerID: customerID, RestaurantID: restaurantID, Items: items, Price: price,
		Status: Pending, Awaiting: AwaitingPayment,
	}, nil
}

// Final says whether the saga has ended: no message changes the order any more.
func (o Order) Final() bool {
	return (o.Status == Approved || o.Status == Cancelled) && o.Awaiting == AwaitingNobody
}

// allowed are the states each state may be followed by.
var allowed = map[Status][]Status{
	Pending:    {Paid, Cancelled},
	Paid:       {Approved, Cancelling},
	Cancelling: {Cancelled},
}

// to moves the order on; the error wraps ErrTransition.
func (o Order) to(next Status, awaiting Awaiting, reason string) (Order, error) {
	for _, s := range allowed[o.Status] {
		if s == next {
			o.Status, o.Awaiting = next, awaiting
			if reason != "" {
				o.Reason = reason
			}
			return o, nil
		}
	}
	return o, fmt.Errorf("%w: order %s from %s to %s", ErrTransition, o.ID, o.Status, next)
}
