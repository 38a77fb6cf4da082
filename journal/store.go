package journal

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

// Tx is a transaction of the user's database, in which entities write beside
// whatever else is in it. After an error the transaction must be rolled back.
// Backends whose transactions hold a connection of a pool make theirs a Loader too.
type Tx interface {
	outbox.Tx
	// AppendEvents appends; where a write is a conflict its error is a
	// *ConflictError.
	AppendEvents(ctx context.Context, writes []Write) ([]Appended, error)
	// WriteStates stores durable state; a conflict as above.
	WriteStates(ctx context.Context, writes []StateWrite) ([]Appended, error)
	// SaveSnapshot replaces the entity's snapshot unless the stored one is newer.
	SaveSnapshot(ctx context.Context, s Snapshot) error
}

// Result is what became of one write of a group.
type Result struct {
	Appended
	// Err is a *ConflictError, or what else was wrong with this write alone.
	Err error
}

// Loader reads single entities. A Tx that is one reads what it wrote itself, and
// spares who loads entities within a transaction a second connection: a pool of
// which every connection is in such a transaction would wait for itself.
type Loader interface {
	// Events calls fn with the events of that entity from sequence number from to
	// to (0: the last), ascending, reading ahead a bounded number of bytes. Events
	// marked deleted are left out. An error of fn ends it and is returned as it is.
	Events(ctx context.Context, persistenceID string, from, to int64, fn func(Event) error) error
	// HighestSeqNrs returns the last sequence number of each, counting deleted
	// events; 0 where there was none.
	HighestSeqNrs(ctx context.Context, persistenceIDs []string) ([]int64, error)
	// LoadSnapshot returns the entity's snapshot if its sequence number is at most
	// max (0: any).
	LoadSnapshot(ctx context.Context, persistenceID string, max int64) (s Snapshot, ok bool, err error)
	// LoadState returns an entity's durable state; one that was deleted with a marker
	// comes back Deleted.
	LoadState(ctx context.Context, persistenceID string) (e Event, ok bool, err error)
}

// Store is an event store. Errors that a retry may mend (connection lost, deadlock,
// serialization failure) are Transient.
type Store interface {
	// AppendGroup commits the writes of different entities in one transaction, with
	// their messages. A conflict, or a payload the database refuses, fails only its
	// own write; an error is of all, none of which was written (or, where the
	// connection was lost at the commit, all or none: load to know). Writes may be
	// committed one by one instead, after one of them failed the transaction: then an
	// error leaves open which of them were written. No two writes are of the same
	// entity.
	AppendGroup(ctx context.Context, writes []Write) ([]Result, error)
	// WriteStateGroup is AppendGroup for durable state.
	WriteStateGroup(ctx context.Context, writes []StateWrite) ([]Result, error)
	Loader

	// DeleteEvents deletes those up to and including to, and keeps a marker there,
	// so that sequence numbers are not used again. It returns how many are gone.
	// With forget no marker is kept and to is ignored: all goes, and the next event
	// is number 1.
	DeleteEvents(ctx context.Context, persistenceID string, to int64, forget bool) (int64, error)
	// PersistenceIDs lists ids of events of that type ("": all), ascending, that come
	// after one.
	PersistenceIDs(ctx context.Context, entityType, after string, limit int) ([]string, error)

	// SaveSnapshot replaces the entity's snapshot unless the stored one is newer.
	SaveSnapshot(ctx context.Context, s Snapshot) error
	// DeleteSnapshot deletes it if its sequence number is at most max (0: any).
	DeleteSnapshot(ctx context.Context, persistenceID string, max int64) error

	// Transient says that the database, not the write, is the cause of an error.
	Transient(err error) bool
	Reader
}

// Kind is which table a Reader reads.
type Kind int

// Kinds.
const (
	// Events reads event_journal: every event.
	Events Kind = iota
	// States reads durable_state: of each entity the latest revision only.
	States
)

// Cursor is how far a reader has come: the backend's own bytes, valid JSON. nil
// is the beginning.
type Cursor []byte

// Query asks for events by slices.
type Query struct {
	Kind Kind
	// EntityType; "" is all.
	EntityType string
	// Tag an event must have; "" is any. A deleted state has no tags, so that who
	// reads States by tag does not learn of deletions, nor that a state has lost the
	// tag.
	Tag    string
	Slices SliceRange
	// After is where the last page ended.
	After Cursor
	// Limit of events in a page, 1,000 where 0. A page may hold a few more, so that
	// it does not cut what the cursor cannot express.
	Limit int
}

// Page is events by slices, in the order in which they are to be applied.
type Page struct {
	// Events come at least once. One of an entity comes after those before it,
	// except where transactions overlapped: the projection's validation fetches what
	// is missing by persistence id. Deleted events are left out; a deleted state comes
	// as its marker, Deleted.
	Events []Event
	// Cursor is where to go on, once Events are applied. It may have moved though
	// Events is empty.
	Cursor Cursor
	// More is set where another page can be read at once.
	More bool
	// Backtracking is set while a writing transaction has been open for so long that
	// the page was read above it; its events come once it ends, after younger ones.
	Backtracking bool
	// Blocker describes that transaction, for people.
	Blocker string
}

// Reader reads events by slices, live and without a gap.
type Reader interface {
	// Page reads on. It does not wait for events.
	Page(ctx context.Context, q Query) (Page, error)
	// Now is a cursor at the end: what is committed later comes after it.
	Now(ctx context.Context, k Kind) (Cursor, error)
	// Ahead counts the events after the cursor, up to limit.
	Ahead(ctx context.Context, q Query, limit int) (int, error)
	// Appends returns a channel that gets a value after events or states were
	// committed by this process or, where the database can tell, by another one;
	// values that nobody took yet coalesce. done is closed when nothing will come any
	// more and no goroutine is left: after ctx ended, or Close.
	Appends(ctx context.Context) (wake, done <-chan struct{})
	// Time is the database's clock.
	Time(ctx context.Context) (time.Time, error)
}

// Placer is an optional part of a Reader: it tells what a cursor has passed. A
// projection asks it where it meets an entity that it has no offset of in the middle
// of the entity's events. A Reader whose order of events is always that of their
// sequence numbers does not need it.
type Placer interface {
	// Passed returns for each entity the highest sequence number, among its events
	// (also those marked deleted) up to and including the one given, that a reader at
	// the cursor has passed for good; 0 where there is none. What is read again while
	// backtracking is not passed. A nil cursor has passed nothing.
	Passed(ctx context.Context, after Cursor, persistenceIDs []string, upTo []int64) ([]int64, error)
}
