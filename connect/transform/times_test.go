package transform_test

import (
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

func logical(t data.Type, name string) *data.Schema { return data.Named(t, "io.debezium.time."+name) }

func TestTimezoneConverter(t *testing.T) {
	v := row("V", "id", i32, int32(1),
		"micros", logical(data.Int64, "MicroTimestamp"), int64(1529507596945104), "nanos", logical(data.Int64, "NanoTimestamp"), int64(1531481025340000104),
		"millis", logical(data.Int64, "Timestamp"), int64(1514908810123), "zoned", logical(data.String, "ZonedTimestamp"), "2018-01-02T11:15:30.123456789+00:00",
		"clock", logical(data.String, "ZonedTime"), "11:15:30.123456789+00:00", "kc", stamp, time.Date(2018, 3, 27, 2, 0, 0, 0, time.UTC), "none", logical(data.Int64, "Timestamp").AsOptional(), nil)
	before := show(v.Schema, v)
	for _, c := range []struct{ settings, want string }{
		{"converted.timezone=+05:30", `V?{id:int32=1, micros:MicroTimestamp=1529487796945104, nanos:NanoTimestamp=1531461225340000104, millis:Timestamp=1514889010123, ` +
			`zoned:ZonedTimestamp="2018-01-02T16:45:30.123456789+05:30", clock:ZonedTime="16:45:30.123456789+05:30", kc:Timestamp=2018-03-26T20:30:00.000, none:Timestamp?=null}`},
		{"converted.timezone=Pacific/Easter; include.list=source:outbox:after.zoned", `zoned:ZonedTimestamp="2018-01-02T06:15:30.123456789-05:00", clock:ZonedTime="11:15:30.123456789+00:00"`},
		{"converted.timezone=Africa/Cairo; include.list=topic:shop.public.outbox:kc", "millis:Timestamp=1514908810123, zoned:ZonedTimestamp=\"2018-01-02T11:15:30.123456789+00:00\", clock:ZonedTime=\"11:15:30.123456789+00:00\", kc:Timestamp=2018-03-27T00:00:00.000"},
		{"converted.timezone=+01:00:00; include.list=outbox:millis", "millis:Timestamp=1514905210123, zoned:ZonedTimestamp=\"2018-01-02T11"},
		{"converted.timezone=+01:00; include.list=source:other", "millis:Timestamp=1514908810123"},
		{"converted.timezone=+01:00; include.list=source:other,outbox", "millis:Timestamp=1514905210123"},
		{"converted.timezone=+01:00; exclude.list=source:outbox", "millis:Timestamp=1514908810123"},
		{"converted.timezone=+01:00; exclude.list=source:outbox:zoned", "millis:Timestamp=1514905210123, zoned:ZonedTimestamp=\"2018-01-02T11:15:30.123456789+00:00\""},
		{"converted.timezone=+01:00; exclude.list=source:other:zoned", "millis:Timestamp=1514905210123, zoned:ZonedTimestamp=\"2018-01-02T12:15:30.123456789+01:00\""},
	} {
		r := created(v)
		if _, err := chain(t, options("io.debezium.transforms.TimezoneConverter", c.settings)).Apply(&r); err != nil {
			t.Fatal(err)
		}
		after := r.Value.(*data.Struct)
		if got := show(after.Schema.Fields[1].Schema, after.Get("after")); !strings.Contains(got, c.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", c.settings, got, c.want)
		}
	}
	if show(v.Schema, v) != before {
		t.Error("it changed what it was given")
	}
	for settings, key := range map[string]string{
		"converted.timezone=Mars/Olympus":                               "converted.timezone",
		"converted.timezone=Local":                                      "converted.timezone",
		"converted.timezone=+01:00; include.list=a:b; exclude.list=c:d": "exclude.list",
		"converted.timezone=+01:00; include.list=source:a:b:c":          "include.list",
	} {
		if _, problems := newChain(options("io.debezium.transforms.TimezoneConverter", settings)); len(problems) != 1 || problems[0].Key != "transforms.t."+key {
			t.Errorf("%s: %v", settings, problems)
		}
	}
}

// TestClocksThatSkipAndRepeat: as Java, the offset of before.
func TestClocksThatSkipAndRepeat(t *testing.T) {
	for text, want := range map[string]int64{
		"2024-03-31T02:30:00": -3600, "2024-03-31T03:30:00": -7200, "2024-10-27T02:30:00": -7200, "2024-10-27T03:30:00": -3600,
	} {
		at, err := time.Parse("2006-01-02T15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		r := created(row("V", "at", logical(data.Int64, "Timestamp"), at.UnixMilli()))
		if _, err := chain(t, options("io.debezium.transforms.TimezoneConverter", "converted.timezone=Europe/Berlin")).Apply(&r); err != nil {
			t.Fatal(err)
		}
		if got := r.Value.(*data.Struct).Get("after").(*data.Struct).Values[0].(int64)/1000 - at.Unix(); got != want {
			t.Errorf("%s is moved by %d s, want %d", text, got, want)
		}
	}
}

func TestHeaderToValue(t *testing.T) {
	v := row("V", "id", i32, int32(1))
	headers := []plugin.Header{{Key: "h1", Schema: text, Value: "one"}, {Key: "x", Schema: text, Value: "no"}, {Key: "h2", Schema: i64, Value: int64(2)}}
	const class = "io.debezium.transforms.HeaderToValue"
	for _, c := range []struct{ settings, want, left string }{
		{"headers=h1,h2; fields=a,b; operation=copy", `V{id:int32=1, a:string="one", b:int64=2}`, "h1, x, h2"},
		{"headers=h1,h2; fields=in.a,in.b; operation=MOVE", `V{id:int32=1, in:?{a:string="one", b:int64=2}}`, "x"},
		{"headers=none; fields=z; operation=move", `V{id:int32=1}`, "h1, x, h2"},
	} {
		chain := chain(t, options(class, c.settings))
		a, b := plugin.Record{ValueSchema: v.Schema, Value: v, Headers: headers}, plugin.Record{ValueSchema: v.Schema, Value: v, Headers: headers}
		for _, r := range []*plugin.Record{&a, &b} {
			if _, err := chain.Apply(r); err != nil {
				t.Fatal(err)
			}
		}
		var left []string
		for _, h := range a.Headers {
			left = append(left, h.Key)
		}
		if got := show(a.ValueSchema, a.Value); got != c.want || strings.Join(left, ", ") != c.left || a.ValueSchema != b.ValueSchema {
			t.Errorf("%s:\ngot  %s | %v, %v\nwant %s | %s", c.settings, got, left, a.ValueSchema == b.ValueSchema, c.want, c.left)
		}
	}
	r := created(v)
	r.Headers = headers
	if _, err := chain(t, options(class, "headers=h1,h2; fields=after.note,source.more; operation=move")).Apply(&r); err != nil {
		t.Fatal(err)
	}
	if got := show(r.ValueSchema, r.Value); !strings.Contains(got, `after:V?{id:int32=1, note:string="one"}`) || !strings.Contains(got, "lsn:int64?=77, more:int64=2}") {
		t.Error(got)
	}
	for settings, want := range map[string]string{
		"headers=h2; fields=id; operation=copy":   "the field id is int32, and the header for it int64",
		"headers=h1; fields=id.x; operation=copy": "Field 'id' is a primitive type, not a struct. Cannot add nested field 'id.x'.",
	} {
		r := plugin.Record{ValueSchema: v.Schema, Value: v, Headers: headers}
		if _, err := chain(t, options(class, settings)).Apply(&r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", settings, err)
		}
	}
	for settings, key := range map[string]string{
		"headers=a,b; fields=c; operation=copy": "fields", "headers=a; fields=b c; operation=copy": "fields", "headers=a; fields=b; operation=swap": "operation",
	} {
		if _, problems := newChain(options(class, settings)); len(problems) != 1 || problems[0].Key != "transforms.t."+key {
			t.Errorf("%s: %v", settings, problems)
		}
	}
}
