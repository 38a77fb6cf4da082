// Package domain is what rooms, nights and stays are and how they decide: no
// Kafka, no SQL, no clock. A day is its midnight in UTC.
package domain

import (
	"errors"
	"fmt"
	"time"
)

// Room is a kind of room of which there are Capacity each night, where nothing
// else is said for a night.
type Room struct {
	ID       int64
	Name     string
	Capacity int64
}

// MaxCapacity bounds how many rooms of a kind there are.
const MaxCapacity = 1_000_000

// Night is what there is of a room in one night. 0 <= Stock <= Capacity.
type Night struct {
	Date time.Time
	// Capacity is how many there are, Stock how many of them are free.
	Capacity, Stock int64
}

// Taken is how many stays have the night.
func (n Night) Taken() int64 { return n.Capacity - n.Stock }

// ErrTaken: there cannot be fewer rooms than are taken.
var ErrTaken = errors.New("more rooms are taken")

// Resize is the night with another capacity.
func (n Night) Resize(capacity int64) (Night, error) {
	if taken := n.Taken(); taken > capacity {
		return n, fmt.Errorf("%w: %d in the night of %s", ErrTaken, taken, day(n.Date))
	}
	n.Stock, n.Capacity = capacity-n.Taken(), capacity
	return n, nil
}

// Period is the nights from the one of In until before the one of Out.
type Period struct{ In, Out time.Time }

// MaxNights of a period.
const MaxNights = 366

// Check says what is wrong with a period.
func (p Period) Check() error {
	switch {
	case !p.In.Before(p.Out):
		return fmt.Errorf("check-out %s is not after check-in %s", day(p.Out), day(p.In))
	case p.count() > MaxNights:
		return fmt.Errorf("%d nights are more than %d", p.count(), MaxNights)
	}
	return nil
}

func (p Period) count() int { return int(p.Out.Sub(p.In) / (24 * time.Hour)) }

// Nights are the days whose nights it has, in their order.
func (p Period) Nights() []time.Time {
	var all []time.Time
	for d := p.In; d.Before(p.Out); d = d.AddDate(0, 0, 1) {
		all = append(all, d)
	}
	return all
}

func day(t time.Time) string { return t.Format(time.DateOnly) }
