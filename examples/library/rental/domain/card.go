// Package domain is what a rental card is and how it decides: no Kafka, no SQL, no
// clock. What it decides it decides at once; whether book and member agree is heard
// later, and settled then.
package domain

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The library's rules.
const (
	// MaxItems a member may have at a time.
	MaxItems = 5
	// LoanPeriod until an item is due.
	LoanPeriod = 14 * 24 * time.Hour
	// Points that a rent or a return gives.
	Points = 10
	// FeePerDay is what each whole day costs that an item is late.
	FeePerDay = 10
)

// Refusals.
var (
	ErrUnavailable = errors.New("the card is RENT_UNAVAILABLE")
	ErrFull        = fmt.Errorf("the card has %d items, which is the most", MaxItems)
	ErrTwice       = errors.New("the item is on the card already")
	ErrNotRented   = errors.New("the item is not on the card")
	ErrUnderWay    = errors.New("an earlier request is still under way")
	ErrNotDue      = errors.New("the item is not due yet")
	ErrOpenItems   = errors.New("there are items that are not returned")
	ErrNoFee       = errors.New("there is no late fee")
	ErrPoints      = errors.New("the points are not the late fee")
)

// Member of the library, as others call it.
type Member struct{ ID, Name string }

// Item is a book.
type Item struct {
	No    int64
	Title string
}

// Card is what a member has rented, and owes.
type Card struct {
	Member Member
	// LateFee is not below 0.
	LateFee int64
	// Loans that are not at their end, the oldest first.
	Loans []Loan
	// Clearing that is under way; nil without one.
	Clearing *Clearing
}

// Status of a card.
type Status string

// The states.
const (
	RentAvailable   Status = "RENT_AVAILABLE"
	RentUnavailable Status = "RENT_UNAVAILABLE" // it has a late fee, or an overdue item
)

// Status is what follows from fee and items.
func (c Card) Status() Status {
	if c.LateFee > 0 || slices.ContainsFunc(c.Loans, func(l Loan) bool { return l.Overdue && l.out() }) {
		return RentUnavailable
	}
	return RentAvailable
}

// Rent puts an item on the card. The rent is known by that id.
func (c Card) Rent(id string, item Item, now time.Time) (Card, Loan, error) {
	c = c.Look(now)
	switch {
	case c.Status() == RentUnavailable:
		return c, Loan{}, ErrUnavailable
	case c.find(item.No) >= 0:
		return c, Loan{}, ErrTwice
	case c.open() >= MaxItems:
		return c, Loan{}, ErrFull
	}
	l := Loan{ID: id, Item: item, Status: Renting, RentedAt: now, DueAt: now.Add(LoanPeriod)}
	c.Loans = append(slices.Clone(c.Loans), l)
	return c, l, nil
}

// Return takes an item back. The return is known by that id.
func (c Card) Return(id string, itemNo int64, now time.Time) (Card, Loan, error) {
	c = c.Look(now)
	i := c.find(itemNo)
	switch {
	case i < 0:
		return c, Loan{}, ErrNotRented
	case c.Loans[i].Status != Rented:
		return c, Loan{}, ErrUnderWay
	}
	l := c.Loans[i]
	l.Status, l.ReturnID, l.ReturnedAt, l.LateFee = Returning, id, now, lateFee(l.DueAt, now)
	c.LateFee += l.LateFee
	return c.with(l), l, nil
}

func lateFee(due, now time.Time) int64 {
	return max(0, int64(now.Sub(due)/(24*time.Hour))) * FeePerDay
}

// Look notices the items that are overdue by now.
func (c Card) Look(now time.Time) Card {
	c.Loans = slices.Clone(c.Loans)
	for i, l := range c.Loans {
		if l.out() && !now.Before(l.DueAt) {
			c.Loans[i].Overdue = true
		}
	}
	return c
}

// Overdue notices that an item is, or has people say that it has been for some days;
// 0 days says that it is to be looked whether it is.
func (c Card) Overdue(itemNo int64, days int, now time.Time) (Card, error) {
	c = c.Look(now)
	i := c.find(itemNo)
	switch {
	case i < 0:
		return c, ErrNotRented
	case !c.Loans[i].out():
		return c, ErrUnderWay
	case days > 0:
		c.Loans[i].DueAt, c.Loans[i].Overdue = now.AddDate(0, 0, -days), true
	case !c.Loans[i].Overdue:
		return c, fmt.Errorf("%w: it is on %s", ErrNotDue, c.Loans[i].DueAt.Format(time.RFC3339))
	}
	return c, nil
}

// Clear pays the late fee with points. The clearing is known by that id.
func (c Card) Clear(id string, points int64) (Card, error) {
	switch {
	case c.open() > 0:
		return c, ErrOpenItems
	case len(c.Loans) > 0 || c.Clearing != nil:
		return c, ErrUnderWay
	case c.LateFee == 0:
		return c, ErrNoFee
	case points != c.LateFee:
		return c, fmt.Errorf("%w: that is %d", ErrPoints, c.LateFee)
	}
	c.Clearing = &Clearing{ID: id, Points: points, Status: Pending}
	c.LateFee = 0
	return c, nil
}

// Knows says whether a request of that id has changed the card.
func (c Card) Knows(id string) bool {
	return c.Clearing != nil && c.Clearing.ID == id ||
		slices.ContainsFunc(c.Loans, func(l Loan) bool { return l.ID == id || l.ReturnID == id })
}

// Open are the loans whose items are on the card.
func (c Card) Open() (all []Loan) {
	for _, l := range c.Loans {
		if l.open() {
			all = append(all, l)
		}
	}
	return all
}

// open is how many items are on the card.
func (c Card) open() int { return len(c.Open()) }

// find is where an open item is, or -1.
func (c Card) find(itemNo int64) int {
	return slices.IndexFunc(c.Loans, func(l Loan) bool { return l.open() && l.Item.No == itemNo })
}

// with is the card with another state of one of its loans.
func (c Card) with(l Loan) Card {
	c.Loans = slices.Clone(c.Loans)
	c.Loans[slices.IndexFunc(c.Loans, func(have Loan) bool { return have.ID == l.ID })] = l
	return c
}
