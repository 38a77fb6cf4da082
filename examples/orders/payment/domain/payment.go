// Package domain is what a payment and a credit are: no Kafka, no SQL, no
// clock.
package domain

import (
	"fmt"
	"math"
)

// Payment is what happened to the money of one order. There is one per order,
// for ever: it is what keeps a repeated request from taking twice, and a
// request that arrives after its cancel from taking at all.
type Payment struct {
	OrderID    string
	CustomerID string
	// Price is what was asked for, Taken what was debited, Refunded what was
	// given back: 0, or all that was taken.
	Price, Taken, Refunded int64
	Status                 Status
	Reason                 string
}

// Status of a payment: COMPLETED -> CANCELLED; FAILED and CANCELLED are final.
type Status string

// The states.
const (
	Completed Status = "COMPLETED"
	Failed    Status = "FAILED"
	Cancelled Status = "CANCELLED"
)

// Request is a payment as it will be where the credit suffices. One that can
// never be paid is FAILED already, and nothing must be debited for it.
func Request(orderID, customerID string, price int64) Payment {
	p := Payment{OrderID: orderID, CustomerID: customerID, Price: price, Taken: price, Status: Completed}
	if price <= 0 {
		return p.refused(fmt.Sprintf("price %d is not above 0", price))
	}
	return p
}

// Credit is what a customer has.
type Credit struct {
	Known   bool
	Balance int64
}

// Covers says whether a price can be debited.
func (c Credit) Covers(price int64) bool { return c.Known && c.Balance >= price }

// Refuse is the payment where the credit does not cover it.
func (p Payment) Refuse(c Credit) Payment {
	if !c.Known {
		return p.refused("unknown customer " + p.CustomerID)
	}
	return p.refused(fmt.Sprintf("not enough credit: %d needed, %d there", p.Price, c.Balance))
}

func (p Payment) refused(reason string) Payment {
	p.Status, p.Taken, p.Reason = Failed, 0, reason
	return p
}

// NeverAsked is the payment of an order whose cancel came first: it keeps the
// request that may still come from taking anything.
func NeverAsked(orderID, customerID string) Payment {
	return Payment{OrderID: orderID, CustomerID: customerID, Status: Cancelled, Reason: "cancelled before it was asked for"}
}

// Cancel returns the payment after a cancel and what to give back now: all that
// was taken, once. changed is false where there was nothing to undo.
func (p Payment) Cancel() (after Payment, refund int64, changed bool) {
	if p.Status != Completed {
		return p, 0, false
	}
	p.Status, p.Refunded = Cancelled, p.Taken
	return p, p.Taken, true
}

// RoomFor is the highest sum of earlier deposits of a customer that leaves room
// for one more. What was taken comes out of deposits, so that bounding their sum
// keeps every refund from overflowing the credit.
func RoomFor(amount int64) int64 { return math.MaxInt64 - amount }
