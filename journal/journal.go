// Package journal is an event store: events of entities, appended with the
// sequence number the writer expects, loaded by persistence id, and read by
// slices without losing or repeating one; snapshots; and durable state.
//
// Tables and columns are those of Apache Pekko's (and Akka's) R2DBC plugins, so
// that such an application and a Pabal application can share one database, though
// never one persistence id. The ports Tx, Store and Reader are implemented by
// storage/postgres and storage/sqlite.
//
// Who wants entities with commands uses package entity; who wants views of the
// events uses package projection.
package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// Event is a row of event_journal, or, read with States, one of durable_state.
type Event struct {
	// PersistenceID is the entity type, "|" and the entity's own id.
	PersistenceID string
	// SeqNr counts an entity's events from 1; of durable state it is the
	// revision.
	SeqNr int64
	// Time is the database's, UTC with microseconds. Within one persistence id it
	// never goes back; events of one Write have the same.
	Time time.Time
	// Payload is the event. It is empty where Deleted.
	Payload Payload
	// Metadata is nil where there is none.
	Metadata *Payload
	// Tags by which it can be read; nil where there are none.
	Tags []string
	// Writer is the UUID of the writer's incarnation.
	Writer string
	// AdapterManifest is what an event adapter of Pekko left; "" from us.
	AdapterManifest string
	// Deleted marks the place of the last of deleted events, or of deleted state.
	Deleted bool
}

// Payload is a value and how to decode it.
type Payload struct {
	// Serializer is the number of the one that wrote it, see Registry.
	Serializer int32
	// Manifest tells that serializer the type; some need none.
	Manifest string
	Data     []byte
}

// NewEvent is an event to be appended.
type NewEvent struct {
	Payload  Payload
	Metadata *Payload
	Tags     []string
}

// Write is what one command of one entity writes: all or nothing.
type Write struct {
	PersistenceID string
	// After is the sequence number of the entity's last event, 0 before the first.
	// The events get those that follow. Where it is not the last one, the write is
	// a conflict.
	After int64
	// AfterTime is that event's Time where the caller knows it, which spares a
	// look-up; otherwise zero.
	AfterTime time.Time
	// Writer is the UUID of the writer's incarnation.
	Writer string
	Events []NewEvent
	// Messages go to the outbox in the same transaction.
	Messages []outbox.Message
}

// Size is what a write counts against bounds, in bytes: its payloads and a fixed
// amount for the rest.
func (w Write) Size() int {
	size := sizeRest + sizeOf(w.Messages)
	for _, e := range w.Events {
		size += sizeRest + len(e.Payload.Data)
		if e.Metadata != nil {
			size += len(e.Metadata.Data)
		}
	}
	return size
}

// sizeRest is the fixed amount of Size.
const sizeRest = 128

func sizeOf(messages []outbox.Message) (size int) {
	for _, m := range messages {
		size += sizeRest + len(m.Payload)
	}
	return size
}

// Appended is a write that was committed, or will be with its transaction.
type Appended struct {
	// SeqNr of the write's last event, Time of all of them.
	SeqNr int64
	Time  time.Time
}

// ErrConflict is wrapped by the error of a write whose expected sequence number
// (or revision) is not the stored one: somebody else wrote first. Nothing of it
// was written.
var ErrConflict = errors.New("journal: somebody else wrote to the entity")

// ConflictError says where; errors.Is(err, ErrConflict) holds.
type ConflictError struct {
	PersistenceID string
	// Expected is what the writer took for the last sequence number (revision).
	Expected int64
}

// Error implements error.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%v: %s does not stand at %d any more", ErrConflict, e.PersistenceID, e.Expected)
}

// Unwrap makes errors.Is work.
func (e *ConflictError) Unwrap() error { return ErrConflict }

// Snapshot is a row of the snapshot table: the state of an entity after the event
// SeqNr. An entity has one.
type Snapshot struct {
	PersistenceID string
	SeqNr         int64
	// Time it was written, in milliseconds as the table has it.
	Time     time.Time
	Payload  Payload
	Metadata *Payload
}

// StateWrite stores an entity's durable state.
type StateWrite struct {
	PersistenceID string
	// Revision this write makes: 1 inserts, a later one must follow the stored one,
	// otherwise it is a conflict.
	Revision int64
	Payload  Payload
	Tags     []string
	// Delete stores a marker instead of the payload, or with Hard removes the row
	// (as Pekko 1.x does), after which revision 1 is next.
	Delete, Hard bool
	// Messages go to the outbox in the same transaction.
	Messages []outbox.Message
}

// Size is what it counts against bounds, in bytes, as that of a Write.
func (w StateWrite) Size() int { return sizeRest + len(w.Payload.Data) + sizeOf(w.Messages) }
