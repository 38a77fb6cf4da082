package inbox

import (
	"fmt"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// item is a record on its way through a lane, fresh from Kafka or back from
// the waiting table.
type item struct {
	offset    int64
	headers   []event.Header
	key       []byte
	value     []byte
	timestamp time.Time

	// event is what could be read of the record; fault says why that is not
	// all of it, and makes the record a dead letter at once.
	event event.Event
	fault error
}

func newItem(offset int64, headers []event.Header, key, value []byte, timestamp time.Time) item {
	i := item{offset: offset, headers: headers, key: key, value: value, timestamp: timestamp}
	i.event, i.fault = event.FromRecord(headers, key, value, timestamp)
	if i.fault == nil && strings.Contains(i.event.Key, "\x00") {
		i.fault = fmt.Errorf("%w: the record's key has a NUL character", event.ErrMalformed) // no text for PostgreSQL
	}
	return i
}

func itemOf(w Waiting) item {
	return newItem(w.Offset, w.Headers, []byte(w.Key), w.Value, w.Timestamp)
}

// addressee is the one consumer a redriven record is for; "" is everybody.
func (i item) addressee() string { return i.event.Headers[RedriveHeader] }

// rowOverhead stands for what a waiting row needs besides the record.
const rowOverhead = 128

func (i item) waiting(attempts int, next time.Time, reason string) Waiting {
	return Waiting{
		Offset: i.offset, Key: string(i.key), Attempts: attempts, Next: next, Reason: reason,
		Headers: i.headers, Value: i.value, Timestamp: i.timestamp, Size: rowOverhead + recordSize(i.headers, i.key, i.value),
	}
}

func recordSize(headers []event.Header, key, value []byte) int64 {
	size := len(key) + len(value)
	for _, h := range headers {
		size += len(h.Key) + len(h.Value)
	}
	return int64(size)
}

// lineState says whether a message may be handled now.
type lineState int

const (
	lineFree   lineState = iota
	lineWaits            // an earlier message of the key waits
	lineParked           // the key waits for Admin.Release
)

// planner decides what becomes of records, without doing it.
type planner struct {
	consumer string
	claim    Claim
}

// plan is what one transaction does for the first `taken` items.
type plan struct {
	taken int
	// next is the lane's offset afterwards.
	next int64
	// marks and items belong together: what to do where the mark was unseen.
	marks []Mark
	items []item
	// waiting go to the waiting table, behind others of their key.
	waiting []Waiting
	// skipped were redriven for another consumer.
	skipped int
}

// plan goes through items in the order of their offsets. line tells the state
// of a key; room is how many bytes of followers the waiting table still takes:
// one that does not fit ends the plan before it.
func (p planner) plan(items []item, line func(key string) lineState, room int64) plan {
	out := plan{marks: make([]Mark, 0, len(items)), items: make([]item, 0, len(items))}
	for _, i := range items {
		addressee := i.addressee()
		switch state := line(i.event.Key); {
		case addressee != "" && addressee != p.consumer:
			out.skipped++
		case i.fault != nil || i.event.Key == "" || state == lineFree:
			out.marks = append(out.marks, p.mark(i))
			out.items = append(out.items, i)
		default:
			row := i.waiting(0, time.Time{}, "")
			row.Parked = state == lineParked
			if row.Size > room {
				return out
			}
			room -= row.Size
			out.waiting = append(out.waiting, row)
		}
		out.taken++
		out.next = i.offset + 1
	}
	return out
}

// mark is the inbox row of a message that is handled, or of a malformed one.
func (p planner) mark(i item) Mark {
	m := Mark{
		ID: i.event.ID, Generation: p.claim.Replay.GenerationOf(i.offset), Outcome: Handled,
		Redriven: i.addressee() == p.consumer,
	}
	if i.fault != nil {
		m.ID, m.Outcome, m.Redriven = p.place(i.offset), Dead, false
	}
	return m
}

func (p planner) deadMark(i item) Mark {
	m := p.mark(i)
	m.Outcome = Dead
	return m
}

// place names a record whose own id cannot be trusted.
func (p planner) place(offset int64) string {
	return fmt.Sprintf("%s/%d/%d", p.claim.TopicID, p.claim.Partition.Partition, offset)
}
