// Package record shows Kafka records to people. Every engine of the console goes
// the same way: Decode the whole record, mask it (mask.Rules.Message), filter it,
// and only then Cut it, so that neither a cut nor a filter reveals what a rule
// hides.
package record

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Decode is r for people, whole: nothing is masked or cut. Event is nil where r is
// no CloudEvent. It does not keep r's memory.
func Decode(r *kgo.Record) api.Message {
	m := api.Message{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Timestamp: r.Timestamp.UTC(),
		Key: plain(r.Key), Value: Data(r.Value), Headers: make([]api.Header, len(r.Headers)),
	}
	for i, h := range r.Headers {
		m.Headers[i] = api.Header{Key: strings.ToValidUTF8(h.Key, "\uFFFD"), Value: plain(h.Value)}
	}
	if e, err := kafka.FromRecord(r); err == nil {
		m.Event = Event(e)
	}
	return m
}

// Schemas know what is written with the schema of a registry.
type Schemas interface {
	// Decode replaces d, which has the bytes of a key or a value of that topic as they are, by
	// what they say, where they begin with the id of a schema. It leaves other bytes alone.
	Decode(ctx context.Context, topic string, key bool, b []byte, d *api.Data)
}

// DecodeWith is Decode for records whose keys and values may have schemas; nil knows none.
func DecodeWith(ctx context.Context, s Schemas, r *kgo.Record) api.Message {
	m := Decode(r)
	if s != nil {
		s.Decode(ctx, r.Topic, true, r.Key, &m.Key)
		s.Decode(ctx, r.Topic, false, r.Value, &m.Value)
	}
	return m
}

// Event is e's attributes for people, without its payload.
func Event(e event.Event) *api.Event {
	return &api.Event{
		ID: e.ID, Type: e.Type, Source: e.Source, Key: e.Key, Time: e.Time,
		CorrelationID: e.CorrelationID, CausationID: e.CausationID,
	}
}

// Data is a value for people: JSON and text as text, all else as bytes, nil as null.
func Data(value []byte) api.Data {
	d := plain(value)
	if d.Format == "text" && len(bytes.TrimSpace(value)) > 0 && json.Valid(value) {
		d.Format = "json"
	}
	return d
}

// plain is Data without looking for JSON: a key "42" is a text.
func plain(value []byte) api.Data {
	switch {
	case value == nil:
		return api.Data{Format: "null"}
	case isText(value):
		return api.Data{Format: "text", Text: string(value), Size: len(value)}
	}
	return api.Data{Format: "binary", Base64: bytes.Clone(value), Size: len(value)}
}

// isText says whether value is UTF-8 without control characters other than those
// of lines: small protocol buffers are often UTF-8 by accident.
func isText(value []byte) bool {
	for _, b := range value {
		if b < 0x20 && b != '\t' && b != '\n' && b != '\r' || b == 0x7f {
			return false
		}
	}
	return utf8.Valid(value)
}
