package domain

import "fmt"

// Stay is what the room service knows of one reservation. There is one per
// reservation, for ever: it is what keeps a repeated request from taking twice,
// and a request that arrives after its cancel from taking at all.
type Stay struct {
	ReservationID, RoomID int64
	Period
	Status Status
	// Reason why it was refused or not taken.
	Reason string
}

// Status of a stay: TAKEN -> GIVEN_BACK; the other two are final.
type Status string

// The states.
const (
	Taken     Status = "TAKEN"      // each of its nights
	GivenBack Status = "GIVEN_BACK" // each of the nights that had been taken
	Refused   Status = "REFUSED"    // no night was taken
	Overtaken Status = "OVERTAKEN"  // the cancel came first, and no night is ever taken
)

// Request is a stay as it will be where the room is there and has the nights. One
// that can never be is REFUSED already.
func Request(reservationID, roomID int64, p Period) Stay {
	s := Stay{ReservationID: reservationID, RoomID: roomID, Period: p, Status: Taken}
	if err := p.Check(); err != nil {
		return s.Refuse(err.Error())
	}
	return s
}

// Refuse is the stay that takes no night.
func (s Stay) Refuse(reason string) Stay {
	s.Status, s.Reason = Refused, reason
	return s
}

// Take takes every night or, where one of them has no stock, none: the stay is
// REFUSED then and the nights are as they were.
func (s Stay) Take(nights []Night) (Stay, []Night) {
	after := make([]Night, len(nights))
	for i, n := range nights {
		if n.Stock == 0 {
			return s.Refuse(fmt.Sprintf("no room is free in the night of %s", day(n.Date))), nights
		}
		n.Stock--
		after[i] = n
	}
	return s, after
}

// NeverAsked is the stay of a reservation whose cancel came first.
func NeverAsked(reservationID int64) Stay {
	return Stay{ReservationID: reservationID, Status: Overtaken, Reason: "cancelled before it was asked for"}
}

// Cancel is the stay after a cancel; changed is false where there was nothing to
// give back. Otherwise all of its nights are given back, see GiveBack.
func (s Stay) Cancel() (after Stay, changed bool) {
	if s.Status != Taken {
		return s, false
	}
	s.Status, s.Reason = GivenBack, "cancelled"
	return s, true
}

// GiveBack are the nights with one more free.
func GiveBack(nights []Night) ([]Night, error) {
	after := make([]Night, len(nights))
	for i, n := range nights {
		if n.Stock >= n.Capacity {
			return nil, fmt.Errorf("the night of %s is given back and was not taken", day(n.Date))
		}
		n.Stock++
		after[i] = n
	}
	return after, nil
}
