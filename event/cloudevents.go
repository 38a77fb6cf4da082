package event

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Header is one Kafka record header.
type Header struct {
	Key   string `json:"key"`
	Value []byte `json:"value"`
}

// The names of the CloudEvents Kafka protocol binding 1.0.2, binary content
// mode, with the documented extensions correlation and distributed tracing.
const (
	headerContentType = "content-type"
	headerSpecVersion = "ce_specversion"
	headerID          = "ce_id"
	headerSource      = "ce_source"
	headerType        = "ce_type"
	headerTime        = "ce_time"
	headerCorrelation = "ce_correlationid"
	headerCausation   = "ce_causationid"
	headerTraceparent = "ce_traceparent"
)

// timeFormat is RFC 3339 with microseconds.
const timeFormat = "2006-01-02T15:04:05.000000Z"

// ErrMalformed is wrapped by every error of FromRecord: the record is not a
// CloudEvent in binary mode.
var ErrMalformed = errors.New("malformed CloudEvent")

// IsReservedHeader says whether an attribute of Event travels in that header.
func IsReservedHeader(name string) bool {
	switch name {
	case headerContentType, headerSpecVersion, headerID, headerSource, headerType, headerTime,
		headerCorrelation, headerCausation, headerTraceparent:
		return true
	}
	return false
}

// RecordHeaders are e's attributes as record headers, in a fixed order: CloudEvents'
// own first, then the application's by name. Key and payload are the record's.
func (e Event) RecordHeaders() []Header { return e.appendHeaders(make([]Header, 0, 9+len(e.Headers))) }

func (e Event) appendHeaders(out []Header) []Header {
	for _, h := range [...]struct{ key, value string }{
		{headerSpecVersion, "1.0"}, {headerID, e.ID}, {headerSource, e.Source}, {headerType, e.Type},
		{headerTime, e.Time.UTC().Format(timeFormat)}, {headerCorrelation, e.CorrelationID},
		{headerCausation, e.CausationID}, {headerTraceparent, e.Traceparent}, {headerContentType, e.ContentType},
	} {
		if h.value != "" {
			out = append(out, Header{h.key, []byte(h.value)})
		}
	}
	names := make([]string, 0, len(e.Headers))
	for name := range e.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		out = append(out, Header{name, []byte(e.Headers[name])})
	}
	return out
}

// FromRecord reads an event from a record's headers, key and value. fallback
// is the record's timestamp, taken where ce_time is absent (it is optional in
// CloudEvents). Attributes it does not know become headers by their full name,
// so that nothing a foreign producer said is lost. The last of two headers with
// one name wins.
func FromRecord(headers []Header, key, value []byte, fallback time.Time) (Event, error) {
	e := Event{Key: string(key), Payload: value, Time: fallback.UTC().Truncate(time.Microsecond)}
	version := ""
	for _, h := range headers {
		text := string(h.Value)
		if !utf8.ValidString(text) && IsReservedHeader(h.Key) {
			return Event{}, fmt.Errorf("%w: header %s is not UTF-8", ErrMalformed, h.Key)
		}
		switch h.Key {
		case headerSpecVersion:
			version = text
		case headerID:
			e.ID = text
		case headerSource:
			e.Source = text
		case headerType:
			e.Type = text
		case headerCorrelation:
			e.CorrelationID = text
		case headerCausation:
			e.CausationID = text
		case headerTraceparent:
			e.Traceparent = text
		case headerContentType:
			e.ContentType = text
		case headerTime:
			at, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return Event{}, fmt.Errorf("%w: ce_time %q is not RFC 3339", ErrMalformed, clip(text))
			}
			e.Time = at.UTC().Truncate(time.Microsecond)
		default:
			if e.Headers == nil {
				e.Headers = map[string]string{}
			}
			e.Headers[h.Key] = text
		}
	}
	return e, e.checkReceived(version)
}

func (e Event) checkReceived(version string) error {
	switch {
	case version == "" && e.ID == "" && e.Type == "":
		return fmt.Errorf("%w: no CloudEvents headers", ErrMalformed)
	case version != "1.0":
		return fmt.Errorf("%w: ce_specversion is %q, only 1.0 is known", ErrMalformed, clip(version))
	case e.Source == "":
		return fmt.Errorf("%w: ce_source is missing", ErrMalformed)
	}
	for name, value := range map[string]string{headerID: e.ID, headerType: e.Type} {
		if err := checkAttribute(name, value, true); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	for name, value := range map[string]string{headerCorrelation: e.CorrelationID, headerCausation: e.CausationID} {
		if err := checkAttribute(name, value, false); err != nil {
			return fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	if !utf8.ValidString(e.Key) {
		return fmt.Errorf("%w: the record's key is not UTF-8", ErrMalformed)
	}
	return nil
}

// clip keeps a foreign text from filling a log line.
func clip(s string) string {
	const most = 64
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}
