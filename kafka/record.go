package kafka

import (
	"github.com/pabal-dev/pabal/event"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ToRecord is e as a record of a topic (its full name), a CloudEvent in binary
// mode. An empty key makes an unkeyed record. It does not validate.
func ToRecord(topic string, e event.Event) *kgo.Record {
	r := &kgo.Record{Topic: topic, Value: e.Payload, Timestamp: e.Time}
	if e.Key != "" {
		r.Key = []byte(e.Key)
	}
	headers := e.RecordHeaders()
	r.Headers = make([]kgo.RecordHeader, len(headers))
	for i, h := range headers {
		r.Headers[i] = kgo.RecordHeader{Key: h.Key, Value: h.Value}
	}
	return r
}

// FromRecord reads the event in a record; its error wraps event.ErrMalformed,
// and what could be read is returned with it. The event shares the record's
// memory.
func FromRecord(r *kgo.Record) (event.Event, error) {
	headers := make([]event.Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = event.Header{Key: h.Key, Value: h.Value}
	}
	return event.FromRecord(headers, r.Key, r.Value, r.Timestamp)
}
