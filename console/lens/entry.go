package lens

import (
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kgo"
)

// entry is one event of the log: its place and what its headers say. Times are
// microseconds since 1970.
type entry struct {
	topic     string // full
	partition int32
	offset    int64
	at        int64 // the record's timestamp
	seen      int64 // when it was read, where that was soon after it was written; else 0

	id, typ, source, key, subject string
	correlation, causation        string
	time                          int64 // the event's

	redriven string // the one consumer it was sent again for
	death    *death // nil for a normal event
}

// death is what makes an entry a dead letter.
type death struct {
	consumer string // that gave it up; "" for a relay's
	outbox   string // UUID of the outbox whose relay gave it up
	row      int64
	// Where the message came from, or (a relay's) should have gone; topic without
	// the prefix.
	topic     string
	partition int32
	offset    int64
	attempts  int
	at        int64
	reason    string
}

// headerSubject is CloudEvents' optional attribute.
const headerSubject = "ce_subject"

// maxReason bounds how much of an error's text the index keeps, in bytes.
const maxReason = 500

// entryOf reads a record; ok is false for one that is no CloudEvent.
func entryOf(r *kgo.Record) (e entry, ok bool) {
	ev, err := kafka.FromRecord(r)
	if err != nil {
		return entry{}, false
	}
	e = entry{
		topic: r.Topic, partition: r.Partition, offset: r.Offset, at: r.Timestamp.UnixMicro(),
		id: ev.ID, typ: ev.Type, source: ev.Source, key: ev.Key,
		correlation: ev.CorrelationID, causation: ev.CausationID, time: ev.Time.UnixMicro(),
	}
	if len(ev.Headers) > 0 {
		e.subject, e.redriven = ev.Headers[headerSubject], ev.Headers[inbox.RedriveHeader]
		e.death = deathOf(ev)
	}
	return e, true
}

// deathOf is nil where the event is no dead letter.
func deathOf(ev event.Event) *death {
	h := ev.Headers
	consumer, box := h[inbox.HeaderConsumer], h[outbox.HeaderOutbox]
	if h[inbox.HeaderError] == "" || consumer == "" && box == "" {
		return nil
	}
	d := &death{consumer: consumer, topic: h[inbox.HeaderTopic], offset: -1, reason: clip(h[inbox.HeaderError], maxReason)}
	d.attempts, _ = strconv.Atoi(h[inbox.HeaderAttempts]) // 0 where it is no number
	if consumer == "" {
		d.outbox = box
		d.row, _ = strconv.ParseInt(h[outbox.HeaderRow], 10, 64)
		return d
	}
	if p, err := strconv.ParseInt(h[inbox.HeaderPartition], 10, 32); err == nil {
		d.partition = int32(p)
	}
	if o, err := strconv.ParseInt(h[inbox.HeaderOffset], 10, 64); err == nil {
		d.offset = o
	}
	if at, err := time.Parse(time.RFC3339Nano, h[inbox.HeaderTime]); err == nil {
		d.at = at.UnixMicro()
	}
	return d
}

func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && s[most]&0xc0 == 0x80 {
		most--
	}
	return s[:most]
}

// transaction is the business transaction the event belongs to.
func (e *entry) transaction() string {
	if e.correlation != "" {
		return e.correlation
	}
	return e.id
}

// names are what the event can be found by.
func (e *entry) names() [4]string { return [4]string{e.id, e.correlation, e.key, e.subject} }

func (e *entry) event() *api.Event {
	return &api.Event{
		ID: e.id, Type: e.typ, Source: e.source, Key: e.key, Time: timeOf(e.time),
		CorrelationID: e.correlation, CausationID: e.causation,
	}
}

// published is when it was in the log: where the broker or the producer gave the
// record a time of its own, that one, else when the index saw it. known is false
// where it can only be said that it was not before the event.
func (e *entry) published() (micros int64, known bool) {
	const millisecond = 1000 // Kafka's times have no finer parts
	switch {
	case e.at-e.time >= millisecond:
		return e.at, true
	case e.seen > 0:
		return max(e.seen, e.time), true
	}
	return e.time, false
}

// first is published, to sort by.
func (e *entry) first() int64 {
	micros, _ := e.published()
	return micros
}

// timeOf is zero for 0.
func timeOf(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}
