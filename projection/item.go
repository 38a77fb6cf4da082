package projection

import (
	"fmt"

	"github.com/pabal-dev/pabal/journal"
)

// item is an event on its way, decoded.
type item struct {
	event  journal.Event
	values []any
	fault  error // why it cannot be decoded
}

// decode makes the items of events. Without a registry an event is handed on as it
// is. One that adapters make nothing of has no values; one that they make several
// of has as many envelopes.
func decode(r *journal.Registry, events []journal.Event) []item {
	items := make([]item, len(events))
	for n, e := range events {
		items[n].event = e
		if r == nil || e.Deleted {
			items[n].values = nothing
			continue
		}
		items[n].values, items[n].fault = r.Decode(e.Payload)
	}
	return items
}

// nothing is one value that is nil.
var nothing = []any{nil}

// envelopes of the event. Where events were deleted, their marker is none.
func (i item) envelopes(attempt int, suffix string) []Envelope {
	all := make([]Envelope, len(i.values))
	for n, value := range i.values {
		all[n] = Envelope{Event: i.event, Value: value, Attempt: attempt, suffix: suffix}
	}
	return all
}

func (i item) offset() Offset {
	return Offset{
		PersistenceID: i.event.PersistenceID, Slice: journal.SliceOf(i.event.PersistenceID),
		SeqNr: i.event.SeqNr, Time: i.event.Time,
	}
}

// size is what an item counts against bounds, in bytes.
func (i item) size() int { return sizeOf(i.event) }

func sizeOf(e journal.Event) int {
	const rest = 256
	size := rest + len(e.Payload.Data) + len(e.PersistenceID)
	if e.Metadata != nil {
		size += len(e.Metadata.Data)
	}
	return size
}

// typeOf names an event's type for people.
func typeOf(p journal.Payload) string {
	if p.Manifest != "" {
		return p.Manifest
	}
	return fmt.Sprintf("(serializer %d)", p.Serializer)
}
