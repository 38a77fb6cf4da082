package transform_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

const kafka = "org.apache.kafka.connect.transforms."

// options reads "a=b; c=d".
func options(class, settings string) map[string]string {
	given := map[string]string{"transforms": "t", "transforms.t.type": class}
	for setting := range strings.SplitSeq(settings, "; ") {
		if name, value, ok := strings.Cut(setting, "="); ok {
			given["transforms.t."+name] = value
		}
	}
	return given
}

// TestOfValues gives each transform a value, with its schema if it is a struct.
func TestOfValues(t *testing.T) {
	at := time.Date(2024, 2, 29, 13, 5, 6, 789e6, time.UTC)
	order := row("shop.Order", "id", i32, int32(7), "note", with(optText, "none"), nil)
	order.Schema.Version, order.Schema.Optional = 1, true
	nested := row("Outer", "a", (&data.Schema{Type: data.StructType, Fields: []data.Field{{Name: "b", Schema: i32}, {Name: "c", Schema: with(text, "x")}}}).AsOptional(), nil, "d", flag, true)
	inner := data.NewStruct(nested.Schema.Fields[0].Schema)
	inner.Values = []any{int32(5), nil}
	nestedFull := &data.Struct{Schema: nested.Schema, Values: []any{inner, true}}
	types := row("T", "n", f64, 300.9, "s", text, "-12", "d", data.DecimalSchema(2), decimal(t, "12.75"), "b", raw, []byte{1, 2}, "t", stamp, at, "x", with(data.OptionalOf(data.Int32), int32(4)), nil)
	for _, c := range []struct {
		class, settings string
		value           any
		want            string
	}{
		{"InsertField$Value", "topic.field=topic; timestamp.field=at!; static.field=env?; static.value= prod; partition.field=p", order,
			`Order/1{id:int32=7, note:string("none")?="none", topic:string?="orders", p:int32?=null, at:Timestamp=2024-02-29T13:05:06.789, env:string?=" prod"}`},
		{"InsertField$Value", "static.field=a; static.value=1; replace.null.with.default=false", order, `Order/1{id:int32=7, note:string("none")?=null, a:string?="1"}`},
		{"InsertField$Value", "topic.field=topic; timestamp.field=at; partition.field=p", free("id", int64(1)), `free {id:1 topic:"orders" at:1709211906789}`},
		{"InsertField$Value", "topic.field=topic", nil, "free null"},
		{"InsertField$Value", "topic.field=topic", "text", "error: Only Map objects supported in absence of schema for [field insertion], found: string"},
		{"InsertField$Value", "topic.field=id", order, "error: Cannot create field because of field name duplication id"},
		{"InsertField$Value", "offset.field=o", order, "error: Only SinkRecord supported for [field insertion]"},
		{"ReplaceField$Value", "exclude=note", order, "Order/1{id:int32=7}"},
		{"ReplaceField$Value", "include=note; renames=note:remark", order, `Order/1{remark:string("none")?="none"}`},
		{"ReplaceField$Value", "include=a,b; exclude=b; renames=a:z", free("a", "1", "b", "2", "c", "3"), `free {z:"1"}`},
		{"MaskField$Value", "fields=n,s,d,t,x", types,
			`T{n:double=0f, s:string="", d:Decimal=0.00, b:bytes=x0102, t:Timestamp=1970-01-01T00:00:00.000, x:int32(4)?=0}`},
		{"MaskField$Value", "fields=id,note; replacement=123", order, `Order/1?{id:int32=123, note:string("none")?="123"}`},
		{"MaskField$Value", "fields=id; replacement=abc", order, "error: field id: Unable to convert abc to number"},
		{"MaskField$Value", "fields=b", types, "error: field b: Cannot mask value of type: bytes"},
		{"MaskField$Value", "fields=a,l", free("a", int64(3), "l", []any{int64(1)}, "k", true), "free {a:0 l:[] k:true}"},
		{"HoistField$Value", "field=line", order, `{line:Order/1?{id:int32=7, note:string("none")?=null}}`},
		{"HoistField$Value", "field=line", int64(5), "free {line:5}"},
		{"ExtractField$Value", "field=note", order, `string("none")?="none"`},
		{"ExtractField$Value", "field=note; replace.null.with.default=false", order, `string("none")?=null`},
		{"ExtractField$Value", "field=price", order, "error: Unknown field: price"},
		{"ExtractField$Value", "field=a.b", nestedFull, "error: Unknown field: a.b"},
		{"ExtractField$Value", "field=a.b; field.syntax.version=v2", nestedFull, "int32=5"},
		{"ExtractField$Value", "field=a.b; field.syntax.version=V2", nested, "int32=null"},
		{"ExtractField$Value", "field=`a.b`.c; field.syntax.version=V2", free("a.b", free("c", "x")), `free "x"`},
		{"ExtractField$Value", "field=none", free("a", "x"), "free null"},
		{"SetSchemaMetadata$Value", "schema.name=Order; schema.version=3", order, `Order/3?{id:int32=7, note:string("none")?="none"}`},
		{"SetSchemaMetadata$Value", "schema.name=Order", free(), "error: Schema required for [updating schema metadata]"},
		{"SetSchemaMetadata$Value", "schema.name=Order", nil, "free null"},
		{"Flatten$Value", "", nestedFull, `Outer{a.b:int32?=5, a.c:string("x")?="x", d:boolean=true}`},
		{"Flatten$Value", "delimiter=_", nested, `Outer{a_b:int32?=null, a_c:string("x")?=null, d:boolean=true}`},
		{"Flatten$Value", "", free("a", free("b", int64(1), "c", free("d", nil)), "e", []any{"f"}), `free {a.b:1 a.c.d:null e:["f"]}`},
		{"Cast$Value", "spec=n:int8,s:int16,d:float32,b:string,t:int64,x:string", types,
			`T{n:int8=44, s:int16=-12, d:float=12.75f, b:string="AQI=", t:int64=1709211906789, x:string("4")?="4"}`},
		{"Cast$Value", "spec=n:string,s:boolean,d:string,t:string,x:boolean; replace.null.with.default=false", types,
			`T{n:string="300.9", s:boolean=false, d:string="12.75", b:bytes=x0102, t:string="2024-02-29T13:05:06.789Z", x:boolean(true)?=null}`},
		{"Cast$Value", "spec=s:int8", row("", "s", text, "128"), "error: field s: Value (128) was out of range for requested data type"},
		{"Cast$Value", "spec=b:int8", types, "error: field b: Unexpected type in Cast transformation: []uint8"},
		{"Cast$Value", "spec=int32", int64(1<<32 + 5), "free 5"},
		{"Cast$Value", "spec=int64", 1e30, "free 9223372036854775807"},
		{"Cast$Value", "spec=a:string", free("a", []any{}), "error: field a: Cast transformation does not support casting from ARRAY"},
		{"TimestampConverter$Value", "target.type=string; format=yyyy-MM-dd HH:mm; field=t", types, `b:bytes=x0102, t:string="2024-02-29 13:05", x:`},
		{"TimestampConverter$Value", "target.type=unix; unix.precision=seconds; field=t", types, "t:int64=1709211906, "},
		{"TimestampConverter$Value", "target.type=Date; field=t", types, "t:Date=2024-02-29T00:00:00.000, "},
		{"TimestampConverter$Value", "target.type=Time; field=t", types, "t:Time=1970-01-01T13:05:06.789, "},
		{"TimestampConverter$Value", "target.type=Timestamp; unix.precision=microseconds", int64(1709211906789123), "free 2024-02-29T13:05:06.789"},
		{"TimestampConverter$Value", "target.type=unix; format=dd/MM/yy", "29/02/24", "free 1709164800000"},
		{"TimestampConverter$Value", "target.type=unix; format=dd/MM/yy", "Feb 29", "error: Could not parse timestamp: value (Feb 29) does not match pattern (dd/MM/yy)"},
		{"TimestampConverter$Value", "target.type=unix; field=n", types, "error: field n: Schema double  does not correspond to a known timestamp type format"},
	} {
		r := plugin.Record{Topic: "orders", Partition: plugin.NoPartition, Timestamp: at.UnixMilli(), Value: c.value}
		if s, ok := c.value.(*data.Struct); ok {
			r.ValueSchema = s.Schema
		}
		before := show(r.ValueSchema, r.Value)
		keep, err := chain(t, options(kafka+c.class, c.settings)).Apply(&r)
		got := show(r.ValueSchema, r.Value)
		if err != nil {
			got = "error: " + strings.SplitN(err.Error(), "): ", 2)[1]
		}
		if !strings.Contains(got, c.want) || keep != (err == nil) || err == nil && !strings.HasPrefix(c.settings, "target") && got != c.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.class, c.settings, got, c.want)
		}
		if s, ok := c.value.(*data.Struct); ok && show(s.Schema, s) != before {
			t.Errorf("%s changed what it was given", c.class)
		}
	}
}

// TestSameSchemaAgain: converters remember schemas by address.
func TestSameSchemaAgain(t *testing.T) {
	v := row("R", "id", i32, int32(7), "at", stamp, time.UnixMilli(0))
	for class, settings := range map[string]string{
		"InsertField$Value": "topic.field=x", "ReplaceField$Value": "exclude=at", "HoistField$Value": "field=x", "SetSchemaMetadata$Value": "schema.name=X",
		"Flatten$Value": "", "Cast$Value": "spec=id:string", "TimestampConverter$Value": "field=at; target.type=unix", "HeaderFrom$Value": "fields=id; headers=h; operation=move",
		"ExtractField$Value": "field=id", "MaskField$Value": "fields=id",
	} {
		c := chain(t, options(kafka+class, settings))
		a, b := plugin.Record{ValueSchema: v.Schema, Value: v}, plugin.Record{ValueSchema: v.Schema, Value: v}
		for _, r := range []*plugin.Record{&a, &b} {
			if _, err := c.Apply(r); err != nil {
				t.Fatal(err)
			}
			if err := data.Validate(r.ValueSchema, r.Value); err != nil {
				t.Errorf("%s: %v", class, err)
			}
		}
		if a.ValueSchema != b.ValueSchema {
			t.Errorf("%s made two schemas", class)
		}
	}
}

func TestKeysAndHeaders(t *testing.T) {
	v := row("R", "id", i32, int32(7), "note", optText, nil)
	for _, c := range []struct {
		class, settings, want string
	}{
		{"ValueToKey", "fields=id", "{id:int32=7} | R{id:int32=7, note:string?=null} | h=free \"1\""},
		{"ExtractField$Key", "field=k", "string=\"x\" | R{id:int32=7, note:string?=null} | h=free \"1\""},
		{"HeaderFrom$Value", "fields=id,note; headers=a,b; operation=move", `K{k:string="x"} | R{} | h=free "1", a=int32=7, b=string?=null`},
		{"HeaderFrom$Value", "fields=id; headers=h; operation=copy", `K{k:string="x"} | R{id:int32=7, note:string?=null} | h=free "1", h=int32=7`},
		{"HeaderFrom$Key", "fields=k; headers=h; operation=move", `K{} | R{id:int32=7, note:string?=null} | h=free "1", h=string="x"`},
		{"DropHeaders", "headers=x,h", `K{k:string="x"} | R{id:int32=7, note:string?=null} | `},
		{"InsertHeader", "header=n; value.literal=300", `K{k:string="x"} | R{id:int32=7, note:string?=null} | h=free "1", n=int16=300`},
		{"InsertHeader", "header=n; value.literal=[1, 2]", `K{k:string="x"} | R{id:int32=7, note:string?=null} | h=free "1", n=array<int8>=[1 2]`},
	} {
		k := row("K", "k", text, "x")
		shared := make([]plugin.Header, 1, 5)
		shared[0] = plugin.Header{Key: "h", Value: "1"}
		r := plugin.Record{KeySchema: k.Schema, Key: k, ValueSchema: v.Schema, Value: v, Headers: shared}
		if _, err := chain(t, options(kafka+c.class, c.settings)).Apply(&r); err != nil {
			t.Fatal(err)
		}
		if got := show(r.KeySchema, r.Key) + " | " + show(r.ValueSchema, r.Value) + " | " + showHeaders(r.Headers); got != c.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", c.class, c.settings, got, c.want)
		}
		if shared[0].Key != "h" || shared[:2][1].Key != "" {
			t.Errorf("%s wrote into headers that others share", c.class)
		}
	}
	r := plugin.Record{Value: free("id", int64(7), "note", "x")}
	if _, err := chain(t, options(kafka+"HeaderFrom$Value", "fields=id,none; headers=a,b; operation=move")).Apply(&r); err != nil {
		t.Fatal(err)
	}
	if got := show(r.ValueSchema, r.Value) + " | " + showHeaders(r.Headers); got != `free {note:"x"} | a=free 7, b=free null` {
		t.Error(got)
	}
}

func TestTopics(t *testing.T) {
	at := time.Date(2024, 12, 30, 3, 4, 5, 0, time.UTC).UnixMilli()
	for _, c := range []struct{ class, settings, topic, want string }{
		{"RegexRouter", "regex=(.*)\\.(.*); replacement=$2-$1", "a.b", "b-a"},
		{"RegexRouter", "regex=b; replacement=x", "a.b", "a.b"},
		{"RegexRouter", "regex=a|ab; replacement=x", "ab", "xb"},
		{"RegexRouter", "regex=(?<whole>.+); replacement=pre.${whole}", "a", "pre.a"},
		{"RegexRouter", "regex=(.)(.*); replacement=$12\\$1", "abc", "a2$1"},
		{"TimestampRouter", "", "orders", "orders-20241230"},
		{"TimestampRouter", "topic.format=${timestamp}/${topic}/${topic}; timestamp.format=YYYY-'W'ww HH", "o$1", "2025-W01 03/o$1/o$1"},
	} {
		r := plugin.Record{Topic: c.topic, Timestamp: at}
		if _, err := chain(t, options(kafka+c.class, c.settings)).Apply(&r); err != nil || r.Topic != c.want {
			t.Errorf("%s %s: %s, %v", c.class, c.settings, r.Topic, err)
		}
	}
}

func TestOffsetsOfSinks(t *testing.T) {
	c := chain(t, options(kafka+"InsertField$Value", "offset.field=o; partition.field=p!"))
	r := plugin.SinkRecord{Record: plugin.Record{Value: free(), Partition: 3}, Offset: 42}
	if _, err := c.ApplySink(&r); err != nil || show(nil, r.Value) != "free {p:3 o:42}" {
		t.Error(show(nil, r.Value), err)
	}
}

func TestWrongOptions(t *testing.T) {
	for _, c := range []struct{ class, settings, key, want string }{
		{"RegexRouter", "regex=(?=x); replacement=y", "regex", "Invalid regex: "},
		{"RegexRouter", "regex=x; replacement=$1", "replacement", "no group 1"},
		{"ReplaceField$Value", "renames=a", "renames", "Invalid rename mapping: a"},
		{"MaskField$Value", "fields=", "fields", "Empty list"},
		{"Cast$Value", "spec=", "spec", "Must specify at least one field to cast."},
		{"Cast$Value", "spec=a:bytes", "spec", "Cast transformation does not support casting to BYTES; supported types are [INT8,"},
		{"Cast$Value", "spec=int8,a:int8", "spec", "may only specify a single cast"},
		{"TimestampConverter$Value", "target.type=string", "format", "requires format option"},
		{"TimestampConverter$Value", "target.type=date", "target.type", "String must be one of: string, unix, Date, Time, Timestamp"},
		{"TimestampConverter$Value", "target.type=unix; format=bbb", "format", "SimpleDateFormat-compatible"},
		{"HeaderFrom$Key", "fields=a,b; headers=a; operation=copy", "headers", "same number of elements"},
		{"SetSchemaMetadata$Key", "", "type", "Neither schema name nor version configured"},
		{"InsertField$Key", "static.field=a", "static.value", "No value specified for static field"},
		{"ExtractField$Key", "field=`a; field.syntax.version=V2", "field", "Incomplete backtick pair in path: [`a]"},
		{"ExtractField$Key", "field=a; field.syntax.version=V3", "field.syntax.version", "V1, V2"},
	} {
		_, problems := newChain(options(kafka+c.class, c.settings))
		if len(problems) != 1 || problems[0].Key != "transforms.t."+c.key || !strings.Contains(problems[0].Message, c.want) {
			t.Errorf("%s %s: %v", c.class, c.settings, problems)
		}
	}
}
