// Package domain is what a reservation is and how it goes on: no Kafka, no SQL, no
// clock. A day is its midnight in UTC.
package domain

import (
	"errors"
	"fmt"
	"time"
)

// Reservation is a member's wish for a stay: each night from In until before Out.
type Reservation struct {
	ID, RoomID, MemberID int64
	In, Out              time.Time
	Status               Status
	// Reason why it failed or was cancelled.
	Reason string
}

// Status of a reservation:
//
//	PENDING -> CONFIRMED | FAILED
//	PENDING | CONFIRMED -> CANCELLING -> CANCELLED
type Status string

// The states. FAILED and CANCELLED are final.
const (
	Pending    Status = "PENDING"    // the room service was asked for the nights
	Confirmed  Status = "CONFIRMED"  // it took them
	Failed     Status = "FAILED"     // it refused, or did not answer in time
	Cancelling Status = "CANCELLING" // it was asked to give them back
	Cancelled  Status = "CANCELLED"  // none is taken any more
)

// MaxNights of a stay.
const MaxNights = 366

// CheckPeriod says what is wrong with the days of a stay.
func CheckPeriod(in, out time.Time) error {
	switch nights := int(out.Sub(in) / (24 * time.Hour)); {
	case nights <= 0:
		return errors.New("must be after checkInDate")
	case nights > MaxNights:
		return fmt.Errorf("is %d nights after checkInDate; at most %d are possible", nights, MaxNights)
	}
	return nil
}

// New is a fresh reservation, which the room service must be asked about.
func New(id, roomID, memberID int64, in, out time.Time) Reservation {
	return Reservation{ID: id, RoomID: roomID, MemberID: memberID, In: in, Out: out, Status: Pending}
}

// ErrOver: the reservation has failed, there is nothing to cancel.
var ErrOver = errors.New("it has failed")

// Cancel is the reservation after its member asked for that; changed is false where
// it was asked for before. ErrOver.
//
// One that is PENDING is cancelled too: the room service is told at once, and takes
// nothing any more where the request reaches it after that.
func (r Reservation) Cancel() (after Reservation, changed bool, err error) {
	switch r.Status {
	case Failed:
		return r, false, ErrOver
	case Cancelling, Cancelled:
		return r, false, nil
	}
	r.Status, r.Reason = Cancelling, "cancelled by the member"
	return r, true, nil
}

// Confirm is the reservation once its nights are taken. Only a PENDING one waits for
// that: one that is CANCELLING goes on to its end, one that is FAILED stays so, and its
// nights are given back.
func (r Reservation) Confirm() (after Reservation, changed bool) {
	return r.from(Pending, Confirmed, "")
}

// Fail is the reservation that gets no nights.
func (r Reservation) Fail(reason string) (after Reservation, changed bool) {
	return r.from(Pending, Failed, reason)
}

// GivenBack is the reservation after the room service has answered the cancel.
func (r Reservation) GivenBack() (after Reservation, changed bool) {
	return r.from(Cancelling, Cancelled, r.Reason)
}

func (r Reservation) from(before, after Status, reason string) (Reservation, bool) {
	if r.Status != before {
		return r, false
	}
	r.Status, r.Reason = after, reason
	return r, true
}
