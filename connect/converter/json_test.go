package converter_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

func decimal(t testing.TB, text string) data.Decimal {
	t.Helper()
	d, err := data.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestJSONOfAnEnvelope: fields in their order, schemas with theirs, as Kafka Connect writes them.
func TestJSONOfAnEnvelope(t *testing.T) {
	enum := data.Named(data.String, "io.debezium.data.Enum")
	enum.Parameters = []data.Parameter{{Name: "allowed", Value: "new,old"}}
	status := *enum
	status.Default = "new"
	row := data.StructOf("shop.public.orders.Value",
		data.Field{Name: "id", Schema: data.Of(data.Int32)},
		data.Field{Name: "price", Schema: data.DecimalSchema(2)},
		data.Field{Name: "status", Schema: &status},
		data.Field{Name: "tags", Schema: (&data.Schema{Type: data.Array, Value: data.OptionalOf(data.String)}).AsOptional()})
	s := data.StructOf("shop.public.orders.Envelope", data.Field{Name: "before", Schema: row.AsOptional()}, data.Field{Name: "after", Schema: row.AsOptional()})
	after := data.NewStruct(row.AsOptional())
	after.Values = []any{int32(7), decimal(t, "123.45"), nil, []any{"a", nil}}
	v := data.NewStruct(s)
	if err := v.Set("after", after); err != nil {
		t.Fatal(err)
	}
	if err := data.Validate(s, v); err != nil {
		t.Fatal(err)
	}
	payload := `{"before":null,"after":{"id":7,"price":"MDk=","status":"new","tags":["a",null]}}`
	if got := encode(t, &converter.JSON{}, s, v); got != payload {
		t.Errorf("got  %s\nwant %s", got, payload)
	}
	fields := `"fields":[{"type":"int32","optional":false,"field":"id"},` +
		`{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"price"},` +
		`{"type":"string","optional":false,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":"new,old"},"default":"new","field":"status"},` +
		`{"type":"array","items":{"type":"string","optional":true},"optional":true,"field":"tags"}],"optional":true,"name":"shop.public.orders.Value"`
	want := `{"schema":{"type":"struct","fields":[{"type":"struct",` + fields + `,"field":"before"},{"type":"struct",` + fields +
		`,"field":"after"}],"optional":false,"name":"shop.public.orders.Envelope"},"payload":` + payload + `}`
	whole := &converter.JSON{Schemas: true}
	if got := encode(t, whole, s, v); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := encode(t, &converter.JSON{KeepNull: true, NumericDecimals: true}, row, &data.Struct{Schema: row, Values: []any{int32(1), decimal(t, "-0.50"), "old", nil}}); got !=
		`{"id":1,"price":-0.50,"status":"old","tags":null}` {
		t.Error(got)
	}
	again, value, err := whole.Decode("", []byte(want))
	if err != nil || !again.Equal(s) {
		t.Fatalf("read again: %v, %+v", err, again)
	}
	if got := encode(t, whole, again, value); got != want {
		t.Errorf("written again it is %s", got)
	}
}

func encode(t testing.TB, c converter.Converter, s *data.Schema, v any) string {
	t.Helper()
	b, err := c.Encode("topic", s, v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestJSONOfScalars as Jackson and Java write them.
func TestJSONOfScalars(t *testing.T) {
	noon := time.Date(1969, 12, 31, 12, 0, 0, 5e6, time.UTC)
	for _, c := range []struct {
		s    *data.Schema
		v    any
		want string
	}{
		{nil, "a\"b\\c\n\t\r\b\f\x00\x1f\x7f/<é\u2028한", `"a\"b\\c\n\t\r\b\f\u0000\u001F` + "\x7f/<é\u2028한\""},
		{nil, "a😀b", `"a\uD83D\uDE00b"`},
		{nil, "broken \xff utf-8", `"broken ` + "\uFFFD" + ` utf-8"`},
		{nil, true, "true"},
		{nil, int8(-8), "-8"},
		{nil, int64(math.MinInt64), "-9223372036854775808"},
		{nil, 1.0, "1.0"},
		{nil, 0.0, "0.0"},
		{nil, math.Copysign(0, -1), "-0.0"},
		{nil, 0.001, "0.001"},
		{nil, 0.00099, "9.9E-4"},
		{nil, 9999999.5, "9999999.5"},
		{nil, 1e7, "1.0E7"},
		{nil, -1.25e-300, "-1.25E-300"},
		{nil, 5e-324, "4.9E-324"},
		{nil, 2e23, "2.0E23"},
		{nil, float32(0.1), "0.1"},
		{nil, float32(3.4028235e38), "3.4028235E38"},
		{nil, math.NaN(), `"NaN"`},
		{nil, math.Inf(-1), `"-Infinity"`},
		{nil, []byte{0xfb, 0xff, 0}, `"+/8A"`},
		{nil, []any{}, "[]"},
		{nil, &data.Map{Keys: []any{"b", "a"}, Values: []any{int64(1), nil}}, `{"b":1,"a":null}`},
		{nil, &data.Map{Keys: []any{int32(2)}, Values: []any{"x"}}, `[[2,"x"]]`},
		{data.Named(data.Int32, data.DateName), noon, "-1"},
		{data.Named(data.Int32, data.TimeName), noon, "43200005"},
		{data.Named(data.Int64, data.TimestampName), noon, "-43199995"},
	} {
		if got := encode(t, &converter.JSON{}, c.s, c.v); got != c.want {
			t.Errorf("%v: got %s, want %s", c.v, got, c.want)
		}
	}
	if b, err := (&converter.JSON{Schemas: true}).Encode("", nil, nil); b != nil || err != nil {
		t.Errorf("a tombstone is %q, %v", b, err)
	}
	if got := encode(t, &converter.JSON{Schemas: true}, nil, "x"); got != `{"schema":null,"payload":"x"}` {
		t.Error(got)
	}
}

func TestJSONRefuses(t *testing.T) {
	row := data.StructOf("row", data.Field{Name: "id", Schema: data.Of(data.Int32)})
	for _, c := range []struct {
		s    *data.Schema
		v    any
		want string
	}{
		{data.Of(data.String), nil, "required"},
		{row, data.NewStruct(row), "field id: "},
		{data.DecimalSchema(2), "1.00", "string for org.apache.kafka.connect.data.Decimal"},
		{data.DecimalSchema(2), data.Decimal{Unscaled: big.NewInt(1), Scale: 3}, "scale 3"},
		{nil, 7, "int"},
	} {
		if _, err := (&converter.JSON{}).Encode("", c.s, c.v); !errors.Is(err, data.ErrData) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.v, err, c.want)
		}
	}
	for text, want := range map[string]string{
		`{"id":1}`: "schemas.enable=false", `{"schema":null,"payload":1,"more":2}`: "schemas.enable=false", `{`: "unexpected",
		`{"schema":{"type":"int9"},"payload":1}`: `"int9"`, `{"schema":{"type":"array"},"payload":[]}`: `no "items"`,
		`{"schema":{"type":"int8"},"payload":300}`: "300", `{"schema":{"type":"int8"},"payload":"x"}`: "no int8",
		`{"schema":{"type":"struct","fields":[{"type":"int8"}]},"payload":{}}`:                                                           "field 0",
		`{"schema":{"type":"struct","fields":[{"type":"int8","field":"a"}]},"payload":{}}`:                                               "field a",
		`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"int8"}},"payload":{}}`:                                         "int8",
		`{"schema":{"type":"bytes"},"payload":"%"}`:                                                                                      "illegal base64",
		`{"schema":` + strings.Repeat(`{"type":"array","items":`, 200) + `{"type":"int8"}` + strings.Repeat(`}`, 200) + `,"payload":[]}`: "nested",
	} {
		if _, _, err := (&converter.JSON{Schemas: true}).Decode("", []byte(text)); !errors.Is(err, converter.ErrBytes) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
}

// TestDeepJSON is refused before its depth costs anything.
func TestDeepJSON(t *testing.T) {
	const most = 1000
	for _, one := range [][2]string{{"[", "]"}, {`{"a":`, "}"}} {
		c := &converter.JSON{}
		if _, _, err := c.Decode("", []byte(strings.Repeat(one[0], most)+"1"+strings.Repeat(one[1], most))); err != nil {
			t.Error(err)
		}
		for _, depth := range []int{most + 1, 1 << 20} {
			text := strings.Repeat(one[0], depth) + "1" + strings.Repeat(one[1], depth)
			if _, _, err := c.Decode("", []byte(text)); !errors.Is(err, converter.ErrBytes) || !strings.Contains(err.Error(), "nested more than 1000") {
				t.Errorf("%d times %s: %v", depth, one[0], err)
			}
		}
	}
}

func FuzzJSONDecode(f *testing.F) {
	f.Add([]byte(`{"schema":{"type":"struct","fields":[{"type":"int32","optional":true,"field":"a"}]},"payload":{"a":null,"b":[1]}}`))
	f.Add([]byte(`{"schema":{"type":"map","keys":{"type":"int8"},"values":{"type":"bytes"}},"payload":[[1,"AA=="]]}`))
	f.Add([]byte(`{"schema":{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"3"},"default":1e5},"payload":1.5}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c := &converter.JSON{Schemas: true, KeepNull: true}
		s, v, err := c.Decode("", b)
		if err != nil || s == nil {
			return
		}
		once, err := c.Encode("", s, v)
		if err != nil {
			return // a default of the wrong type
		}
		s2, v2, err := c.Decode("", once)
		if err != nil {
			t.Fatalf("%s was read and written as %s: %v", b, once, err)
		}
		if twice, err := c.Encode("", s2, v2); err != nil || string(twice) != string(once) {
			t.Fatalf("%s became %s, %v", once, twice, err)
		}
	})
}

func TestSimpleConverters(t *testing.T) {
	for _, c := range []struct {
		c    converter.Converter
		v    any
		want string
	}{
		{converter.String{}, "é", "é"},
		{converter.String{}, int64(5), "5"},
		{converter.String{}, 2.5, "2.5"},
		{converter.String{}, true, "true"},
		{converter.ByteArray{}, []byte{0, 255}, "\x00\xff"},
		{converter.Number{Type: data.Int16}, int16(-2), "\xff\xfe"},
		{converter.Number{Type: data.Int32}, int32(1), "\x00\x00\x00\x01"},
		{converter.Number{Type: data.Int64}, int64(256), "\x00\x00\x00\x00\x00\x00\x01\x00"},
	} {
		if got := encode(t, c.c, nil, c.v); got != c.want {
			t.Errorf("%T of %v: %q", c.c, c.v, got)
		}
		_, v, err := c.c.Decode("", []byte(c.want))
		if _, isText := c.c.(converter.String); err != nil || !isText && encode(t, c.c, nil, v) != c.want {
			t.Errorf("%T of %q: %v, %v", c.c, c.want, v, err)
		}
		if b, err := c.c.Encode("", nil, nil); b != nil || err != nil {
			t.Errorf("%T of nothing: %q, %v", c.c, b, err)
		}
		if _, v, err := c.c.Decode("", nil); v != nil || err != nil {
			t.Errorf("%T of no bytes: %v, %v", c.c, v, err)
		}
	}
	for _, c := range []converter.Converter{converter.ByteArray{}, converter.Number{Type: data.Int32}} {
		if _, err := c.Encode("", nil, "text"); !errors.Is(err, data.ErrData) {
			t.Errorf("%T of text: %v", c, err)
		}
	}
	if _, _, err := (converter.Number{Type: data.Int32}).Decode("", []byte("abc")); !errors.Is(err, converter.ErrBytes) {
		t.Error(err)
	}
	if _, _, err := (converter.String{}).Decode("", []byte{0xff}); !errors.Is(err, converter.ErrBytes) {
		t.Error(err)
	}
}
