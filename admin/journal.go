package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// Journal is the part of API about entities: their events, snapshots and states. It
// reads only. Without a journal the service answers ErrNotFound.
type Journal interface {
	// EntityTypes lists the types there are, by name: those the process runs, and
	// others found in the journal.
	EntityTypes(ctx context.Context) ([]EntityType, error)
	// Entities lists entities of a type.
	Entities(ctx context.Context, q EntityQuery) (EntityPage, error)
	// Entity is what is stored under a persistence id.
	Entity(ctx context.Context, persistenceID string) (Entity, error)
	// Events returns an entity's events, ascending.
	Events(ctx context.Context, q EventQuery) (EventPage, error)
	// States returns an entity's states after some of its events, as the process that
	// runs the entity computes them. ErrNotFound where it does not run that type.
	States(ctx context.Context, q StateQuery) (StatePage, error)
}

// Kind is how entities are stored.
type Kind string

// Kinds.
const (
	// EventSourced entities have events, of which their state follows.
	EventSourced Kind = "events"
	// Durable entities have a state, of which only the last revision is kept.
	Durable Kind = "states"
)

// kindOf is a journal.Kind in words.
func kindOf(k journal.Kind) Kind {
	if k == journal.States {
		return Durable
	}
	return EventSourced
}

// EntityType is a type of entities.
type EntityType struct {
	// Name is what is before "|" in the persistence ids; "" for ids without a type.
	Name string `json:"name"`
	Kind Kind   `json:"kind"`
	// States says that the process can compute states of it.
	States bool `json:"states"`
}

// Bounds of what is answered at a time.
const (
	// MaxEntities bounds ids and events of a page, MaxStates the states.
	MaxEntities = 500
	MaxStates   = 100
	// MaxContent is how much is shown of a payload, MaxState of a state, and
	// MaxPage of all payloads or states of a page, in bytes.
	MaxContent = 256 << 10
	MaxState   = 1 << 20
	MaxPage    = 4 << 20
)

const defaultLimit = 50

// EntityQuery selects entities.
type EntityQuery struct {
	// Type of the entities; "" is all of the kind.
	Type string `json:"type,omitempty"`
	// Kind is EventSourced where empty.
	Kind Kind `json:"kind,omitempty"`
	// Prefix of the entity's own id, or of the persistence id where Type is empty. Case
	// matters.
	Prefix string `json:"prefix,omitempty"`
	// After is Next of the page before.
	After string `json:"after,omitempty"`
	// Limit is 50 where zero, at most 500.
	Limit int `json:"limit,omitempty"`
}

// EntityPage is a part of a list of entities: event-sourced ones by persistence id,
// durable ones by their last change, the oldest first.
type EntityPage struct {
	Entities []EntityLine `json:"entities"`
	// Next is where to go on, "" at the end. A page may be empty and have one.
	Next string `json:"next,omitempty"`
}

// EntityLine is an entity in a list.
type EntityLine struct {
	PersistenceID string `json:"persistenceId"`
	// SeqNr is the last event's number, or the revision of durable state.
	SeqNr int64 `json:"seqNr"`
	// Time of the last change; only of durable state.
	Time time.Time `json:"time,omitzero"`
}

// Entity is what is stored of one.
type Entity struct {
	PersistenceID string `json:"persistenceId"`
	Type          string `json:"type"`
	ID            string `json:"id"`
	Slice         int    `json:"slice"`
	// SeqNr is the last event's number, deleted ones included; 0 without events. First
	// is the first one that is still there; 0 where none is.
	SeqNr int64 `json:"seqNr"`
	First int64 `json:"first"`
	// Snapshot is nil where there is none.
	Snapshot *SnapshotInfo `json:"snapshot,omitempty"`
	// State is its durable state, nil where it has none. Earlier revisions are not kept.
	State *StoredState `json:"state,omitempty"`
	// States says that states after its events can be asked for.
	States bool `json:"states"`
}

// SnapshotInfo is a snapshot without its content.
type SnapshotInfo struct {
	SeqNr      int64     `json:"seqNr"`
	Time       time.Time `json:"time"`
	Serializer int32     `json:"serializer"`
	Manifest   string    `json:"manifest,omitempty"`
	Size       int       `json:"size"`
}

// StoredState is durable state.
type StoredState struct {
	Revision int64     `json:"revision"`
	Time     time.Time `json:"time"`
	Tags     []string  `json:"tags,omitempty"`
	// Deleted says that only a marker is left.
	Deleted bool    `json:"deleted,omitempty"`
	Payload Content `json:"payload"`
}

// EventQuery selects events of an entity.
type EventQuery struct {
	PersistenceID string `json:"persistenceId"`
	// From and To are sequence numbers, both included; 0 is the first and the last.
	From int64 `json:"from,omitempty"`
	To   int64 `json:"to,omitempty"`
	// Limit is 50 where zero, at most 500.
	Limit int `json:"limit,omitempty"`
}

// EventPage is a part of an entity's events.
type EventPage struct {
	Events []StoredEvent `json:"events"`
	// Next is From of the next page, 0 at the end. A page of large payloads ends early.
	Next int64 `json:"next,omitempty"`
}

// StoredEvent is an event as it is stored, decoded for people.
type StoredEvent struct {
	SeqNr  int64     `json:"seqNr"`
	Time   time.Time `json:"time"`
	Tags   []string  `json:"tags,omitempty"`
	Writer string    `json:"writer,omitempty"`
	// AdapterManifest is what an event adapter of Pekko left.
	AdapterManifest string   `json:"adapterManifest,omitempty"`
	Payload         Content  `json:"payload"`
	Metadata        *Content `json:"metadata,omitempty"`
}

// Content is a payload for people.
type Content struct {
	Serializer int32  `json:"serializer"`
	Manifest   string `json:"manifest,omitempty"`
	// Size as it is stored, in bytes.
	Size int `json:"size"`
	// Format is "json", "text", "binary" or "null".
	Format string `json:"format"`
	// Text of json and text, Base64 of binary.
	Text   string `json:"text,omitempty"`
	Base64 []byte `json:"base64,omitempty"`
	// Cut says that it is longer than what is shown.
	Cut bool `json:"cut,omitempty"`
	// Problem says why it could not be decoded.
	Problem string `json:"problem,omitempty"`
	// Masked names what a masking rule of the console hid.
	Masked []string `json:"masked,omitempty"`
}

// StateQuery selects states of an entity.
type StateQuery struct {
	PersistenceID string `json:"persistenceId"`
	// From and To are numbers of events, both included: the state after each. Both
	// zero is the state as it is now.
	From int64 `json:"from,omitempty"`
	To   int64 `json:"to,omitempty"`
}

// StatePage is states, ascending.
type StatePage struct {
	States []EntityState `json:"states"`
	// Next is From of the next page, 0 at the end: there are more than MaxStates, they
	// are large, or they took long.
	Next int64 `json:"next,omitempty"`
}

// EntityState is an entity's state after an event.
type EntityState struct {
	SeqNr int64           `json:"seqNr"`
	State json.RawMessage `json:"state"`
	// Masked names what a masking rule of the console hid.
	Masked []string `json:"masked,omitempty"`
}

// withDefaults checks a query of entities.
func (q EntityQuery) withDefaults() (EntityQuery, error) {
	switch q.Kind {
	case "":
		q.Kind = EventSourced
	case EventSourced, Durable:
	default:
		return q, fmt.Errorf("%w: kind %.40q is neither %q nor %q", ErrInvalid, q.Kind, EventSourced, Durable)
	}
	if len(q.Prefix) > journal.MaxPersistenceID || len(q.Type) > journal.MaxPersistenceID {
		return q, fmt.Errorf("%w: no persistence id is longer than %d bytes", ErrInvalid, journal.MaxPersistenceID)
	}
	var err error
	q.Limit, err = limitOf(q.Limit)
	return q, err
}

// withDefaults checks a query of events.
func (q EventQuery) withDefaults() (EventQuery, error) {
	if err := checkRange(q.PersistenceID, q.From, q.To); err != nil {
		return q, err
	}
	var err error
	q.Limit, err = limitOf(q.Limit)
	return q, err
}

func (q StateQuery) check() error { return checkRange(q.PersistenceID, q.From, q.To) }

func checkRange(persistenceID string, from, to int64) error {
	switch {
	case from < 0 || to < 0:
		return fmt.Errorf("%w: sequence numbers begin at 1, not %d", ErrInvalid, min(from, to))
	case to > 0 && from > to:
		return fmt.Errorf("%w: from %d is after to %d", ErrInvalid, from, to)
	}
	return checkID(persistenceID)
}

func checkID(persistenceID string) error {
	if err := journal.CheckPersistenceID(persistenceID); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

func limitOf(limit int) (int, error) {
	switch {
	case limit < 0 || limit > MaxEntities:
		return 0, fmt.Errorf("%w: limit %d is not within 1 to %d", ErrInvalid, limit, MaxEntities)
	case limit == 0:
		return defaultLimit, nil
	}
	return limit, nil
}
