package transform_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

const newRecordState = "io.debezium.transforms.ExtractNewRecordState"

func TestExtractNewRecordState(t *testing.T) {
	v := row("shop.public.orders.Value", "id", i32, int32(7), "note", with(optText, "none"), nil)
	tombstoned := record(nil)
	for _, c := range []struct {
		name, settings string
		r              plugin.Record
		keep           bool
		want           string
	}{
		{"created", "", created(v), true, `shop.public.outbox | free null | Value{id:int32=7, note:string("none")?=null} | `},
		{"heartbeat", "add.headers=op", record(row("Heartbeat", "ts_ms", i64, int64(1))), true, "shop.public.outbox | free null | Heartbeat{ts_ms:int64=1} | "},
		{"deleted", "", record(change("d", v.Schema, v, nil)), true, "shop.public.outbox | free null | Value?=null | "},
		{"deleted: dropped", "delete.tombstone.handling.mode=drop", record(change("d", v.Schema, v, nil)), false, ""},
		{"deleted: tombstone", "delete.tombstone.handling.mode=delete-to-tombstone", record(change("d", v.Schema, v, nil)), true, "shop.public.outbox | free null | free null | "},
		{"deleted: rewritten", "delete.tombstone.handling.mode=rewrite; add.fields=op", record(change("d", v.Schema, v, nil)), true,
			`shop.public.outbox | free null | Value{id:int32=7, note:string("none")?="none", __deleted:string?="true", __op:string?="d"} | `},
		{"created: rewritten", "delete.tombstone.handling.mode=rewrite-with-tombstone; replace.null.with.default=false", created(v), true,
			`shop.public.outbox | free null | Value{id:int32=7, note:string("none")?=null, __deleted:string?="false"} | `},
		{"tombstone", "", tombstoned, false, ""},
		{"tombstone kept", "delete.tombstone.handling.mode=rewrite-with-tombstone; add.headers=op,table", tombstoned, true, `shop.public.outbox | free null | free null | __op=string="d"`},
		{"truncated", "", record(change("t", v.Schema, nil, nil)), false, ""},
		{"fields and headers", "add.fields=op,table,source.lsn:LSN,transaction.id,none; add.fields.prefix=_; add.headers=source.lsn,ts_ms:at,total_order", created(v), true,
			`shop.public.outbox | free null | Value{id:int32=7, note:string("none")?=null, _op:string?="c", _table:string?="outbox", _LSN:int64?=77, _transaction_id:string?=null} | ` +
				`__source_lsn=int64?=77, __at=int64?=1000, __total_order=int64?=null`},
		{"routed", "route.by.field=note", created(row("V", "note", text, "elsewhere")), true, `elsewhere | free null | V{note:string="elsewhere"} | `},
		{"routed deletion", "route.by.field=note", record(change("d", row("V", "note", text, "").Schema, row("V", "note", text, "elsewhere"), nil)), true, "elsewhere | free null | V?=null | "},
	} {
		r := c.r
		keep, err := chain(t, options(newRecordState, c.settings)).Apply(&r)
		if got := describe(&r); keep != c.keep || err != nil || keep && got != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s; %v", c.name, keep, got, c.want, err)
		}
	}
}

func TestDropFields(t *testing.T) {
	v := row("V", "id", i32, int32(7), "note", optText, "x", "more", optText, "y")
	for settings, want := range map[string]string{
		"drop.fields.header.name=h":                                           `V{id:int32=7, more:string?="y"} | K{id:int32=7, note:string?="k"}`,
		"drop.fields.header.name=h; drop.fields.from.key=true":                `V{id:int32=7, more:string?="y"} | K{id:int32=7}`,
		"drop.fields.header.name=h; drop.fields.keep.schema.compatible=false": `V{more:string?="y"} | K{id:int32=7, note:string?="k"}`,
		"drop.fields.header.name=other":                                       `V{id:int32=7, note:string?="x", more:string?="y"} | K{id:int32=7, note:string?="k"}`,
	} {
		k := row("K", "id", i32, int32(7), "note", optText, "k")
		r := created(v)
		r.KeySchema, r.Key = k.Schema, k
		r.Headers = []plugin.Header{{Key: "h", Schema: &data.Schema{Type: data.Array, Value: text}, Value: []any{"id", "note"}}}
		if _, err := chain(t, options(newRecordState, settings)).Apply(&r); err != nil {
			t.Fatal(err)
		}
		if got := show(r.ValueSchema, r.Value) + " | " + show(r.KeySchema, r.Key); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", settings, got, want)
		}
	}
}

func TestNewRecordStateSchemas(t *testing.T) {
	v := row("V", "id", i32, int32(7))
	e := change("c", v.Schema, nil, v)
	c := chain(t, options(newRecordState, "delete.tombstone.handling.mode=rewrite; add.fields=op,lsn"))
	a, b := record(e), record(e)
	for _, r := range []*plugin.Record{&a, &b} {
		if _, err := c.Apply(r); err != nil {
			t.Fatal(err)
		}
		if err := data.Validate(r.ValueSchema, r.Value); err != nil {
			t.Error(err)
		}
	}
	if a.ValueSchema != b.ValueSchema {
		t.Error("two schemas")
	}
}
