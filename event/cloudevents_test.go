package event_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
)

func TestRecordRoundTrip(t *testing.T) {
	first := event.New("ordered", "주문-1", map[string]int{"price": 3})
	first.Source = "/orders/order"
	e := event.New("paid", "주문-1", map[string]int{"price": 3}).CausedBy(first).
		WithHeader("tenant", "서울").WithHeader("ce_dataschema", "urn:x")
	e.Source, e.Traceparent = "/orders/payment", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

	for _, want := range []event.Event{first, e} {
		got, err := event.FromRecord(want.RecordHeaders(), []byte(want.Key), want.Payload, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if !same(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
}

func same(a, b event.Event) bool {
	return a.ID == b.ID && a.Type == b.Type && a.Source == b.Source && a.Key == b.Key && a.Time.Equal(b.Time) &&
		a.CorrelationID == b.CorrelationID && a.CausationID == b.CausationID && a.Traceparent == b.Traceparent &&
		a.ContentType == b.ContentType && bytes.Equal(a.Payload, b.Payload) && (a.Payload == nil) == (b.Payload == nil) &&
		maps.Equal(a.Headers, b.Headers)
}

func TestRecordHeadersAreCloudEventsBinaryMode(t *testing.T) {
	e := event.New("paid", "k", 1)
	e.ID, e.CorrelationID, e.Source = "id-1", "c-1", "/s"
	e.Time = time.Date(2026, 2, 3, 4, 5, 6, 7_008_000, time.UTC)
	var got []string
	for _, h := range e.WithHeader("b", "2").WithHeader("a", "1").RecordHeaders() {
		got = append(got, h.Key+"="+string(h.Value))
	}
	want := "ce_specversion=1.0 ce_id=id-1 ce_source=/s ce_type=paid ce_time=2026-02-03T04:05:06.007008Z " +
		"ce_correlationid=c-1 content-type=application/json a=1 b=2"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestFromForeignRecord(t *testing.T) {
	minimal := headers("ce_specversion", "1.0", "ce_id", "x", "ce_source", "s", "ce_type", "t")
	at := time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC)
	e, err := event.FromRecord(minimal, nil, nil, at)
	if err != nil || !e.Time.Equal(at.Truncate(time.Microsecond)) || e.Payload != nil {
		t.Errorf("got %+v, %v", e, err)
	}
	e, err = event.FromRecord(append(minimal, headers("ce_time", "2026-01-01T09:00:00+09:00", "ce_other", "1")...), nil, nil, at)
	if err != nil || e.Time.Hour() != 0 || e.Headers["ce_other"] != "1" {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestMalformedRecordsAreNamed(t *testing.T) {
	for want, h := range map[string][]event.Header{
		"no CloudEvents headers":     headers("foo", "bar"),
		`ce_specversion is "0.3"`:    headers("ce_specversion", "0.3", "ce_id", "x", "ce_source", "s", "ce_type", "t"),
		`ce_specversion is ""`:       headers("ce_id", "x", "ce_source", "s", "ce_type", "t"),
		"ce_source is missing":       headers("ce_specversion", "1.0", "ce_id", "x", "ce_type", "t"),
		"ce_id is missing":           headers("ce_specversion", "1.0", "ce_source", "s", "ce_type", "t"),
		"ce_type is missing":         headers("ce_specversion", "1.0", "ce_source", "s", "ce_id", "x"),
		"ce_id has 300 bytes":        headers("ce_specversion", "1.0", "ce_source", "s", "ce_id", strings.Repeat("x", 300), "ce_type", "t"),
		"ce_type has a control":      headers("ce_specversion", "1.0", "ce_source", "s", "ce_id", "x", "ce_type", "a\x00"),
		`ce_time "yesterday" is not`: headers("ce_specversion", "1.0", "ce_source", "s", "ce_id", "x", "ce_type", "t", "ce_time", "yesterday"),
		"ce_id is not UTF-8":         headers("ce_specversion", "1.0", "ce_source", "s", "ce_id", "\xff", "ce_type", "t"),
	} {
		_, err := event.FromRecord(h, nil, nil, time.Now())
		if !errors.Is(err, event.ErrMalformed) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ErrMalformed with %q", err, want)
		}
	}
	_, err := event.FromRecord(headers("ce_specversion", "1.0", "ce_source", "s", "ce_id", "x", "ce_type", "t"), []byte("\xff"), nil, time.Now())
	if !errors.Is(err, event.ErrMalformed) {
		t.Errorf("a key that is not UTF-8: got %v", err)
	}
}

// FuzzFromRecord: whatever a foreign producer sends, reading it ends in an
// event that can be sent on unchanged, or in ErrMalformed.
func FuzzFromRecord(f *testing.F) {
	f.Add("1.0", "id", "/s", "type", "2026-01-01T00:00:00Z", "name", "value", []byte("k"), []byte("{}"))
	f.Add("", "", "", "", "", "ce_correlationid", "\n", []byte("\xff"), []byte(nil))
	f.Fuzz(func(t *testing.T, version, id, source, typ, at, name, value string, key, payload []byte) {
		h := headers("ce_specversion", version, "ce_id", id, "ce_source", source, "ce_type", typ, "ce_time", at, name, value)
		e, err := event.FromRecord(h, key, payload, time.Unix(0, 0))
		if err != nil {
			if !errors.Is(err, event.ErrMalformed) {
				t.Fatalf("unnamed error %v", err)
			}
			return
		}
		again, err := event.FromRecord(e.RecordHeaders(), []byte(e.Key), e.Payload, time.Now())
		if err != nil || e.Time.Year() > 0 && e.Time.Year() < 10000 && !same(e, again) {
			t.Fatalf("not the same again: %+v, %+v, %v", e, again, err)
		}
	})
}

func headers(keyvals ...string) []event.Header {
	var out []event.Header
	for i := 0; i < len(keyvals); i += 2 {
		out = append(out, event.Header{Key: keyvals[i], Value: []byte(keyvals[i+1])})
	}
	return out
}
