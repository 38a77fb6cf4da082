// Package domain is what an order is and how it may go on: no Kafka, no SQL, no
// clock.
package domain

import (
	"errors"
	"fmt"
	"slices"
)

// Order is one order, and the state of its saga.
type Order struct {
	ID           string `json:"id"`
	CustomerID   string `json:"customerId"`
	RestaurantID string `json:"restaurantId"`
	Items        []Item `json:"items"`
	// Price is what the customer offers for all items, in the currency's
	// smallest unit.
	Price  int64  `json:"price"`
	Status Status `json:"status"`
	// Reason says why an order was or is being cancelled.
	Reason string `json:"reason,omitempty"`
}

// Item is one line; two lines may name one product.
type Item struct {
	ProductID string `json:"productId"`
	Quantity  int64  `json:"quantity"`
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

// Awaiting is whose answer an order waits for.
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

// New is a fresh order: PENDING.
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
	return Order{ID: id, CustomerID: customerID, RestaurantID: restaurantID, Items: items, Price: price, Status: Pending}, nil
}

// allowed are the states each state may be followed by.
var allowed = map[Status][]Status{
	Pending:    {Paid, Cancelled},
	Paid:       {Approved, Cancelling},
	Cancelling: {Cancelled},
}

// To moves the order on. Where its state does not allow that, the order stays as it
// is, and the error wraps ErrTransition.
func (o *Order) To(next Status, reason string) error {
	if !slices.Contains(allowed[o.Status], next) {
		return fmt.Errorf("%w: order %s from %s to %s", ErrTransition, o.ID, o.Status, next)
	}
	o.Status = next
	if reason != "" {
		o.Reason = reason
	}
	return nil
}

// Cancel moves the order one step towards CANCELLED: one that was PAID is CANCELLING
// until it was refunded.
func (o *Order) Cancel(reason string) error {
	if o.Status == Paid {
		return o.To(Cancelling, reason)
	}
	return o.To(Cancelled, reason)
}

// Cancellable says whether the customer may still cancel; the error wraps
// ErrTransition.
func (o Order) Cancellable() error {
	if o.Status != Pending {
		return fmt.Errorf("%w: order %s is %s; only a PENDING order can be cancelled", ErrTransition, o.ID, o.Status)
	}
	return nil
}

// Awaiting is whose answer the order waits for, until its saga has ended.
func (o Order) Awaiting() Awaiting {
	switch o.Status {
	case Pending:
		return AwaitingPayment
	case Paid:
		return AwaitingApproval
	case Cancelling, Cancelled:
		return AwaitingRefund
	}
	return AwaitingNobody
}
