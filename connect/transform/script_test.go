package transform_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

func TestScripts(t *testing.T) {
	v := row("V", "id", i32, int32(2), "price", data.DecimalSchema(2), decimal(t, "12.50"), "note", optText, nil)
	const class = "io.debezium.transforms."
	tombstone := record(nil)
	for _, c := range []struct {
		class, settings string
		r               plugin.Record
		keep            bool
		topic, err      string
	}{
		{"Filter", "condition=value.op == 'u' && value.before.id == 2", record(change("u", v.Schema, v, v)), true, "", ""},
		{"Filter", "condition=value.op == 'u'", created(v), false, "", ""},
		{"Filter", "condition=value.after.price > 12 and value?.before?.id == nil and value.after.note == nil", created(v), true, "", ""},
		{"Filter", "condition=valueSchema.name endsWith '.Envelope' && topic matches '^shop' && header.h.value == 'x' && header.h.schema.name == ''", created(v), true, "", ""},
		{"Filter", "condition=false; topic.regex=other.*", created(v), true, "", ""},
		{"Filter", "condition=true", tombstone, true, "", ""},
		{"Filter", "condition=true; null.handling.mode=drop", tombstone, false, "", ""},
		{"Filter", "condition=value == nil; null.handling.mode=evaluate", tombstone, true, "", ""},
		{"Filter", "condition=value.before.id == 1", created(v), false, "", "Error while evaluating expression 'value.before.id == 1' for a record of topic shop.public.outbox"},
		{"ContentBasedRouter", "topic.expression=value.op == 'c' ? topic + '.new' : nil", created(v), true, "shop.public.outbox.new", ""},
		{"ContentBasedRouter", "topic.expression=value.op == 'u' ? 'x' : nil", created(v), true, "shop.public.outbox", ""},
		{"ContentBasedRouter", "topic.expression=value.after.id", created(v), false, "", "Value '2' returned by the expression is not a String"},
	} {
		c.r.Headers = []plugin.Header{{Key: "h", Schema: text, Value: "x"}}
		keep, err := chain(t, options(class+c.class, "language=expr; "+c.settings)).Apply(&c.r)
		if keep != c.keep || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || c.topic != "" && c.r.Topic != c.topic {
			t.Errorf("%s %s: %v, %s, %v", c.class, c.settings, keep, c.r.Topic, err)
		}
	}
	for settings, want := range map[string]string{
		"language=jsr223.groovy; condition=value.op == 'u'": "languages of a Java virtual machine are not supported",
		"language=groovy; condition=true":                   "it must be expr",
		"language=expr; condition=value.op ==":              "Failed to parse expression",
		"language=expr; condition=nothing == 1":             "unknown name nothing",
		"language=expr; condition='text'":                   "expected bool",
	} {
		if _, problems := newChain(options(class+"Filter", settings)); len(problems) != 1 || !strings.Contains(problems[0].Message, want) {
			t.Errorf("%s: %v, want %s", settings, problems, want)
		}
	}
}

func TestToLogicalTopicRouter(t *testing.T) {
	k := row("srv.shop_1.Key", "id", i32, int32(7))
	v := row("srv.shop_1.Value", "id", i32, int32(7), "note", with(optText, "none"), nil)
	heartbeat := row("Heartbeat", "ts_ms", i64, int64(1))
	const to, by = "io.debezium.transforms.ToLogicalTopicRouter", "io.debezium.transforms.ByLogicalTableRouter"
	const source = `source:Source{connector:string="postgresql", table:string="outbox", lsn:int64?=77}, transaction:block?=null, op:string="c", ts_ms:int64?=1000}`
	for _, c := range []struct {
		class, settings string
		value           *data.Struct
		want            string
	}{
		{to, "topic.regex=x; topic.replacement=y", v, `srv.shop_1 | Key{id:int32=7} | Value{id:int32=7, note:string("none")?=null} | `},
		{to, "topic.regex=(.*)_\\d; topic.replacement=$1", change("c", v.Schema, nil, v),
			`srv.shop | Key{id:int32=7, __dbz__sourceIdentifier:string="srv.shop_1"} | Envelope/2{before:Value?=null, after:Value?{id:int32=7, note:string("none")?=null}, ` + source + ` | `},
		{by, "topic.regex=(.*)_\\d; topic.replacement=$1; key.field.regex=.*(\\d); key.field.replacement=n$1", nil,
			`srv.shop | Key{id:int32=7, __dbz__physicalTableIdentifier:string="n1"} | free null | `},
		{to, "topic.regex=(.*)_\\d; topic.replacement=$1; key.enforce.uniqueness=false", heartbeat, `srv.shop | Key{id:int32=7} | Heartbeat{ts_ms:int64=1} | `},
		{to, "topic.regex=(x)?.*; topic.replacement=$1", heartbeat, `srv.shop_1 | Key{id:int32=7} | Heartbeat{ts_ms:int64=1} | `},
	} {
		r := record(c.value)
		r.Topic, r.KeySchema, r.Key = "srv.shop_1", k.Schema, k
		keep, err := chain(t, options(c.class, c.settings)).Apply(&r)
		if got := describe(&r); !keep || err != nil || got != c.want {
			t.Errorf("%s: %v, %v\ngot  %s\nwant %s", c.settings, keep, err, got, c.want)
		}
		if err := data.Validate(r.ValueSchema, r.Value); r.ValueSchema != nil && err != nil {
			t.Error(err)
		}
		if r.Topic == "srv.shop" && (r.KeySchema.Name != "srv.shop.Key" || c.value != nil && c.value.Schema.Name != "Heartbeat" && r.ValueSchema.Name != "srv.shop.Envelope") {
			t.Errorf("schemas are named %s and %v", r.KeySchema.Name, r.ValueSchema)
		}
	}
	for settings, key := range map[string]string{
		"topic.regex=a; topic.replacement=$1":                   "topic.replacement",
		"topic.regex=a; topic.replacement=b; key.field.regex=c": "key.field.replacement",
		"topic.replacement=b":                                   "topic.regex",
	} {
		if _, problems := newChain(options(to, settings)); len(problems) != 1 || problems[0].Key != "transforms.t."+key {
			t.Errorf("%s: %v", settings, problems)
		}
	}
}
