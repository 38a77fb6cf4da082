package transform_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

const (
	mongoRouter      = "io.debezium.connector.mongodb.transforms.outbox.MongoEventRouter"
	newDocumentState = "io.debezium.connector.mongodb.transforms.ExtractNewDocumentState"
)

// mongoChange is an envelope whose documents are JSON; "" is null.
func mongoChange(op, before, after, updated string, removed ...any) plugin.Record {
	json := data.Named(data.String, "io.debezium.data.Json").AsOptional()
	names := (&data.Schema{Type: data.Array, Value: text}).AsOptional()
	update := (&data.Schema{Type: data.StructType, Name: "io.debezium.connector.mongodb.changestream.updatedescription", Fields: []data.Field{
		{Name: "removedFields", Schema: names}, {Name: "updatedFields", Schema: json}}}).AsOptional()
	source := data.StructOf("io.debezium.connector.mongo.Source", data.Field{Name: "collection", Schema: text}, data.Field{Name: "ord", Schema: i32})
	s := data.StructOf("shop.db.items.Envelope", data.Field{Name: "before", Schema: json}, data.Field{Name: "after", Schema: json},
		data.Field{Name: "updateDescription", Schema: update}, data.Field{Name: "source", Schema: source}, data.Field{Name: "op", Schema: text},
		data.Field{Name: "ts_ms", Schema: data.OptionalOf(data.Int64)})
	v := data.NewStruct(s)
	for i, doc := range []string{before, after} {
		if doc != "" {
			v.Values[i] = doc
		}
	}
	if updated != "" {
		v.Values[2] = &data.Struct{Schema: update, Values: []any{removed, updated}}
	}
	v.Values[3], v.Values[4], v.Values[5] = &data.Struct{Schema: source, Values: []any{"items", int32(2)}}, op, int64(1000)
	k := row("shop.db.items.Key", "id", text, `{"$oid": "5f2a1b2c3d4e5f6071829304"}`)
	return plugin.Record{Topic: "shop.db.items", KeySchema: k.Schema, Key: k, ValueSchema: s, Value: v, Partition: plugin.NoPartition}
}

const event = `{"_id": {"$oid": "5f2a1b2c3d4e5f6071829304"},"aggregateid": {"$numberLong": "7"},"aggregatetype": "Order","type": "Paid",` +
	`"payload": {"price": {"$numberLong": "1250"},"tags": ["a","é\u0001"],"lines": [{"n": 1}]},"createdAt": {"$date": 1700000000123},"ms": {"$numberLong": "99"}}`

func TestMongoEventRouter(t *testing.T) {
	for _, c := range []struct {
		name, settings, want string
		at                   int64
	}{
		{"as it is", "", `outbox.event.Order | int64?=7 | string?="` + strings.NewReplacer("\n", `\n`, `"`, `\"`).Replace(`{
  "price": {
    "$numberLong": "1250"
  },
  "tags": [
    "a",
    "é`+"\x5c"+`u0001"
  ],
  "lines": [
    {
      "n": {
        "$numberInt": "1"
      }
    }
  ]
}`) + `" | id=string?="5f2a1b2c3d4e5f6071829304"`, 1000},
		{"expanded", "collection.expand.json.payload=true; collection.field.event.timestamp=ms; collection.fields.additional.placement=type:header,createdAt:header:at",
			`outbox.event.Order | int64?=7 | payload?{price:int64?=1250, tags:array<string?>?=["a" "é\x01"], lines:array<lines?>?=[lines?{n:int32?=1}]} | ` +
				`id=string?="5f2a1b2c3d4e5f6071829304", type=string?="Paid", at=Timestamp?=2023-11-14T22:13:20.123`, 99},
		{"envelope", "collection.expand.json.payload=true; collection.field.event.payload=type; collection.fields.additional.placement=ms:envelope; route.topic.replacement=x",
			`x | int64?=7 | Json{payload:string?="Paid", ms:int64?=99} | id=string?="5f2a1b2c3d4e5f6071829304"`, 1000},
	} {
		r := mongoChange("c", "", event, "")
		keep, err := chain(t, options(mongoRouter, c.settings)).Apply(&r)
		got := strings.ReplaceAll(describe(&r), `\\`, `\`)
		if !keep || err != nil || got != strings.ReplaceAll(c.want, `\\`, `\`) || r.Timestamp != c.at {
			t.Errorf("%s: %v, %v, %d\ngot  %s\nwant %s", c.name, keep, err, r.Timestamp, got, c.want)
		}
	}
	for _, c := range []struct {
		r    plugin.Record
		keep bool
		err  string
	}{
		{mongoChange("d", "", "", ""), false, ""},
		{mongoChange("u", "", "", `{"a": 1}`), false, ""},
		{mongoChange("c", "", `[1]`, ""), false, "Only Struct objects supported for [Read Outbox Event]"},
		{mongoChange("c", "", `{"_id": 1}`, ""), false, "Unable to find payload field payload in event"},
	} {
		keep, err := chain(t, options(mongoRouter, "")).Apply(&c.r)
		if keep != c.keep || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, %v, want %q", keep, err, c.err)
		}
	}
}

func TestExtractNewDocumentState(t *testing.T) {
	const doc = `{"_id": {"$oid": "5f2a1b2c3d4e5f6071829304"},"n": 1,"l": {"$numberLong": "2"},"f": 1.0,"d": {"$numberDecimal": "1.50"},` +
		`"b": {"$binary": "AQI=","$type": "00"},"t": {"$date": 1700000000123},"ok": true,"none": null,"a": [{"x": 1},{"y": "z"}],"in": {"deep": {"er": "v"}}}`
	deleted := mongoChange("d", doc, "", "")
	key := `{id:string?="5f2a1b2c3d4e5f6071829304"}`
	for _, c := range []struct {
		name, settings string
		r              plugin.Record
		keep           bool
		want           string
	}{
		{"created", "add.fields=op,collection:from; add.headers=ord", mongoChange("c", "", doc, ""), true, "shop.db.items | " + key + ` | items{_id:string?="5f2a1b2c3d4e5f6071829304", n:int32?=1, ` +
			`l:int64?=2, f:double?=1f, d:string?="1.50", b:bytes?=x0102, t:Timestamp?=2023-11-14T22:13:20.123, ok:boolean?=true, none:string?=null, ` +
			`a:array<a?>?=[a?{x:int32?=1, y:string?=null} a?{x:int32?=null, y:string?="z"}], in:in?{deep:deep?{er:string?="v"}}, __op:string?="c", __from:string?="items"} | __ord=int32?=2`},
		{"flattened", "flatten.struct=true", mongoChange("c", "", `{"_id": 1,"in": {"deep": {"er": "v"}}}`, ""), true,
			"shop.db.items | " + key + ` | items{_id:int32?=1, in_deep_er:string?="v"} | `},
		{"arrays as documents", "array.encoding=document", mongoChange("c", "", `{"_id": 1,"a": [1,"x"]}`, ""), true,
			"shop.db.items | " + key + ` | items{_id:int32?=1, a:a?{_0:int32?=1, _1:string?="x"}} | `},
		{"updated", "flatten.struct=true; flatten.struct.delimiter=-", mongoChange("u", "", "", `{"in.x": 5,"gone": 1}`, "gone"), true,
			"shop.db.items | " + key + ` | items{in-x:int32?=5, _id:string?="5f2a1b2c3d4e5f6071829304"} | `},
		{"deleted", "", deleted, true, "shop.db.items | " + key + " | free null | "},
		{"deleted: dropped", "delete.tombstone.handling.mode=drop", deleted, false, ""},
		{"deleted: rewritten", "delete.tombstone.handling.mode=rewrite", mongoChange("d", `{"_id": 1}`, "", ""), true,
			"shop.db.items | " + key + " | items{_id:int32?=1, __deleted:boolean?=true} | "},
		{"deleted: rewritten with id", "delete.tombstone.handling.mode=rewrite; delete.tombstone.handling.mode.rewrite-with-id=true", mongoChange("d", "", "", ""), true,
			"shop.db.items | " + key + ` | items{__deleted:boolean?=true, _id:string?="5f2a1b2c3d4e5f6071829304"} | `},
	} {
		r := c.r
		keep, err := chain(t, options(newDocumentState, c.settings)).Apply(&r)
		if got := describe(&r); keep != c.keep || err != nil || keep && got != c.want {
			t.Errorf("%s: %v, %v\ngot  %s\nwant %s", c.name, keep, err, got, c.want)
		}
		if err := data.Validate(r.ValueSchema, r.Value); keep && err != nil {
			t.Error(err)
		}
	}
	tombstone := mongoChange("d", "", "", "")
	tombstone.ValueSchema, tombstone.Value = nil, nil
	for mode, want := range map[string]bool{"tombstone": false, "rewrite-with-tombstone": true} {
		r := tombstone
		keep, err := chain(t, options(newDocumentState, "add.headers=op; delete.tombstone.handling.mode="+mode)).Apply(&r)
		if keep != want || err != nil || showHeaders(r.Headers) != `__op=string="d"` {
			t.Errorf("%s: %v, %v, %s", mode, keep, err, describe(&r))
		}
	}
	for doc, want := range map[string]string{`{"a": [1,"x"]}`: "set array.encoding=document", `{"a"`: "no extended JSON", `{"a": {"$oid": "zz"}}`: "no object id"} {
		r := mongoChange("c", "", doc, "")
		if _, err := chain(t, options(newDocumentState, "")).Apply(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", doc, err, want)
		}
	}
}

func TestSchemasOfDocuments(t *testing.T) {
	for _, class := range []string{mongoRouter, newDocumentState} {
		c := chain(t, options(class, ""))
		a, b := mongoChange("c", "", event, ""), mongoChange("c", "", event, "")
		b.ValueSchema = a.ValueSchema
		b.Value.(*data.Struct).Schema = a.ValueSchema
		for _, r := range []*plugin.Record{&a, &b} {
			if _, err := c.Apply(r); err != nil {
				t.Fatal(err)
			}
		}
		if a.ValueSchema != b.ValueSchema || a.KeySchema != b.KeySchema {
			t.Errorf("%s: two schemas", class)
		}
	}
}
