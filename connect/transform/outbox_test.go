package transform_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

const eventRouter = "io.debezium.transforms.outbox.EventRouter"

// change makes an envelope; before and after are rows or nil.
func change(op string, row *data.Schema, before, after any) *data.Struct {
	source := data.StructOf("io.debezium.connector.postgresql.Source",
		data.Field{Name: "connector", Schema: text}, data.Field{Name: "table", Schema: text}, data.Field{Name: "lsn", Schema: data.OptionalOf(data.Int64)})
	tx := data.StructOf("event.block", data.Field{Name: "id", Schema: text}, data.Field{Name: "total_order", Schema: i64}).AsOptional()
	s := data.StructOf("shop.public.outbox.Envelope",
		data.Field{Name: "before", Schema: row.AsOptional()}, data.Field{Name: "after", Schema: row.AsOptional()},
		data.Field{Name: "source", Schema: source}, data.Field{Name: "transaction", Schema: tx},
		data.Field{Name: "op", Schema: text}, data.Field{Name: "ts_ms", Schema: data.OptionalOf(data.Int64)})
	s.Version = 2
	return &data.Struct{Schema: s, Values: []any{before, after, &data.Struct{Schema: source, Values: []any{"postgresql", "outbox", int64(77)}}, nil, op, int64(1000)}}
}

func outboxRow(payload any, more ...any) *data.Struct {
	fields := []any{"id", text, "e-1", "aggregatetype", text, "Order", "aggregateid", text, "o-7", "type", text, "Created", "payload", optText, payload}
	return row("shop.public.outbox.Value", append(fields, more...)...)
}

func record(v *data.Struct) plugin.Record {
	r := plugin.Record{Topic: "shop.public.outbox", Partition: 3, Timestamp: 5}
	if v != nil {
		r.ValueSchema, r.Value = v.Schema, v
	}
	return r
}

func created(v *data.Struct) plugin.Record { return record(change("c", v.Schema, nil, v)) }

func describe(r *plugin.Record) string {
	return strings.Join([]string{r.Topic, show(r.KeySchema, r.Key), show(r.ValueSchema, r.Value), showHeaders(r.Headers)}, " | ")
}

func TestEventRouter(t *testing.T) {
	micro := data.Named(data.Int64, "io.debezium.time.MicroTimestamp")
	full := outboxRow(`{"a":1}`, "at", micro, int64(1_700_000_000_123_456), "p", i32, int32(1), "tenant", optText, "acme", "v", i32, int32(4))
	for _, c := range []struct {
		name, settings string
		row            *data.Struct
		want           string
		partition      int32
		at             int64
	}{
		{"as it is", "", full, `outbox.event.Order | string="o-7" | string?="{\"a\":1}" | id=string="e-1"`, -1, 1000},
		{"time and additions", "table.field.event.timestamp=at; table.fields.additional.placement=tenant:header:who,type:header,p:partition", full,
			`outbox.event.Order | string="o-7" | string?="{\"a\":1}" | id=string="e-1", who=string?="acme", type=string="Created"`, 1, 1_700_000_000_123},
		{"envelope", "table.fields.additional.placement=type:envelope,tenant:envelope:who", full,
			`outbox.event.Order | string="o-7" | Value{payload:string?="{\"a\":1}", type:string="Created", who:string?="acme"} | id=string="e-1"`, -1, 1000},
		{"version", "table.fields.additional.placement=type:envelope; table.field.event.schema.version=v", full,
			`outbox.event.Order | string="o-7" | Value/4{payload:string?="{\"a\":1}", type:string="Created"} | id=string="e-1"`, -1, 1000},
		{"missing is ignored", "table.fields.additional.placement=none:envelope,other:header; table.field.additional.missing=ignore", full,
			`outbox.event.Order | string="o-7" | Value{payload:string?="{\"a\":1}"} | id=string="e-1"`, -1, 1000},
		{"routes", "route.by.field=type; route.topic.regex=(C)(.*); route.topic.replacement=$2-$1; table.field.event.key=id", full,
			`reated-C | string="e-1" | string?="{\"a\":1}" | id=string="e-1"`, -1, 1000},
		{"no match is the topic", "route.topic.regex=x; route.topic.replacement=y", full, `Order | string="o-7" | string?="{\"a\":1}" | id=string="e-1"`, -1, 1000},
		{"null", "", outboxRow(nil), `outbox.event.Order | string="o-7" | string?=null | id=string="e-1"`, -1, 1000},
		{"tombstone", "route.tombstone.on.empty.payload=true", outboxRow(" \n"), `outbox.event.Order | string="o-7" | free null | id=string="e-1"`, -1, 1000},
		{"not expanded", "table.expand.json.payload=true", outboxRow("text"), `outbox.event.Order | string="o-7" | string?="text" | id=string="e-1"`, -1, 1000},
		{"expanded", "table.expand.json.payload=true", outboxRow(`{"i":1,"l":3000000000,"f":1.5,"s":"x","b":true,"n":null,"e":[],"a":[1,null,2],"o":{"x":"y"},"m":[{"a":1},{"b":"z"}]}`),
			`outbox.event.Order | string="o-7" | payload?{i:int32?=1, l:int64?=3000000000, f:double?=1.5f, s:string?="x", b:boolean?=true, a:array<int32?>?=[1 null 2], ` +
				`o:o?{x:string?="y"}, m:array<m>?=[m{a:int32?=1, b:string?=null} m{a:int32?=null, b:string?="z"}]} | id=string="e-1"`, -1, 1000},
		{"expanded with nulls", "table.expand.json.payload=true; table.json.payload.null.behavior=optional_bytes; table.json.payload.empty.array.behavior=optional_string",
			outboxRow(`{"n":null,"e":[]}`), `outbox.event.Order | string="o-7" | payload?{n:bytes?=null, e:array<string?>?=[]} | id=string="e-1"`, -1, 1000},
		{"mixed", "table.expand.json.payload=true", outboxRow(`{"a":[1,"x"]}`), `outbox.event.Order | string="o-7" | string?="{\"a\":[1,\"x\"]}" | id=string="e-1"`, -1, 1000},
	} {
		r := created(c.row)
		keep, err := chain(t, options(eventRouter, c.settings)).Apply(&r)
		if got := describe(&r); got != c.want || !keep || err != nil || r.Partition != c.partition || r.Timestamp != c.at {
			t.Errorf("%s:\ngot  %s (%d, %d)\nwant %s; %v", c.name, got, r.Partition, r.Timestamp, c.want, err)
		}
		if err := data.Validate(r.ValueSchema, r.Value); err != nil && r.ValueSchema != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestEventRouterLetsPassAndSkips(t *testing.T) {
	v := outboxRow("x")
	heartbeat := row("io.debezium.connector.common.Heartbeat", "ts_ms", i64, int64(1))
	for _, c := range []struct {
		r    plugin.Record
		keep bool
	}{
		{record(nil), false},
		{record(heartbeat), true},
		{plugin.Record{Value: free("a", "b")}, true},
		{record(change("d", v.Schema, v, nil)), false},
		{record(change("u", v.Schema, v, v)), false},
		{record(change("r", v.Schema, nil, v)), true},
	} {
		if keep, err := chain(t, options(eventRouter, "")).Apply(&c.r); keep != c.keep || err != nil {
			t.Errorf("%s: %v, %v", describe(&c.r), keep, err)
		}
	}
	for settings, want := range map[string]string{
		"table.field.event.payload=x":                      "Unable to find payload field x in event",
		"table.field.event.id=x":                           "Unable to find event-id field x in event",
		"table.field.event.timestamp=x":                    "Unable to find timestamp field x in event",
		"table.field.event.timestamp=type":                 "Unsupported field type string (without logical schema name) for event timestamp",
		"table.fields.additional.placement=x:envelope":     "Unable to find field x in event",
		"table.fields.additional.placement=type:partition": "type, which is the partition, is string and no int32",
		"route.by.field=x":                                 "x is not a valid field name",
	} {
		r := created(v)
		if _, err := chain(t, options(eventRouter, settings)).Apply(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", settings, err, want)
		}
	}
	r := record(change("u", v.Schema, v, v))
	if _, err := chain(t, options(eventRouter, "table.op.invalid.behavior=FATAL")).Apply(&r); err == nil {
		t.Error("an update is let be")
	}
	for settings, key := range map[string]string{
		"table.fields.additional.placement=a":   "table.fields.additional.placement",
		"table.fields.additional.placement=a:b": "table.fields.additional.placement",
		"table.op.invalid.behavior=stop":        "table.op.invalid.behavior",
		"route.topic.replacement=$2":            "route.topic.replacement",
		"tracing.operation.name=x":              "tracing.operation.name",
	} {
		if _, problems := newChain(options(eventRouter, settings)); len(problems) != 1 || problems[0].Key != "transforms.t."+key {
			t.Errorf("%s: %v", settings, problems)
		}
	}
}

// TestEventRouterSchemas: the same for each message of a shape.
func TestEventRouterSchemas(t *testing.T) {
	v := outboxRow(`{"a":{"b":1}}`)
	e := change("c", v.Schema, nil, v)
	for _, settings := range []string{"table.expand.json.payload=true", "table.expand.json.payload=true; table.fields.additional.placement=type:envelope"} {
		c := chain(t, options(eventRouter, settings))
		a, b := record(e), record(e)
		for _, r := range []*plugin.Record{&a, &b} {
			if _, err := c.Apply(r); err != nil {
				t.Fatal(err)
			}
		}
		if a.ValueSchema != b.ValueSchema || a.Value.(*data.Struct).Schema != a.ValueSchema {
			t.Errorf("%s: two schemas", settings)
		}
	}
}
