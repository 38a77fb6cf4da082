package domain

import (
	"fmt"
	"math"
)

// Entry is what one business transaction does to a member's points. There is one per
// transaction and kind, for ever: it is what keeps a repeated message from giving
// twice, and points from being given after they were taken back.
type Entry struct {
	// ID is the transaction's correlation id.
	ID   string
	Kind Kind
	// Member is the member's ID.
	Member string
	// Points that are given, below 0 taken; 0 where the cancel came first.
	Points int64
	Status Status
	// Reason why it was refused, or cancelled before it came.
	Reason string
}

// Kind of an entry.
type Kind string

// Kinds. Rent and return give points, the other two take some.
const (
	Rent    Kind = "RENT"
	Return  Kind = "RETURN"
	Overdue Kind = "OVERDUE"
	Use     Kind = "POINT_USE"
)

// Status of an entry: DONE -> CANCELLED; the others are final.
type Status string

// The states. Only what is DONE counts.
const (
	Done      Status = "DONE"
	Refused   Status = "REFUSED"
	Cancelled Status = "CANCELLED"
)

// Request is an entry for what a message asks: points is how many it gives or takes.
// One that can never be is REFUSED already.
func Request(id string, kind Kind, member string, points int64) Entry {
	e := Entry{ID: id, Kind: kind, Member: member, Status: Done}
	if points <= 0 || points == math.MaxInt64 {
		return e.Refuse(fmt.Sprintf("%d points cannot be moved", points))
	}
	switch kind {
	case Rent, Return:
		e.Points = points
	case Overdue, Use:
		e.Points = -points
	default:
		return e.Refuse(fmt.Sprintf("there is no entry %q", kind))
	}
	return e
}

// Refuse is the entry that moves nothing.
func (e Entry) Refuse(reason string) Entry {
	e.Status, e.Reason = Refused, reason
	return e
}

// CancelledFirst is the entry of a transaction whose cancel came first.
func CancelledFirst(id string, kind Kind, member string) Entry {
	return Entry{ID: id, Kind: kind, Member: member, Status: Cancelled, Reason: "cancelled before it came"}
}

// Take moves the points of an entry that is DONE; where that cannot be, it is REFUSED.
func (e Entry) Take(m Member) (Member, Entry) {
	if e.Status != Done {
		return m, e
	}
	after, refusal := m.move(e.Points)
	if refusal != "" {
		return m, e.Refuse(refusal)
	}
	return after, e
}

// Undo is member and entry after a cancel: what was given is taken, what was taken
// given back. refusal, where not "", says why that cannot be as things stand; nothing
// changes then.
func (e Entry) Undo(m Member) (_ Member, _ Entry, refusal string) {
	if e.Status != Done {
		return m, e, ""
	}
	after, refusal := m.move(-e.Points)
	if refusal != "" {
		return m, e, refusal
	}
	e.Status = Cancelled
	return after, e, ""
}
