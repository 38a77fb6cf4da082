package record_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestFormats(t *testing.T) {
	for _, tt := range []struct{ value, format string }{
		{`{"a": 1}`, "json"}, {"[]", "json"}, {"1", "json"}, {`"주문"`, "json"}, {"null", "json"},
		{"", "text"}, {" ", "text"}, {"주문\n", "text"}, {"{", "text"}, {"<b>&</b>", "text"},
		{"\xff\xfe", "binary"}, {"\x00", "binary"}, {"\n\x03abc", "binary"}, {"{\"a\":\"\xff\"}", "binary"},
	} {
		d := record.Data([]byte(tt.value))
		if d.Format != tt.format || d.Text+string(d.Base64) != tt.value || d.Size != len(tt.value) || d.Cut {
			t.Errorf("%q: got %+v", tt.value, d)
		}
	}
	if d := record.Data(nil); d.Format != "null" || d.Size != 0 {
		t.Errorf("nil: got %+v", d)
	}
}

func TestAnEventShowsItsAttributes(t *testing.T) {
	e := event.New("paid", "주문-1", map[string]int{"price": 3}).InTransaction("c-1")
	e.Source, e.CausationID = "/orders", "x"
	m := record.Decode(kafka.ToRecord("t", e))
	want := api.Event{ID: e.ID, Type: "paid", Source: "/orders", Key: "주문-1", Time: e.Time, CorrelationID: "c-1", CausationID: "x"}
	if m.Event == nil || *m.Event != want || m.Key.Text != e.Key || m.Value.Text != `{"price":3}` {
		t.Errorf("got %+v, event %+v", m, m.Event)
	}
	if m := record.Decode(&kgo.Record{Key: []byte("42"), Headers: []kgo.RecordHeader{{Key: "ce_id", Value: []byte("1")}}}); m.Event != nil || m.Key.Format != "text" {
		t.Errorf("no event: got %+v", m)
	}
}

func TestCut(t *testing.T) {
	long := strings.Repeat("가", record.FullLimit)
	r := &kgo.Record{Key: []byte(long), Value: []byte(long)}
	for range 1000 {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: long[:1000*3], Value: []byte(long[:3000])})
	}
	m := record.Decode(r)
	record.Cut(&m, false)
	checkCut(t, "value", m.Value, record.ValueLimit, len(long))
	checkCut(t, "key", m.Key, record.KeyLimit, len(long))
	if last := m.Headers[len(m.Headers)-1]; len(m.Headers) != 257 || last.Value.Text != "" && !strings.HasPrefix(last.Value.Text, "744 more") {
		t.Errorf("%d headers, the last is %+v", len(m.Headers), last)
	}
	total := 0
	for _, h := range m.Headers {
		total += len(h.Key) + len(h.Value.Text)
	}
	if total > 256<<10 || len(m.Headers) == 0 {
		t.Errorf("%d headers have %d bytes", len(m.Headers), total)
	}
	m = record.Decode(r)
	record.Cut(&m, true)
	checkCut(t, "full", m.Value, record.FullLimit, len(long))

	r.Value = []byte(strings.Repeat("\xff", 20_000))
	m = record.Decode(r)
	record.Cut(&m, false)
	if len(m.Value.Base64) != record.ValueLimit || !m.Value.Cut || m.Value.Size != 20_000 {
		t.Errorf("binary: %d bytes, %v, %d", len(m.Value.Base64), m.Value.Cut, m.Value.Size)
	}
	small := record.Decode(&kgo.Record{Value: []byte("x")})
	record.Cut(&small, false)
	if small.Value.Cut || small.Value.Text != "x" {
		t.Errorf("small: %+v", small)
	}
}

func checkCut(t *testing.T, what string, d api.Data, limit, size int) {
	t.Helper()
	if len(d.Text) > limit || len(d.Text) < limit-3 || !utf8.ValidString(d.Text) || !d.Cut || d.Size != size {
		t.Errorf("%s: %d bytes, cut %v, size %d", what, len(d.Text), d.Cut, d.Size)
	}
}
