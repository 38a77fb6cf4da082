// Package event is the vocabulary of Pabal: what happened, about what, caused
// by what. Every message between services is an Event; in Kafka it travels as
// CloudEvents 1.0 in binary mode (see RecordHeaders and FromRecord).
//
// The package imports the standard library only.
package event

import (
	"errors"
	"fmt"
	"maps"
	"time"
	"unicode/utf8"
)

// Event is one immutable fact or request. Build it with New; a zero Event is
// not valid.
type Event struct {
	// ID is unique per event: a UUIDv7 for ours, any non-empty text of at
	// most 255 bytes for foreign CloudEvents. A new event never reuses the id
	// of the one it answers.
	ID string
	// Type names what happened, for example "payment-request".
	Type string
	// Source is who says so, a URI reference such as "/orders/payment". Empty
	// until the outbox relay fills in its own.
	Source string
	// Key is the id of the thing the event is about. Events of one key stay
	// in order.
	Key string
	// Time is when it happened: UTC, microseconds.
	Time time.Time
	// CorrelationID is shared by all events of one business transaction.
	CorrelationID string
	// CausationID is the id of the event that caused this one, empty for the
	// first of its transaction.
	CausationID string
	// Traceparent is the W3C trace context of whoever made the event.
	Traceparent string
	// ContentType says how Payload is encoded, for example "application/json".
	ContentType string
	// Headers are the application's own and CloudEvents extensions that Event
	// has no field for ("ce_…"). See IsReservedHeader for names not allowed.
	Headers map[string]string
	// Payload is the encoded data; nil is a tombstone.
	Payload []byte

	err error // of encoding the payload in New; Validate reports it
}

// MaxIDLength is the longest id, correlation id and causation id, in bytes.
const MaxIDLength = 255

// ErrInvalid is wrapped by every error of Validate.
var ErrInvalid = errors.New("invalid event")

// New makes an event of that type about that key, with a fresh id, the present
// time and data as JSON. It starts a business transaction of its own (its
// correlation id is its id); use CausedBy for an answer. Data that cannot be
// encoded is reported by Validate, which every way of sending calls.
func New(typ, key string, data any) Event {
	return Encoded(typ, key, JSON, data)
}

// Encoded is New with another codec.
func Encoded(typ, key string, codec Codec, data any) Event {
	id := NewID()
	payload, err := codec.Encode(data)
	return Event{
		ID: id, Type: typ, Key: key, CorrelationID: id,
		Time:        time.Now().UTC().Truncate(time.Microsecond),
		ContentType: codec.ContentType(), Payload: payload, err: err,
	}
}

// CausedBy returns e as a consequence of cause: the same correlation id, and
// cause's id as its causation id.
func (e Event) CausedBy(cause Event) Event {
	e.CausationID = cause.ID
	e.CorrelationID = cause.CorrelationID
	if e.CorrelationID == "" {
		e.CorrelationID = cause.ID
	}
	return e
}

// InTransaction returns e as part of the business transaction with that
// correlation id.
func (e Event) InTransaction(correlationID string) Event {
	e.CorrelationID = correlationID
	return e
}

// WithHeader returns e with one more application header.
func (e Event) WithHeader(name, value string) Event {
	headers := maps.Clone(e.Headers)
	if headers == nil {
		headers = map[string]string{}
	}
	headers[name] = value
	e.Headers = headers
	return e
}

// Validate reports what keeps e from being sent; the error wraps ErrInvalid
// and names the field. An empty Source is allowed: the relay fills it in.
func (e Event) Validate() error {
	if e.err != nil {
		return fmt.Errorf("%w: payload of %q: %w", ErrInvalid, e.Type, e.err)
	}
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"id", e.ID, true}, {"type", e.Type, true},
		{"correlation id", e.CorrelationID, false}, {"causation id", e.CausationID, false},
		{"source", e.Source, false}, {"traceparent", e.Traceparent, false}, {"content type", e.ContentType, false},
	} {
		if err := checkAttribute(f.name, f.value, f.required); err != nil {
			return err
		}
	}
	if e.Time.IsZero() {
		return fmt.Errorf("%w: time is missing", ErrInvalid)
	}
	if !utf8.ValidString(e.Key) {
		return fmt.Errorf("%w: key is not UTF-8", ErrInvalid)
	}
	for name, value := range e.Headers {
		if err := checkHeader(name, value); err != nil {
			return err
		}
	}
	return nil
}

func checkAttribute(name, value string, required bool) error {
	switch {
	case value == "" && required:
		return fmt.Errorf("%w: %s is missing", ErrInvalid, name)
	case len(value) > MaxIDLength:
		return fmt.Errorf("%w: %s has %d bytes, at most %d are allowed", ErrInvalid, name, len(value), MaxIDLength)
	case !utf8.ValidString(value):
		return fmt.Errorf("%w: %s is not UTF-8", ErrInvalid, name)
	}
	for i := 0; i < len(value); i++ {
		if value[i] < 0x20 || value[i] == 0x7f {
			return fmt.Errorf("%w: %s has a control character at byte %d", ErrInvalid, name, i)
		}
	}
	return nil
}

func checkHeader(name, value string) error {
	if name == "" || IsReservedHeader(name) {
		return fmt.Errorf("%w: header name %q is empty or belongs to a field of Event", ErrInvalid, name)
	}
	if !utf8.ValidString(name) || !utf8.ValidString(value) {
		return fmt.Errorf("%w: header %q is not UTF-8", ErrInvalid, name)
	}
	return nil
}
