package outbox

import (
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Headers of a relay's dead letter, beside those of the event.
const (
	// HeaderError says why the last attempt failed.
	HeaderError = "pabal-error"
	// HeaderTopic is where the event should have gone, without the prefix.
	HeaderTopic = "pabal-topic"
	// HeaderOutbox and HeaderRow say where the row is: the outbox's UUID and
	// the row's id.
	HeaderOutbox = "pabal-outbox"
	HeaderRow    = "pabal-outbox-row"
	// HeaderAttempts is how often Kafka refused it.
	HeaderAttempts = "pabal-attempts"
	// HeaderLeftOut lists what of the event did not fit: "value", or "value, key
	// and headers".
	HeaderLeftOut = "pabal-left-out"
)

// record is the row as Kafka gets it.
func (r Row) record(cluster kafka.Config, source string) *kgo.Record {
	e := r.Event
	if e.Source == "" {
		e.Source = source
	}
	return kafka.ToRecord(cluster.Topic(r.Topic), e)
}

// fullness is how much of an event its dead letter holds.
type fullness int

const (
	whole fullness = iota
	withoutValue
	withoutHeaders
)

// maxReason bounds the error text in a dead letter and in the outbox.
const maxReason = 1000

// deadLetter is the record that stands for a row that Kafka does not take. Its
// timestamp is now: the event's may be what was refused.
func (r Row) deadLetter(topic, outbox, source string, how fullness, now time.Time) *kgo.Record {
	e := r.Event
	if e.Source == "" {
		e.Source = source
	}
	headers := map[string]string{
		HeaderError: clip(r.Reason, maxReason), HeaderTopic: r.Topic, HeaderOutbox: outbox,
		HeaderRow: strconv.FormatInt(r.ID, 10), HeaderAttempts: strconv.Itoa(r.Attempts),
	}
	switch how {
	case withoutValue:
		e.Payload, headers[HeaderLeftOut] = nil, "value"
	case withoutHeaders:
		e = event.Event{ID: e.ID, Type: e.Type, Source: e.Source, Time: e.Time,
			CorrelationID: e.CorrelationID, CausationID: e.CausationID}
		headers[HeaderLeftOut] = "value, key and headers"
	}
	for name, value := range e.Headers {
		if _, ours := headers[name]; !ours {
			headers[name] = value
		}
	}
	e.Headers = headers
	record := kafka.ToRecord(topic, e)
	record.Timestamp = now
	return record
}

// clip cuts a text to at most n bytes, at a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
