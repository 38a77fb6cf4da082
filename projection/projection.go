// Package projection turns events into views: source -> handler -> offset. A
// source is a journal's events by slices or by tag, its durable states, or a Kafka
// topic; a handler writes a view in the same transaction as the offset (exactly
// once), or somewhere else (at least once, in groups).
//
// The tables of offsets and of pausing are Pekko's, so that either side can take
// a projection over. Processes that run one projection share its slices and cut
// them anew when one comes or goes; the database fences whoever lost a slice.
package projection

import (
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// Envelope is an event as a handler gets it.
type Envelope struct {
	journal.Event
	// Value is the event decoded by Config.Registry after adapters; nil where no
	// registry is set or the event is Deleted.
	Value any
	// Attempt counts from 1.
	Attempt int

	// suffix of the view's tables.
	suffix string
}

// Table is the name of the view's table to write to: the live one, or its copy
// while the view is rebuilt beside it. A handler of a projection with
// Config.Tables asks for every one of them.
func (e Envelope) Table(name string) string { return name + e.suffix }

// Strategy says what becomes of an event whose handler failed.
type Strategy int

// Strategies. Retries are Config.Retries, with back-off. An error of the database
// is none of the handler's: it is waited out and costs no attempt.
const (
	// Fail stops the slice range with a problem that names the event; it tries again
	// after Config.Restart.
	Fail Strategy = iota
	// Skip goes on without the event.
	Skip
	// RetryAndFail retries, then is Fail.
	RetryAndFail
	// RetryAndSkip retries, then is Skip.
	RetryAndSkip
)

// Claim is a worker's right to a slice range of a projection. A later claim of a
// slice in it fences this one.
type Claim struct {
	Projection string
	// Source tells whose offsets these are; one projection has one source.
	Source string
	Slices journal.SliceRange
	// Epoch ascends with every claim; every save compares it.
	Epoch int64
	// Cursor is where to read on: the earliest of those the range was cut from.
	Cursor journal.Cursor
}

// Offset is a row of projection_timestamp_offset_store: the last event of an
// entity that was handled.
type Offset struct {
	PersistenceID string
	Slice         int
	SeqNr         int64
	// Time is the event's (timestamp_offset), Consumed when it was handled.
	Time     time.Time
	Consumed time.Time
}

// ErrFenced is returned where the slices were claimed by another worker, or the
// projection was reset or swapped.
var ErrFenced = errors.New("projection: the slices were claimed by another worker")

// ErrBehind is returned by a swap that would take events back.
var ErrBehind = errors.New("projection: the rebuilt view has not handled all that the live one has")

// EventError is the event that stopped a slice range.
type EventError struct {
	Projection    string
	PersistenceID string
	SeqNr         int64
	// Type is the payload's manifest, or the serializer's number where it has none.
	Type string
	// Attempts made; 0 where the event could not be decoded.
	Attempts int
	Err      error
}

// Error implements error.
func (e *EventError) Error() string {
	return fmt.Sprintf("projection %s stopped at %s, sequence number %d, type %s: %v", e.Projection, e.PersistenceID, e.SeqNr, e.Type, e.Err)
}

// Unwrap makes errors.Is and errors.As work.
func (e *EventError) Unwrap() error { return e.Err }
