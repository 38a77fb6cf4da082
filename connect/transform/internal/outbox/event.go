package outbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/transform/internal/smt"
	"github.com/pabal-dev/pabal/event"
)

// Event is the keys of the transform that follows an event router of Pabal's own outbox.
var Event = config.Definition{Keys: []config.Key{{
	Name: "headers.from", Type: config.String, Default: "pabal-headers",
	Doc: "Header with the event's further headers: a JSON object of texts, or a list of names and values. It is replaced by them.",
}}}

// wayHeader is the row's way out: 1 is a connector's. A relay publishes others, or they wait.
const wayHeader = "pabal-way"

func isOther(v any) bool {
	switch v := v.(type) {
	case int16:
		return v != 1
	case int32:
		return v != 1
	case int64:
		return v != 1
	}
	return false
}

// encodingHeader says how a payload that is text stands for bytes: as such, or in base64.
const encodingHeader = "pabal-encoding"

func decodePayload(r *plugin.Record, encoding any) (err error) {
	text, ok := r.Value.(string)
	if !ok {
		return nil
	}
	payload := []byte(text)
	switch encoding {
	case "base64":
		if payload, err = base64.StdEncoding.DecodeString(text); err != nil {
			return err
		}
	case "text":
	default:
		return fmt.Errorf("it is %v: a payload is text or base64", encoding)
	}
	r.ValueSchema, r.Value = optBytes, payload
	return nil
}

// cloudEvent makes the record that a relay would have made of the row: headers without a value are
// left out, further ones stand for themselves, and the event's time is the record's.
type cloudEvent struct{ further string }

// NewEvent makes one.
func NewEvent(c config.Values) (plugin.Transform, error) {
	return cloudEvent{c.String("headers.from")}, nil
}

func (t cloudEvent) Apply(r *plugin.Record) (bool, error) {
	if !slices.ContainsFunc(r.Headers, func(h plugin.Header) bool { return h.Key == "ce_id" }) {
		return true, nil // such as a heartbeat
	}
	if r.Value == nil {
		r.ValueSchema = optBytes // of MongoDB's null nobody knows what it is a null of
	}
	key, _ := r.Key.(string)
	var given []event.Header
	further := map[string]string{}
	at := time.UnixMilli(r.Timestamp)
	for _, h := range r.Headers {
		var err error
		switch {
		case h.Key == "id" || strings.HasPrefix(h.Key, "__debezium.") || h.Value == nil || h.Value == "":
			// id is the router's, and ce_id says the same; Debezium's tell of the connector
		case h.Key == wayHeader:
			if isOther(h.Value) {
				return false, nil
			}
		case h.Key == encodingHeader:
			err = decodePayload(r, h.Value)
		case h.Key == t.further:
			err = furtherHeaders(h.Value, further)
		case h.Key == "ce_time":
			at, err = timeOf(h.Value)
		default:
			text, ok := h.Value.(string)
			if !ok {
				err = fmt.Errorf("it is %s and no text", smt.Kind(h.Value))
			}
			given = append(given, event.Header{Key: h.Key, Value: []byte(text)})
		}
		if err != nil {
			return false, fmt.Errorf("the header %s: %w", h.Key, err)
		}
	}
	if exact, ok := further[""]; ok { // a key that the column cannot hold, see storage/postgres
		key = exact
		delete(further, "")
	}
	e, err := event.FromRecord(append(given, event.Header{Key: "ce_specversion", Value: []byte("1.0")}), []byte(key), nil, at)
	if err != nil {
		return false, err
	}
	for name, value := range further {
		e = e.WithHeader(name, value)
	}
	r.Headers = make([]plugin.Header, 0, len(r.Headers))
	for _, h := range e.RecordHeaders() {
		r.Headers = append(r.Headers, plugin.Header{Key: h.Key, Schema: smt.String, Value: string(h.Value)})
	}
	if r.KeySchema, r.Key = optString, any(key); key == "" {
		r.Key = nil
	}
	r.Timestamp = e.Time.UnixMilli()
	return true, nil
}

// timeOf a column: text of PostgreSQL's timestamps, or microseconds.
func timeOf(v any) (time.Time, error) {
	switch v := v.(type) {
	case int64:
		return time.UnixMicro(v), nil
	case string:
		return time.Parse(time.RFC3339Nano, v)
	}
	return time.Time{}, fmt.Errorf("it is %s: a time is text or a number of microseconds", smt.Kind(v))
}

func furtherHeaders(v any, into map[string]string) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), &into)
	case []any:
		for _, one := range v {
			pair, ok := one.(*data.Struct)
			if !ok {
				return fmt.Errorf("an entry is %s and no pair of name and value", smt.Kind(one))
			}
			name, _ := pair.Get("name").(string)
			value, _ := pair.Get("value").(string)
			into[name] = value
		}
		return nil
	}
	return fmt.Errorf("it is %s: it is a JSON object of texts, or a list of pairs", smt.Kind(v))
}
