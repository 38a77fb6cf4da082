package api

import (
	"encoding/json"
	"time"

	"github.com/pabal-dev/pabal/admin"
)

// Hidden stands where a masking rule hid something.
const Hidden = "•••"

// EntityQuery selects entities of a service.
type EntityQuery struct {
	Service string `json:"service"`
	admin.EntityQuery
}

// EventQuery selects events of an entity.
type EventQuery struct {
	Service string `json:"service"`
	admin.EventQuery
}

// StateQuery selects states of an entity.
type StateQuery struct {
	Service string `json:"service"`
	admin.StateQuery
}

// DiffQuery asks what changed in an entity's state between two of its events.
type DiffQuery struct {
	Service       string `json:"service"`
	PersistenceID string `json:"persistenceId"`
	// From is the event before, To that after, in this order of time; 0 as From is
	// before the first event. Where From is missing it is the one before To, and where To is
	// missing it is the last one.
	From *int64 `json:"from,omitempty"`
	To   int64  `json:"to,omitempty"`
}

// StateDiff is what changed in an entity's state.
type StateDiff struct {
	PersistenceID string `json:"persistenceId"`
	// From is 0 for the state before the first event.
	From    int64    `json:"from"`
	To      int64    `json:"to"`
	Changes []Change `json:"changes"`
	// More says that there are more changes than MaxChanges.
	More bool `json:"more,omitempty"`
	// Masked names what is hidden from the user's role; whether it changed is hidden,
	// too.
	Masked []string `json:"masked,omitempty"`
}

// ChangeKind says how a field changed.
type ChangeKind string

// Kinds of changes.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// Change is a difference of two JSON values at a place.
type Change struct {
	Kind ChangeKind `json:"kind"`
	// Path such as items[0].price, as masking rules write it; "" is the whole value.
	Path string `json:"path"`
	// Old is missing where it was added, New where it was removed.
	Old json.RawMessage `json:"old,omitempty"`
	New json.RawMessage `json:"new,omitempty"`
}

// FieldQuery asks which events changed a field of an entity's state.
type FieldQuery struct {
	Service       string `json:"service"`
	PersistenceID string `json:"persistenceId"`
	// Path such as items[0].price or ["a.b"].c.
	Path string `json:"path"`
	// Before goes on at Next of the answer before; 0 begins at the last event.
	Before int64 `json:"before,omitempty"`
}

// FieldHistory is the events that changed a field, newest first.
type FieldHistory struct {
	PersistenceID string        `json:"persistenceId"`
	Path          string        `json:"path"`
	Changes       []FieldChange `json:"changes"`
	// From and To are the events that were looked at.
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Next is Before of a query that looks further back, 0 where there is nothing to look
	// at.
	Next int64 `json:"next,omitempty"`
	// Hidden says that the field is hidden from the user's role, and so is its history.
	Hidden bool `json:"hidden,omitempty"`
}

// FieldChange is a change of the field by an event.
type FieldChange struct {
	SeqNr int64      `json:"seqNr"`
	Kind  ChangeKind `json:"kind"`
	// Old is missing where there was nothing, New where there is nothing any more.
	Old json.RawMessage `json:"old,omitempty"`
	New json.RawMessage `json:"new,omitempty"`
	// Manifest and Time of the event.
	Manifest string    `json:"manifest,omitempty"`
	Time     time.Time `json:"time"`
}

// PauseProjection pauses a projection in every process, or ends that.
type PauseProjection struct {
	Service    string `json:"service"`
	Projection string `json:"projection"`
	Paused     bool   `json:"paused"`
}

// ResetProjection has a projection handle events again.
type ResetProjection struct {
	Service string `json:"service"`
	admin.ProjectionReset
}

// RebuildProjection does a step of a rebuild: start, compare or cancel. The swap has
// a request of its own.
type RebuildProjection struct {
	Service string `json:"service"`
	admin.RebuildRequest
}

// SwapProjection makes a rebuilt view the live one.
type SwapProjection struct {
	Service    string `json:"service"`
	Projection string `json:"projection"`
}
