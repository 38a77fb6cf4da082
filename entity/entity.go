// Package entity hosts entities that answer commands one at a time: event-sourced
// ones (command -> events -> state) and durable ones (command -> state), over a
// journal.
//
// A definition is pure functions: Decide says what a command does, Apply what an
// event means. A Host keeps the states of the entities that are in use, gives each
// of them one writer, stores what was decided and only then replies. Messages of
// a decision go to the outbox in the same transaction.
//
// Two hosts, in one process or in two, may serve one entity: the journal's
// expected sequence numbers let only one of them win, and the other decides again
// on the newer state. A Server takes commands from a Kafka topic, where the
// consumer group spreads the entities over processes; a Client asks over Kafka.
//
// States are shared: Decide, Apply and whoever called Read may hold one at the
// same time. Nobody may modify one. Apply returns a new value; where a state has
// maps, slices or pointers it copies what it changes (maps.Clone, slices.Clone,
// slices.Concat; never an append to a slice of the old state, whose spare room
// another state may share).
package entity

import (
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
)

// Context is what a decision may know besides state and command.
type Context struct {
	// ID of the entity, PersistenceID with its type before.
	ID, PersistenceID string
	// SeqNr of the entity's last event, or its revision; 0 before the first.
	SeqNr int64
	// Now is the host's clock, UTC with microseconds.
	Now time.Time
	// Cause is the command's event where it came from a topic, otherwise nil.
	Cause *event.Event
}

// EventSourced defines entities whose state is the sum of their events. Type,
// Initial, Decide, Apply and Registry are required.
type EventSourced[C, E, S, R any] struct {
	// Type is the part of the persistence id before "|".
	Type string
	// Initial is the state before the first event.
	Initial func(id string) S
	// Decide is pure: it reads state and command and says what happens. Refuse
	// makes the error of a business refusal; another error, or a panic, fails the
	// command. It may run more than once for one command, on newer states.
	Decide func(c Context, state S, command C) (Decision[E, R], error)
	// Apply is pure and returns the state after the event; it must not modify the
	// one it got (see the package). An error, or a panic, says that the event cannot
	// follow that state: a new one fails its command, a stored one its entity.
	Apply func(state S, e E) (S, error)
	// Registry encodes events, and states for snapshots.
	Registry *journal.Registry
	// Tags of an event; none where nil.
	Tags func(e E) []string
	// Snapshot says when the state is stored, so that recovery need not read all
	// events; never where zero.
	Snapshot journal.SnapshotPolicy
	// Size of a state in bytes, about, for Config.MaxLiveBytes; not counted where nil.
	Size func(state S) int
}

// Decision is what a command does: all of it, or nothing.
type Decision[E, R any] struct {
	// Events to store and apply; none where nothing changes.
	Events []E
	// Reply is sent once they are stored.
	Reply R
	// Messages go to the outbox in the transaction of the events, each to the topic
	// named as its type unless Config.Topic says otherwise. They need an event: a
	// decision with messages alone is refused as a mistake, as nothing would keep
	// two hosts from sending them twice.
	Messages []event.Event
}

// DurableState defines entities of which only the latest state is stored. Type,
// Initial, Decide and Registry are required.
type DurableState[C, S, R any] struct {
	// Type is the part of the persistence id before "|".
	Type string
	// Initial is the state before the first change, and after a delete.
	Initial func(id string) S
	// Decide is pure, as that of EventSourced.
	Decide func(c Context, state S, command C) (Change[S, R], error)
	// Registry encodes states.
	Registry *journal.Registry
	// Tags of a state; none where nil.
	Tags func(state S) []string
	// HardDelete removes the row where a change deletes, as Pekko 1.x does, instead
	// of leaving a marker with the next revision. Projections do not see it.
	HardDelete bool
	// Size of a state in bytes, about, for Config.MaxLiveBytes; not counted where nil.
	Size func(state S) int
}

// Change is what a command does to a durable state: all of it, or nothing.
type Change[S, R any] struct {
	// Set is the new state; nil leaves it.
	Set *S
	// Delete deletes it; Set is nil then.
	Delete bool
	// Reply is sent once the change is stored.
	Reply R
	// Messages as those of a Decision.
	Messages []event.Event
}

// View is a committed state.
type View[S any] struct {
	// State is shared: who wants to modify it makes a copy.
	State S
	// SeqNr of the last event in it, or its revision; 0 is the initial state.
	SeqNr int64
	// Time of that event; of a snapshot after which no event came, when it was
	// written; zero at SeqNr 0.
	Time time.Time
}
