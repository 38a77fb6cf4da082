package domain

import "time"

// Loan is an item from its rent to its return.
type Loan struct {
	// ID is the rent's, its correlation id.
	ID              string
	Item            Item
	Status          LoanStatus
	RentedAt, DueAt time.Time
	// Overdue: it was noticed that it was due.
	Overdue bool
	// ReturnID is the return under way, or the one that ended the loan; ReturnedAt is
	// when it was, LateFee what it cost.
	ReturnID   string
	ReturnedAt time.Time
	LateFee    int64
}

// LoanStatus of a loan.
type LoanStatus string

// The states. RENTING becomes RENTED or CANCELLED, RENTED becomes RETURNING, and that
// RETURNED or RENTED again.
const (
	Renting    LoanStatus = "RENTING" // book and member are asked
	Rented     LoanStatus = "RENTED"
	Returning  LoanStatus = "RETURNING"  // book and member are asked
	Returned   LoanStatus = "RETURNED"   // an end
	Cancelling LoanStatus = "CANCELLING" // not on the card any more; book or member undo their part
	Cancelled  LoanStatus = "CANCELLED"  // an end
)

// open says whether the item is on the card. One that is being returned is: it may
// come back.
func (l Loan) open() bool {
	return l.Status == Renting || l.Status == Rented || l.Status == Returning
}

// out says whether the member has the item, or is about to.
func (l Loan) out() bool { return l.Status == Renting || l.Status == Rented }

// Ended says whether nothing more becomes of it.
func (l Loan) Ended() bool { return l.Status == Returned || l.Status == Cancelled }

// Clearing is a late fee being paid with points.
type Clearing struct {
	// ID is its correlation id.
	ID     string
	Points int64
	Status ClearingStatus
}

// ClearingStatus of a clearing.
type ClearingStatus string

// The states.
const (
	Pending ClearingStatus = "PENDING" // member is asked
	Done    ClearingStatus = "DONE"
	Undone  ClearingStatus = "UNDONE" // the fee came back
)
