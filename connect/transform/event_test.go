package transform_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
)

const outboxEvent = "dev.pabal.connect.transforms.OutboxEvent"

// TestOutboxEvent: headers of an event router become those of a CloudEvent, whichever database the
// columns are of.
func TestOutboxEvent(t *testing.T) {
	of := func(more ...plugin.Header) []plugin.Header {
		return append([]plugin.Header{
			{Key: "id", Schema: text, Value: "1"}, {Key: "__debezium.context.taskId", Schema: text, Value: "0"}, {Key: "ce_id", Schema: text, Value: "1"},
			{Key: "ce_type", Schema: text, Value: "placed"}, {Key: "ce_source", Schema: text, Value: "/shop"}, {Key: "ce_causationid", Schema: text, Value: ""},
		}, more...)
	}
	const head = `ce_specversion=string="1.0", ce_id=string="1", ce_source=string="/shop", ce_type=string="placed", `
	for _, c := range []struct {
		name    string
		key     any
		headers []plugin.Header
		want    string // the key and the headers, or part of the error
		at      int64
	}{
		{"no event", "k", nil, `string="k" | `, 7},
		{"text", "k", of(plugin.Header{Key: "ce_time", Schema: text, Value: "2026-05-04T03:02:01.5Z"}, plugin.Header{Key: "pabal-headers", Schema: text, Value: `{"b":"2","a":""}`}),
			`string?="k" | ` + head + `ce_time=string="2026-05-04T03:02:01.500000Z", a=string="", b=string="2"`, 1777863721500},
		{"microseconds and pairs", "", of(plugin.Header{Key: "ce_time", Schema: i64, Value: int64(1_500_000)},
			plugin.Header{Key: "pabal-headers", Schema: text, Value: []any{row("pair", "name", text, "a", "value", text, "1")}}),
			`string?=null | ` + head + `ce_time=string="1970-01-01T00:00:01.500000Z", a=string="1"`, 1500},
		{"the exact key", "a␀", of(plugin.Header{Key: "ce_time", Schema: i64, Value: int64(0)}, plugin.Header{Key: "pabal-headers", Schema: text, Value: `{"":"a\u0000"}`}),
			`string?="a\x00" | ` + head + `ce_time=string="1970-01-01T00:00:00.000000Z"`, 0},
		{"a connector's", "k", of(plugin.Header{Key: "ce_time", Schema: i64, Value: int64(0)}, plugin.Header{Key: "pabal-way", Schema: i64, Value: int16(1)}),
			`string?="k" | ` + head + `ce_time=string="1970-01-01T00:00:00.000000Z"`, 0},
		{"a relay's", "k", of(plugin.Header{Key: "pabal-way", Schema: i64, Value: int16(0)}), "", 0},
		{"one that waits", "k", of(plugin.Header{Key: "pabal-way", Schema: i64, Value: int16(2)}), "", 0},
		{"a wrong time", "k", of(plugin.Header{Key: "ce_time", Schema: text, Value: "yesterday"}), "the header ce_time: ", 0},
		{"wrong headers", "k", of(plugin.Header{Key: "pabal-headers", Schema: i64, Value: int64(1)}), "the header pabal-headers: ", 0},
	} {
		r := plugin.Record{Topic: "orders", KeySchema: text, Key: c.key, Headers: c.headers, Timestamp: 7}
		keep, err := chain(t, options(outboxEvent, "")).Apply(&r)
		got := show(r.KeySchema, r.Key) + " | " + showHeaders(r.Headers)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if c.want == "" {
			if keep {
				t.Errorf("%s: it is kept", c.name)
			}
			continue
		}
		if got != c.want || !keep || r.Timestamp != c.at {
			t.Errorf("%s:\ngot  %s at %d\nwant %s at %d", c.name, got, r.Timestamp, c.want, c.at)
		}
	}
}
