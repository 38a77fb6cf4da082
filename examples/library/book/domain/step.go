package domain

import "fmt"

// Step is the book's part in one business transaction. There is one per transaction
// and kind, for ever: it is what keeps a repeated rent from being refused because of
// itself, and a rent that comes after its cancel from taking the book.
type Step struct {
	// ID is the transaction's correlation id.
	ID   string
	Kind Kind
	// BookNo and Member are whom it is about; 0 and "" where its cancel came first.
	BookNo int64
	Member string
	// RentalID is the rent by which the member has or had the book: of a rent ID, of a
	// return the one that was ended, "" where it was not done.
	RentalID string
	Status   StepStatus
	// Reason why it was refused, or cancelled before it came.
	Reason string
}

// Kind of a step.
type Kind string

// Kinds.
const (
	Rent   Kind = "RENT"
	Return Kind = "RETURN"
)

// StepStatus of a step: DONE -> CANCELLED; the others are final.
type StepStatus string

// The states.
const (
	Done      StepStatus = "DONE"
	Refused   StepStatus = "REFUSED"   // nothing was changed
	Cancelled StepStatus = "CANCELLED" // what was done is undone, and nothing will be done
)

// Refuse is the step that changes nothing.
func (s Step) Refuse(reason string) Step {
	s.Status, s.Reason = Refused, reason
	return s
}

// CancelledFirst is the step of a transaction whose cancel came first.
func CancelledFirst(id string, kind Kind) Step {
	return Step{ID: id, Kind: kind, Status: Cancelled, Reason: "cancelled before it came"}
}

// Take carries out a step on its book. rentalID is the rent that a return says it
// ends, "" where it says none.
func (s Step) Take(b Book, rentalID string) (Book, Step) {
	var refusal string
	was := b.RentalID
	switch s.Kind {
	case Rent:
		was = s.ID
		b, refusal = b.rent(s.Member, s.ID)
	case Return:
		b, refusal = b.takeBack(s.Member, rentalID)
	default:
		refusal = fmt.Sprintf("there is no step %q", s.Kind)
	}
	if refusal != "" {
		return b, s.Refuse(refusal)
	}
	s.Status, s.RentalID, s.Reason = Done, was, ""
	return b, s
}

// Undo is book and step after a cancel. refusal, where not "", says why it cannot be
// undone as things stand; nothing changes then. A step that was not done has nothing
// to undo: the book stays with whoever has it.
func (s Step) Undo(b Book) (_ Book, _ Step, refusal string) {
	if s.Status != Done {
		return b, s, ""
	}
	undone := s
	undone.Status = Cancelled
	switch {
	case s.Kind == Rent && b.RentalID == s.RentalID:
		return b.free(), undone, ""
	case s.Kind == Return && b.Status == Available:
		b.Status, b.Holder, b.RentalID = Unavailable, s.Member, s.RentalID
		return b, undone, ""
	case s.Kind == Return:
		return b, s, fmt.Sprintf("another member has book %d by now", b.No)
	}
	return b, undone, "" // it was brought back meanwhile
}
