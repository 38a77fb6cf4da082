package domain

import "slices"

// Outcome is what became of a business transaction.
type Outcome int

// Outcomes.
const (
	// Succeeded: every participant did its part.
	Succeeded Outcome = iota + 1
	// Undoing: one did not, and others undo theirs.
	Undoing
	// WasUndone: nothing of it is left.
	WasUndone
)

// SettleRent has a loan be what became of its rent. The card is as it was where the
// loan is past that; undone says that the rent turned out not to be one now.
func (c Card) SettleRent(id string, o Outcome) (_ Card, undone bool) {
	i := slices.IndexFunc(c.Loans, func(l Loan) bool { return l.ID == id })
	if i < 0 {
		return c, false
	}
	l := c.Loans[i]
	was := l.Status
	switch {
	case o == Succeeded && was == Renting:
		l.Status = Rented
	case o == Undoing && l.out():
		l.Status = Cancelling
	case o == WasUndone && (l.out() || was == Cancelling):
		l.Status = Cancelled
	default:
		return c, false
	}
	return c.with(l), l.Status != Rented && was != Cancelling
}

// SettleReturn has a loan be what became of its return. While it is being undone the
// item is neither back nor with the member; where it was undone the item is on the
// card as before, and its late fee is not.
func (c Card) SettleReturn(id string, o Outcome) Card {
	i := slices.IndexFunc(c.Loans, func(l Loan) bool { return l.ReturnID == id && l.Status == Returning })
	if i < 0 {
		return c
	}
	l := c.Loans[i]
	switch o {
	case Succeeded:
		l.Status = Returned
	case WasUndone:
		c.LateFee -= l.LateFee
		l = Loan{ID: l.ID, Item: l.Item, Status: Rented, RentedAt: l.RentedAt, DueAt: l.DueAt, Overdue: l.Overdue}
	default:
		return c
	}
	return c.with(l)
}

// SettleClearing ends a clearing; where it failed the fee is back.
func (c Card) SettleClearing(id string, o Outcome) Card {
	if c.Clearing == nil || c.Clearing.ID != id || c.Clearing.Status != Pending {
		return c
	}
	ended := *c.Clearing
	ended.Status = Done
	if o != Succeeded {
		ended.Status = Undone
		c.LateFee += ended.Points
	}
	c.Clearing = &ended
	return c
}
