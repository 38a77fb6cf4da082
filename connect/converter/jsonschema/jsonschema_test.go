package jsonschema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/converter/jsonschema"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// fake is a registry of what was registered with it, and of versions that are named.
type fake struct {
	all      []client.Schema
	subjects []string
	versions map[string]client.Schema
	down     atomic.Bool
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var id int
	path := strings.Split(r.URL.Path, "/")
	switch {
	case f.down.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
	case r.Method == http.MethodPost:
		var s client.Schema
		_ = json.NewDecoder(r.Body).Decode(&s)
		f.all, f.subjects = append(f.all, s), append(f.subjects, path[2])
		_ = json.NewEncoder(w).Encode(map[string]any{"id": len(f.all)})
	case path[1] == "subjects":
		_ = json.NewEncoder(w).Encode(client.Registered{Subject: path[2], Version: 1, ID: 99, Schema: f.versions[path[2]]})
	default:
		if _, err := fmt.Sscan(path[3], &id); err != nil || id < 1 || id > len(f.all) {
			w.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(w).Encode(map[string]any{"error_code": 40403, "message": "Schema not found"})
			return
		}
		_ = json.NewEncoder(w).Encode(f.all[id-1])
	}
}

func start(t testing.TB, change func(*jsonschema.Config)) (*jsonschema.Converter, *fake) {
	t.Helper()
	f := &fake{versions: map[string]client.Schema{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URLs: []string{server.URL}, RetryFor: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	config := jsonschema.Config{Registry: c}
	if change != nil {
		change(&config)
	}
	out, err := jsonschema.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return out, f
}

func row() *data.Schema {
	decimal, status := data.DecimalSchema(2), data.OptionalOf(data.String)
	decimal.Optional = true
	status.Default = "new"
	colour := data.Of(data.String)
	colour.Parameters = []data.Parameter{{Name: "io.confluent.connect.json.Enum"}, {Name: "io.confluent.connect.json.Enum.red", Value: "red"}, {Name: "io.confluent.connect.json.Enum.blue", Value: "blue"}}
	source := data.StructOf("Source", data.Field{Name: "lsn", Schema: data.OptionalOf(data.Int64)})
	source.Version, source.Doc = 2, "where it is \"from\""
	return data.StructOf("srv.orders.Value",
		data.Field{Name: "id", Schema: data.Of(data.Int64)}, data.Field{Name: "total", Schema: decimal},
		data.Field{Name: "at", Schema: data.Named(data.Int64, data.TimestampName)},
		data.Field{Name: "n", Schema: data.OptionalOf(data.Int16)}, data.Field{Name: "status", Schema: status},
		data.Field{Name: "raw", Schema: data.Of(data.Bytes)}, data.Field{Name: "f", Schema: data.Of(data.Float32)}, data.Field{Name: "ok", Schema: data.Of(data.Boolean)},
		data.Field{Name: "tags", Schema: &data.Schema{Type: data.Array, Value: data.OptionalOf(data.String), Optional: true}},
		data.Field{Name: "labels", Schema: &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: data.Of(data.Int32)}},
		data.Field{Name: "counts", Schema: &data.Schema{Type: data.MapType, Key: data.Of(data.Int32), Value: data.OptionalOf(data.String)}},
		data.Field{Name: "colour", Schema: colour}, data.Field{Name: "source", Schema: source.AsOptional()})
}

func sample(s *data.Schema) *data.Struct {
	source := data.NewStruct(s.Fields[12].Schema)
	source.Values[0] = int64(99)
	v := data.NewStruct(s)
	v.Values = []any{
		int64(7), data.Decimal{Unscaled: big.NewInt(-1234), Scale: 2}, time.UnixMilli(1_700_000_000_123).UTC(), int16(-3), "paid", []byte{0, 255}, float32(1.5), true,
		[]any{"a", nil}, &data.Map{Keys: []any{"x"}, Values: []any{int32(1)}}, &data.Map{Keys: []any{int32(5)}, Values: []any{nil}}, "red", source,
	}
	return v
}

const rowText = `{"type":"object","properties":{` +
	`"id":{"type":"integer","connect.type":"int64","connect.index":0},` +
	`"total":{"oneOf":[{"type":"null"},{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.parameters":{"scale":"2"}}],"connect.index":1},` +
	`"at":{"type":"integer","connect.type":"int64","title":"org.apache.kafka.connect.data.Timestamp","connect.version":1,"connect.index":2},` +
	`"n":{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int16"}],"connect.index":3},` +
	`"status":{"oneOf":[{"type":"null"},{"type":"string","default":"new"}],"connect.index":4},` +
	`"raw":{"type":"string","connect.type":"bytes","connect.index":5},` +
	`"f":{"type":"number","connect.type":"float32","connect.index":6},` +
	`"ok":{"type":"boolean","connect.index":7},` +
	`"tags":{"oneOf":[{"type":"null"},{"type":"array","items":{"oneOf":[{"type":"null"},{"type":"string"}]}}],"connect.index":8},` +
	`"labels":{"type":"object","connect.type":"map","additionalProperties":{"type":"integer","connect.type":"int32"},"connect.index":9},` +
	`"counts":{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer","connect.type":"int32","connect.index":0},"value":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":1}}},"connect.index":10},` +
	`"colour":{"enum":["red","blue"],"connect.index":11},` +
	`"source":{"oneOf":[{"type":"null"},{"type":"object","properties":{"lsn":{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int64"}],"connect.index":0}},"title":"Source","description":"where it is \"from\"","connect.version":2}],"connect.index":12}` +
	`},"title":"srv.orders.Value"}`

// TestRoundTrip: schema and bytes have Confluent's form, and both come back as they were.
func TestRoundTrip(t *testing.T) {
	c, f := start(t, nil)
	s := row()
	b, err := c.Encode("orders", s, sample(s))
	if err != nil {
		t.Fatal(err)
	}
	if got := f.all[0]; got.Text != rowText || got.Type != client.JSON || f.subjects[0] != "orders-value" {
		t.Errorf("%s %s under %s\nwant %s", got.Type, got.Text, f.subjects[0], rowText)
	}
	want := "\x00\x00\x00\x00\x01" + `{"id":7,"total":"+y4=","at":1700000000123,"n":-3,"status":"paid","raw":"AP8=","f":1.5,"ok":true,"tags":["a",null],"labels":{"x":1},"counts":[{"key":5,"value":null}],"colour":"red","source":{"lsn":99}}`
	if string(b) != want {
		t.Errorf("got  %q\nwant %q", b, want)
	}
	schema, v, err := c.Decode("orders", b)
	if err != nil {
		t.Fatal(err)
	}
	if !schema.Equal(s) {
		t.Errorf("the schema is\n%+v, want\n%+v", schema, s)
	}
	if again, err := c.Encode("orders", schema, v); err != nil || string(again) != want {
		t.Errorf("again %q, %v", again, err)
	}
	if again, _, _ := c.Decode("orders", b); again != schema {
		t.Error("another schema for the same id")
	}
}

func TestOptions(t *testing.T) {
	c, f := start(t, func(c *jsonschema.Config) { c.Closed, c.NumericDecimals, c.Key = true, true, true })
	s := data.StructOf("R", data.Field{Name: "d", Schema: data.DecimalSchema(1)})
	v := data.NewStruct(s)
	v.Values[0] = data.Decimal{Unscaled: big.NewInt(25), Scale: 1}
	b, err := c.Encode("t", s, v)
	if err != nil || string(b[5:]) != `{"d":2.5}` || f.subjects[0] != "t-key" || !strings.Contains(f.all[0].Text, `"additionalProperties":false`) {
		t.Errorf("%q %v %v", b, f.all, err)
	}
	if _, v, err := c.Decode("t", b); err != nil || v.(*data.Struct).Values[0].(data.Decimal).String() != "2.5" {
		t.Errorf("%v %v", v, err)
	}
	loose, f := start(t, func(c *jsonschema.Config) { c.OptionalUnlessRequired = true })
	f.all = []client.Schema{{Type: client.JSON, Text: `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"]}`}}
	schema, v2, err := loose.Decode("t", []byte("\x00\x00\x00\x00\x01{\"a\":1}"))
	if err != nil || schema.Fields[0].Schema.Optional || !schema.Fields[1].Schema.Optional || v2.(*data.Struct).Values[1] != nil {
		t.Errorf("%+v %v %v", schema, v2, err)
	}
}

func TestNulls(t *testing.T) {
	c, _ := start(t, nil)
	if b, err := c.Encode("t", nil, nil); b != nil || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if s, v, err := c.Decode("t", nil); s != nil || v != nil || err != nil {
		t.Errorf("%v %v %v", s, v, err)
	}
	b, err := c.Encode("t", data.OptionalOf(data.String), nil)
	if err != nil || string(b) != "\x00\x00\x00\x00\x01null" {
		t.Errorf("%q %v", b, err)
	}
	if s, v, err := c.Decode("t", b); err != nil || v != nil || !s.Optional || s.Type != data.String {
		t.Errorf("%+v %v %v", s, v, err)
	}
	for name, err := range map[string]error{
		"no schema":      last(c.Encode("t", nil, "x")),
		"null, required": last(c.Encode("t", data.Of(data.String), nil)),
	} {
		if !errors.Is(err, data.ErrData) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func last[T any](_ T, err error) error { return err }

// TestOthersSchemas are what people write.
func TestOthersSchemas(t *testing.T) {
	c, f := start(t, nil)
	f.versions["money"] = client.Schema{Type: client.JSON, Text: `{"definitions":{"cents":{"type":"integer"}}}`}
	for _, test := range []struct{ schema, value, want string }{
		{`{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"number","connect.index":0},"c":{"$ref":"#/definitions/c"}},"definitions":{"c":{"type":["null","boolean"]}}}`, `{"a":1,"b":2}`, "{b:2 a:1 c:<nil>}"},
		{`{"oneOf":[{"type":"string"},{"type":"integer"},{"type":"object","properties":{"x":{"type":"string"}}}]}`, `5`, "{0:<nil> 1:5 2:<nil>}"},
		{`{"anyOf":[{"type":"null"},{"type":"string"},{"type":"object","properties":{"x":{"type":"string"}}}]}`, `{"x":"y"}`, "{0:<nil> 1:{x:y}}"},
		{`{"allOf":[{"type":"string"},{"enum":["a","b"]}]}`, `"b"`, "b"},
		{`{"const":"x"}`, `"x"`, "x"},
		{`{"$ref":"money.json#/definitions/cents"}`, `12`, "12"},
		{`{"type":"array","items":{"type":"string","default":"d"}}`, `["a",null]`, "[a d]"},
	} {
		f.all = append(f.all, client.Schema{Type: client.JSON, Text: test.schema, References: []client.Reference{{Name: "money.json", Subject: "money", Version: 1}}})
		_, v, err := c.Decode("t", append([]byte{0, 0, 0, 0, byte(len(f.all))}, test.value...))
		if got := show(v); err != nil || got != test.want {
			t.Errorf("%s: %s, want %s (%v)", test.schema, got, test.want, err)
		}
	}
}

// show a value without the names of choices.
func show(v any) string {
	s, ok := v.(*data.Struct)
	if !ok {
		return fmt.Sprint(v)
	}
	var parts []string
	for i, f := range s.Schema.Fields {
		parts = append(parts, strings.TrimPrefix(f.Name, converter.OneOf+".field.")+":"+show(s.Values[i]))
	}
	return "{" + strings.Join(parts, " ") + "}"
}

func TestBad(t *testing.T) {
	c, f := start(t, nil)
	laughs := `{"definitions":{"0":{"type":"string"}`
	for i := range 30 {
		laughs += fmt.Sprintf(`,"%d":{"type":"object","properties":{"a":{"$ref":"#/definitions/%d"},"b":{"$ref":"#/definitions/%d"}}}`, i+1, i, i)
	}
	for says, text := range map[string]string{
		"cannot be converted": "{", "no object": "[]", "no type": `{"type":"null"}`, "leads nowhere": `{"$ref":"#/x"}`, "leads to no reference": `{"$ref":"other.json"}`,
		"refers to itself":     `{"type":"object","properties":{"next":{"oneOf":[{"type":"null"},{"$ref":"#"}]}}}`,
		"too many parts":       laughs + `},"$ref":"#/definitions/30"}`,
		"nested more than":     strings.Repeat(`{"type":"array","items":`, 200) + `{"type":"string"}` + strings.Repeat("}", 200),
		"more than 1000 times": `{"title":` + strings.Repeat("[", 1<<20-10),
		"more than 1048576":    `{"title":"` + strings.Repeat("x", 1<<20) + `"}`,
		`no "items"`:           `{"type":"array"}`,
		"it is AVRO":           "avro",
		"its default":          `{"type":"integer","default":"x"}`,
		"connect.type":         `{"type":"integer","connect.type":"int9"}`,
		"have no key and":      `{"type":"array","connect.type":"map","items":{"type":"object"}}`,
		"an allOf in it names": `{"allOf":[{}]}`,
	} {
		s := client.Schema{Type: client.JSON, Text: text}
		if text == "avro" {
			s = client.Schema{Text: `"int"`}
		}
		f.all = append(f.all, s)
		if _, v, err := c.Decode("t", []byte{0, 0, 0, 0, byte(len(f.all)), '1'}); !errors.Is(err, codec.ErrSchema) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v %v, want %s", v, err, says)
		}
	}
	f.all = append(f.all, client.Schema{Type: client.JSON, Text: `{"type":"object","properties":{"a":{"type":"integer","connect.type":"int8"}}}`})
	head := "\x00\x00\x00\x00" + string(rune(len(f.all)))
	for _, b := range []string{"", "{}", head[:3], head, head + "{", head + "{}", head + `{"a":300}`, head + `{"a":1}{}`, head + "[]", head + `{"a":"1"}`, head + "null", head + strings.Repeat("[", 100_000)} {
		if _, v, err := c.Decode("t", []byte(b)); err == nil {
			t.Errorf("%.20q is %v", b, v)
		}
	}
	if _, _, err := c.Decode("t", []byte("\x00\x00\x00\x00\x63{}")); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
	f.down.Store(true)
	if _, err := c.Encode("new", data.Of(data.String), "x"); !errors.Is(err, converter.ErrRetry) {
		t.Errorf("without the registry: %v", err)
	}
	if _, _, err := c.Decode("t", []byte("\x00\x00\x00\x00\x62{}")); !errors.Is(err, converter.ErrRetry) {
		t.Errorf("without the registry: %v", err)
	}
	if _, err := jsonschema.New(jsonschema.Config{}); !errors.Is(err, codec.ErrConfig) {
		t.Error(err)
	}
}
