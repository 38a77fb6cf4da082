package projection

import (
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// verdict is what becomes of an event that was read.
type verdict int

const (
	// accept: it is the next one.
	accept verdict = iota
	// duplicate: it was handled before.
	duplicate
	// gap: events before it have not been handled; they are fetched first.
	gap
)

// known is what is known of an entity: the last event that was handled. The zero
// known is: nothing.
type known struct {
	seqNr int64
	at    time.Time
}

// judge decides on an event by what is known of its entity. Where it says gap, the
// missing events begin at from and end before the event.
//
//   - Of durable state only the latest revision is there: a higher one than the
//     last is accepted.
//   - The number after the last is accepted, a higher one is a gap: events of an
//     entity are committed in the order of their numbers, so what comes before a
//     visible one is there, or was deleted.
//   - The last or a lower number is a duplicate, unless the event is later than the
//     last: times never go back within an entity, so it was forgotten and began
//     anew, at number 1.
//   - Of an entity without an offset everything up to passed was handled, or is
//     before the projection's start: its offset was trimmed, or never was. passed is
//     what the range's saved cursor has passed (journal.Placer); offsets after the
//     cursor are never trimmed. So an event up to passed is a duplicate, the next
//     is accepted, and a later one is a gap that begins after passed.
//
// What the fetching of a gap does not find was deleted, and is not waited for.
func judge(k journal.Kind, last known, passed int64, seqNr int64, at time.Time) (v verdict, from int64) {
	before := max(last.seqNr, passed)
	if seqNr <= before && last.seqNr > 0 && at.After(last.at) {
		before = 0
	}
	switch {
	case seqNr <= before:
		return duplicate, 0
	case seqNr == before+1 || k == journal.States:
		return accept, 0
	}
	return gap, before + 1
}
