package inbox

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Headers of a dead letter. Its id, type, correlation and key are those of the
// message that died.
const (
	// HeaderError is the last error, clipped.
	HeaderError = "pabal-error"
	// HeaderConsumer gave the message up.
	HeaderConsumer = "pabal-consumer"
	// HeaderTopic, HeaderPartition and HeaderOffset are where it came from;
	// the topic without the tenant's prefix.
	HeaderTopic     = "pabal-topic"
	HeaderPartition = "pabal-partition"
	HeaderOffset    = "pabal-offset"
	// HeaderAttempts is how often it was tried; 0 for a malformed record.
	HeaderAttempts = "pabal-attempts"
	// HeaderTime is when it was given up, RFC 3339.
	HeaderTime = "pabal-time"
	// HeaderOmitted is "value" where the value was too large; its place has
	// {"topic","partition","offset"} then.
	HeaderOmitted = "pabal-omitted"
	// HeaderRaw stands before the name of a header that could not be kept
	// under its own; what is not text is in base64 ("base64:…").
	HeaderRaw = "pabal-raw-"
	// HeaderRawKey is the key of a malformed record whose key is not text, in
	// base64.
	HeaderRawKey = "pabal-key-base64"
)

// MalformedType is the type of a dead letter made of a record that names none.
const MalformedType = "pabal.malformed"

// death is why a message is given up.
type death struct {
	reason   string
	attempts int
	at       time.Time
}

// undertaker makes dead letters.
type undertaker struct {
	planner
	topic    string // of the dead letters
	maxBytes int
}

// letter is always valid: what an event cannot carry as it is goes into
// headers of its own, or is left out.
func (u undertaker) letter(i item, d death) outbox.Message {
	e := event.Event{
		ID: i.event.ID, Type: i.event.Type, Source: i.event.Source, Key: string(i.key), Time: i.event.Time,
		CorrelationID: i.event.CorrelationID, CausationID: i.event.CausationID, Traceparent: i.event.Traceparent,
		ContentType: i.event.ContentType, Payload: i.value, Headers: map[string]string{},
	}
	u.describe(e.Headers, i, d)
	if i.fault != nil {
		u.repair(&e, i)
	}
	u.keepHeaders(&e, i)
	u.fit(&e, i)
	if e.Validate() != nil { // a foreign attribute is too long for us
		e.Source, e.Traceparent, e.ContentType = "", "", ""
	}
	return outbox.Message{Topic: u.topic, Event: e}
}

func (u undertaker) describe(headers map[string]string, i item, d death) {
	headers[HeaderError] = clipText(d.reason, maxReason)
	headers[HeaderConsumer] = u.consumer
	headers[HeaderTopic] = u.claim.Topic
	headers[HeaderPartition] = strconv.Itoa(int(u.claim.Partition.Partition))
	headers[HeaderOffset] = strconv.FormatInt(i.offset, 10)
	headers[HeaderAttempts] = strconv.Itoa(d.attempts)
	headers[HeaderTime] = d.at.UTC().Format(time.RFC3339Nano)
}

// repair fills in what a malformed record lacks.
func (u undertaker) repair(e *event.Event, i item) {
	if !isText(string(i.key)) {
		e.Key = ""
		e.Headers[HeaderRawKey] = base64.StdEncoding.EncodeToString(i.key)
	}
	if e.Time.IsZero() {
		e.Time = i.timestamp.UTC()
	}
	if e.Time.IsZero() || e.Time.Unix() <= 0 {
		e.Time = time.Now().UTC()
	}
	probe := event.Event{ID: e.ID, Type: e.Type, CorrelationID: e.CorrelationID, CausationID: e.CausationID, Time: e.Time}
	if probe.Validate() != nil {
		e.ID, e.Type, e.CorrelationID, e.CausationID = u.place(i.offset), MalformedType, "", ""
	}
}

// keepHeaders copies the record's own headers, also those that are attributes
// of an event where the record is malformed.
func (u undertaker) keepHeaders(e *event.Event, i item) {
	for _, h := range i.headers {
		reserved := event.IsReservedHeader(h.Key)
		if h.Key == RedriveHeader || reserved && i.fault == nil || strings.HasPrefix(h.Key, "pabal-") && e.Headers[h.Key] != "" {
			continue
		}
		name, value := h.Key, string(h.Value)
		if reserved || name == "" || !isText(name) {
			name = HeaderRaw + strings.ReplaceAll(strings.ToValidUTF8(name, "?"), "\x00", "?")
		}
		if !isText(value) {
			name = HeaderRaw + strings.TrimPrefix(name, HeaderRaw)
			value = "base64:" + base64.StdEncoding.EncodeToString(h.Value)
		}
		e.Headers[name] = value
	}
}

// fit replaces a value that is too large, and drops the record's headers where
// that is not enough.
func (u undertaker) fit(e *event.Event, i item) {
	size := func() int {
		n := len(e.Key) + len(e.Payload)
		for _, h := range e.RecordHeaders() {
			n += len(h.Key) + len(h.Value)
		}
		return n
	}
	if size() <= u.maxBytes {
		return
	}
	e.Payload, _ = json.Marshal(struct { // of strings and numbers: cannot fail
		Topic     string `json:"topic"`
		Partition int32  `json:"partition"`
		Offset    int64  `json:"offset"`
	}{u.claim.Topic, u.claim.Partition.Partition, i.offset})
	e.ContentType = event.JSON.ContentType()
	e.Headers[HeaderOmitted] = "value"
	if size() <= u.maxBytes {
		return
	}
	ours := map[string]string{HeaderOmitted: "value, headers"}
	for _, name := range []string{HeaderError, HeaderConsumer, HeaderTopic, HeaderPartition, HeaderOffset, HeaderAttempts, HeaderTime} {
		ours[name] = e.Headers[name]
	}
	e.Headers = ours
	if size() > u.maxBytes {
		e.Key = "" // a key of a megabyte
		ours[HeaderOmitted] = "key, value, headers"
	}
}

// isText says whether every database can store it as text.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// maxReason is how much of an error is stored and sent, in bytes.
const maxReason = 2000

// Reason is an error as a text that every header and column can hold: UTF-8
// without zero bytes, clipped.
func Reason(err error) string { return clipText(err.Error(), maxReason) }

// clipText makes a foreign text storable.
func clipText(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// ErrNotRedrivable is returned for a dead letter that cannot be sent again as
// it was: its value was left out, or it is none.
var ErrNotRedrivable = errors.New("inbox: this is not a dead letter that can be sent again")

// Redrive makes the message that died out of its dead letter again, for the
// consumer that gave it up; send it to the topic it names.
func Redrive(dead event.Event) (outbox.Message, error) {
	topic, consumer := dead.Headers[HeaderTopic], dead.Headers[HeaderConsumer]
	if topic == "" || consumer == "" {
		return outbox.Message{}, fmt.Errorf("%w: it has no headers %s and %s", ErrNotRedrivable, HeaderTopic, HeaderConsumer)
	}
	if omitted := dead.Headers[HeaderOmitted]; omitted != "" {
		return outbox.Message{}, fmt.Errorf("%w: it was too large and left out: %s; read topic %s partition %s offset %s", ErrNotRedrivable,
			omitted, topic, dead.Headers[HeaderPartition], dead.Headers[HeaderOffset])
	}
	if dead.Type == MalformedType || dead.Headers[HeaderRawKey] != "" || dead.Headers[HeaderAttempts] == "0" {
		return outbox.Message{}, fmt.Errorf("%w: the record was malformed", ErrNotRedrivable)
	}
	again := dead
	again.Headers = map[string]string{RedriveHeader: consumer}
	for name, value := range dead.Headers {
		if !strings.HasPrefix(name, "pabal-") {
			again.Headers[name] = value
		}
	}
	return outbox.Message{Topic: topic, Event: again}, nil
}
