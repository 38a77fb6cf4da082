package transform_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
)

// TestOutboxWithoutATable: logical messages of PostgreSQL, decoded and routed.
func TestOutboxWithoutATable(t *testing.T) {
	const decode = "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent"
	message := func(content string) *data.Struct {
		m := row("io.debezium.connector.postgresql.Message", "prefix", text, "outbox", "content", raw, []byte(content))
		return row("io.debezium.connector.postgresql.MessageValue", "op", text, "m", "ts_ms", i64, int64(1000), "source", text, "s", "message", m.Schema, m)
	}
	given := options(decode, "")
	maps.Copy(given, map[string]string{"transforms": "t,route", "transforms.route.type": eventRouter})
	const event = `{"id":"e-1","aggregateid":7,"aggregatetype":"Order","type":"Paid","payload":{"price":5,"none":null}}`
	r := record(message(event))
	keep, err := chain(t, given).Apply(&r)
	const want = `outbox.event.Order | int32?=7 | payload?{price:int32?=5} | id=string?="e-1"`
	if got := describe(&r); !keep || err != nil || got != want {
		t.Errorf("%v, %v\ngot  %s\nwant %s", keep, err, got, want)
	}
	c := chain(t, options(decode, "fields.null.include=true"))
	a, b := record(message(event)), record(message(event))
	b.ValueSchema, b.Value.(*data.Struct).Schema = a.ValueSchema, a.ValueSchema
	for range 2 {
		if _, err := c.Apply(&a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Apply(&b); err != nil || a.ValueSchema != b.ValueSchema {
		t.Errorf("two schemas, %v", err)
	}
	if got := show(a.ValueSchema, a.Value); !strings.HasPrefix(got, `Envelope{op:string="c", ts_ms:int64=1000, source:string="s", after:?{id:`) || !strings.Contains(got, "none:bytes?=null") {
		t.Error(got)
	}
	for _, content := range []string{"", "text", "[1]", `{"a":`} {
		r := record(message(content))
		if _, err := c.Apply(&r); err == nil || !strings.Contains(err.Error(), "Unable to parse logical decoding message content") {
			t.Errorf("%s: %v", content, err)
		}
	}
	heartbeat := record(row("Heartbeat", "ts_ms", i64, int64(1)))
	if keep, err := c.Apply(&heartbeat); !keep || err != nil || heartbeat.ValueSchema.Name != "Heartbeat" {
		t.Errorf("a heartbeat: %v, %v", keep, err)
	}
}
