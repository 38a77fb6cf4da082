package avro_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	twmb "github.com/twmb/avro"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/converter/avro"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// fake is a registry of what was registered with it.
type fake struct {
	subjects, texts []string
	down            atomic.Bool
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var s client.Schema
	if r.Method == http.MethodPost {
		_ = json.NewDecoder(r.Body).Decode(&s)
		f.texts, f.subjects = append(f.texts, s.Text), append(f.subjects, strings.Split(r.URL.Path, "/")[2])
	} else {
		s.Text = f.texts[len(f.texts)-1]
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"id": len(f.texts), "schema": s.Text})
}

func start(t testing.TB, change func(*avro.Config)) (*avro.Converter, *fake) {
	t.Helper()
	f := &fake{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URLs: []string{server.URL}, RetryFor: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	config := avro.Config{Registry: c}
	if change != nil {
		change(&config)
	}
	out, err := avro.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return out, f
}

// envelope as Debezium's connectors have.
func envelope() *data.Schema {
	decimal := data.DecimalSchema(2)
	decimal.Optional = true
	small := data.OptionalOf(data.Int16)
	status := data.OptionalOf(data.String)
	status.Default = "new"
	row := data.StructOf("srv.public.orders.Value",
		data.Field{Name: "id", Schema: data.Of(data.Int64)}, data.Field{Name: "total", Schema: decimal},
		data.Field{Name: "at", Schema: data.Named(data.Int64, "io.debezium.time.MicroTimestamp")},
		data.Field{Name: "n", Schema: small}, data.Field{Name: "status", Schema: status},
		data.Field{Name: "tags", Schema: &data.Schema{Type: data.Array, Value: data.OptionalOf(data.String), Optional: true}},
	).AsOptional()
	source := data.StructOf("io.debezium.connector.postgresql.Source", data.Field{Name: "lsn", Schema: data.OptionalOf(data.Int64)})
	source.Version = 1
	e := data.StructOf("srv.public.orders.Envelope",
		data.Field{Name: "before", Schema: row}, data.Field{Name: "after", Schema: row}, data.Field{Name: "source", Schema: source},
		data.Field{Name: "op", Schema: data.Of(data.String)})
	e.Version = 2
	return e
}

const envelopeText = `{"type":"record","name":"Envelope","namespace":"srv.public.orders","fields":[` +
	`{"name":"before","type":["null",{"type":"record","name":"Value","fields":[` +
	`{"name":"id","type":"long"},` +
	`{"name":"total","type":["null",{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}],"default":null},` +
	`{"name":"at","type":{"type":"long","connect.version":1,"connect.name":"io.debezium.time.MicroTimestamp"}},` +
	`{"name":"n","type":["null",{"type":"int","connect.type":"int16"}],"default":null},` +
	`{"name":"status","type":[{"type":"string","connect.default":"new"},"null"],"default":"new"},` +
	`{"name":"tags","type":["null",{"type":"array","items":["null","string"]}],"default":null}` +
	`],"connect.name":"srv.public.orders.Value"}],"default":null},` +
	`{"name":"after","type":["null","Value"],"default":null},` +
	`{"name":"source","type":{"type":"record","name":"Source","namespace":"io.debezium.connector.postgresql","fields":[{"name":"lsn","type":["null","long"],"default":null}],"connect.version":1,"connect.name":"io.debezium.connector.postgresql.Source"}},` +
	`{"name":"op","type":"string"}` +
	`],"connect.version":2,"connect.name":"srv.public.orders.Envelope"}`

func change(s *data.Schema) *data.Struct {
	row := data.NewStruct(s.Fields[1].Schema)
	row.Values = []any{int64(7), data.Decimal{Unscaled: big.NewInt(-1234), Scale: 2}, int64(1), int16(-3), nil, []any{"a", nil}}
	source := data.NewStruct(s.Fields[2].Schema)
	source.Values[0] = int64(99)
	out := data.NewStruct(s)
	out.Values = []any{nil, row, source, "c"}
	return out
}

// TestEnvelope: the schema is Confluent's, to the letter, and others read the bytes.
func TestEnvelope(t *testing.T) {
	c, f := start(t, nil)
	s := envelope()
	b, err := c.Encode("srv.public.orders", s, change(s))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.texts) != 1 || f.texts[0] != envelopeText || f.subjects[0] != "srv.public.orders-value" {
		t.Errorf("%s\ngot  %s\nwant %s", f.subjects, f.texts, envelopeText)
	}
	var other any
	if rest, err := twmb.MustParse(envelopeText).Decode(b[5:], &other); err != nil || len(rest) > 0 {
		t.Fatalf("%v, %d bytes are left", err, len(rest))
	}
	after := other.(map[string]any)["after"].(map[string]any)
	if after["id"] != int64(7) || after["status"] != "new" || after["n"] != int32(-3) {
		t.Errorf("%v", after)
	}
	got, value, err := c.Decode("srv.public.orders", b)
	if err != nil {
		t.Fatal(err)
	}
	if err := data.Validate(got, value); err != nil {
		t.Error(err)
	}
	row := value.(*data.Struct).Get("after").(*data.Struct)
	total, _ := row.Get("total").(data.Decimal)
	if row.Get("id") != int64(7) || row.Get("n") != int16(-3) || row.Get("status") != "new" || total.String() != "-12.34" {
		t.Errorf("%+v", row)
	}
	// What was read is written with the same schema and the same bytes.
	again, err := c.Encode("srv.public.orders", got, value)
	if err != nil || string(again[5:]) != string(b[5:]) || f.texts[len(f.texts)-1] != envelopeText {
		t.Errorf("% x\n% x\n%v\n%s", again, b, err, f.texts[len(f.texts)-1])
	}
}

func TestValues(t *testing.T) {
	at := time.Date(2026, 2, 28, 13, 14, 15, 16e6, time.UTC)
	dated := data.Named(data.Int32, data.DateName)
	numbered := &data.Schema{Type: data.MapType, Key: data.Of(data.Int32), Value: data.OptionalOf(data.Float64)}
	worded := &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: data.Of(data.Bytes)}
	for _, test := range []struct {
		s     *data.Schema
		value any
		text  string
	}{
		{data.Of(data.Int8), int8(-128), `{"type":"int","connect.type":"int8"}`},
		{data.Of(data.Int32), int32(1 << 30), `"int"`},
		{data.Of(data.Int64), int64(-1 << 63), `"long"`},
		{data.Of(data.Float32), float32(0.5), `"float"`},
		{data.Of(data.Boolean), true, `"boolean"`},
		{data.OptionalOf(data.String), "ä", `["null","string"]`},
		{data.Of(data.Bytes), []byte{0, 255}, `"bytes"`},
		{dated, at.Truncate(24 * time.Hour), `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}`},
		{data.Named(data.Int64, data.TimestampName), at, `{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}`},
		{data.DecimalSchema(0), data.Decimal{Unscaled: new(big.Int).Lsh(big.NewInt(-1), 200)}, `{"type":"bytes","scale":0,"precision":64,"connect.version":1,"connect.parameters":{"scale":"0"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`},
		{worded, &data.Map{Keys: []any{"b", "a"}, Values: []any{[]byte("x"), []byte{}}}, `{"type":"map","values":"bytes"}`},
		{numbered, &data.Map{Keys: []any{int32(2), int32(1)}, Values: []any{nil, 1.5}}, `{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":["null","double"],"default":null}]}}`},
		{data.StructOf(""), data.NewStruct(data.StructOf("")), `{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[]}`},
	} {
		c, f := start(t, nil)
		b, err := c.Encode("t", test.s, test.value)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if f.texts[0] != test.text {
			t.Errorf("got  %s\nwant %s", f.texts[0], test.text)
		}
		s, value, err := c.Decode("t", b)
		if err != nil || !s.Equal(test.s) || !reflect.DeepEqual(value, test.value) {
			t.Errorf("%s: %+v %#v %v", test.text, s, value, err)
		}
	}
}

func TestRefused(t *testing.T) {
	c, f := start(t, nil)
	bad := data.StructOf("a.b-c", data.Field{Name: "x", Schema: data.Of(data.Int32)})
	one := data.StructOf("R", data.Field{Name: "x", Schema: data.Of(data.Int32)})
	two := data.StructOf("R", data.Field{Name: "y", Schema: data.Of(data.Int32)})
	loop := data.StructOf("L")
	loop.Fields = []data.Field{{Name: "l", Schema: loop}}
	for name, test := range map[string]struct {
		s     *data.Schema
		value any
	}{
		"no schema": {nil, "x"}, "nil": {data.Of(data.Int32), nil}, "another type": {data.Of(data.Int32), "x"},
		"a name": {bad, data.NewStruct(bad)}, "a loop": {loop, data.NewStruct(loop)}, "a field that is nil": {one, data.NewStruct(one)},
		"two of a name": {data.StructOf("S", data.Field{Name: "a", Schema: one}, data.Field{Name: "b", Schema: two}), nil},
		"a scale":       {data.DecimalSchema(2), data.Decimal{Unscaled: big.NewInt(1), Scale: 3}},
	} {
		value := test.value
		if name == "two of a name" {
			value = data.NewStruct(test.s)
		}
		if b, err := c.Encode("t", test.s, value); !errors.Is(err, data.ErrData) {
			t.Errorf("%s: % x %v", name, b, err)
		}
	}
	if b, err := c.Encode("t", nil, nil); b != nil || err != nil {
		t.Errorf("a tombstone: % x %v", b, err)
	}
	scrub, f2 := start(t, func(c *avro.Config) { c.Scrub = true })
	value := data.NewStruct(bad)
	value.Values[0] = int32(1)
	if _, err := scrub.Encode("t", bad, value); err != nil || !strings.Contains(f2.texts[0], `"name":"b_c","namespace":"a"`) {
		t.Errorf("%v %s", err, f2.texts)
	}
	// Bytes that are cut off anywhere are no value, and no panic.
	s := envelope()
	b, err := c.Encode("t", s, change(s))
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(b) {
		if _, v, err := c.Decode("t", b[:i]); err == nil {
			t.Errorf("%d bytes are %v", i, v)
		}
	}
	for _, text := range []string{`["null","int","string"]`, `"null"`, `{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}`} {
		other, f := start(t, nil)
		f.texts = []string{text}
		if _, v, err := other.Decode("t", []byte{0, 0, 0, 0, 1, 0, 0}); !errors.Is(err, data.ErrData) {
			t.Errorf("%s: %v %v", text, v, err)
		}
	}
	_ = f
}

// TestAway: what is known goes on; other values are to be tried again, and are not left out.
func TestAway(t *testing.T) {
	c, f := start(t, nil)
	if _, err := c.Encode("t", data.Of(data.Int32), int32(1)); err != nil {
		t.Fatal(err)
	}
	f.down.Store(true)
	if _, err := c.Encode("t", data.Of(data.Int32), int32(2)); err != nil {
		t.Error(err)
	}
	if _, err := c.Encode("t", data.Of(data.Int64), int64(2)); !errors.Is(err, converter.ErrRetry) {
		t.Errorf("a new schema: %v", err)
	}
	if _, _, err := c.Decode("t", []byte{0, 0, 0, 0, 9, 0}); !errors.Is(err, converter.ErrRetry) {
		t.Errorf("a new id: %v", err)
	}
}

func TestConfig(t *testing.T) {
	if _, err := avro.New(avro.Config{}); !errors.Is(err, codec.ErrConfig) {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	c, registry := start(f, nil)
	registry.texts = []string{envelopeText}
	s := envelope()
	b, err := c.Encode("t", s, change(s))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[5:])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, v, err := c.Decode("t", append([]byte{0, 0, 0, 0, 1}, b...))
		if err == nil {
			if err := data.Validate(s, v); err != nil {
				t.Error(err)
			}
		}
	})
}
