package registry_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/record"
	"github.com/pabal-dev/pabal/console/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
)

const anOrder = `{"type":"record","name":"com.example.Order","fields":[
	{"name":"id","type":"string"},{"name":"note","type":["null","string"],"default":null},
	{"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
	{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"day","type":{"type":"int","logicalType":"date"}},
	{"name":"raw","type":"bytes"},{"name":"part","type":["null","Order"],"default":null}]}`

// TestDecode: what was written with a schema is shown as JSON, in the order of its fields.
func TestDecode(t *testing.T) {
	e := newEnv(t)
	e.register("other-value", client.Schema{Text: anOrder})
	id := e.register("orders-value", client.Schema{Text: anOrder})
	tenant, err := registry.NewDecoder(registry.Patient(registry.Config{URL: e.url, Prefix: "shop."}))
	if err != nil {
		t.Fatal(err)
	}
	checked := e.register("checked-value", client.Schema{Type: client.JSON, Text: `{"type":"object","properties":{"n":{"type":"integer"}}}`})
	order := "\x02a" + "\x00" + "\x04\x04\xd2" + "\x02" + "\x02" + "\x04\x01\xff" + "\x02" + "\x02b" + "\x02\x02x" + "\x02\x00" + "\x00" + "\x00" + "\x00" + "\x00"
	d := e.shown(e.decoder, "orders", wire(id, order))
	want := `{"id":"a","note":null,"total":"12.34","at":"1970-01-01T00:00:00.001Z","day":"1970-01-02","raw":"Af8=",` +
		`"part":{"id":"b","note":"x","total":"0.00","at":"1970-01-01T00:00:00Z","day":"1970-01-01","raw":"","part":null}}`
	if d.Format != "json" || d.Text != want || d.Schema == nil || *d.Schema != (api.DataSchema{ID: int64(id), Type: "AVRO", Subject: "orders-value", Version: 1}) {
		t.Errorf("%+v %+v", d, d.Schema)
	}
	if d = e.shown(tenant, "shop.orders", wire(id, order)); d.Schema.Subject != "orders-value" {
		t.Errorf("%+v", d.Schema)
	}
	d = e.shown(e.decoder, "checked", wire(checked, `{"n": 1}`))
	if d.Format != "json" || d.Text != `{"n": 1}` || d.Schema.Problem != "" || d.Schema.Type != "JSON" {
		t.Errorf("%+v %+v", d, d.Schema)
	}
	d = e.shown(e.decoder, "checked", wire(checked, `{"n": "x"}`))
	if d.Format != "json" || d.Text != `{"n": "x"}` || !strings.Contains(d.Schema.Problem, "not what its schema says") {
		t.Errorf("%+v %+v", d, d.Schema)
	}
}

// TestDecodeBad: bytes that are not what they seem stay bytes, with the reason.
func TestDecodeBad(t *testing.T) {
	e := newEnv(t)
	id := e.register("orders-value", client.Schema{Text: anOrder})
	node := e.register("nodes-value", client.Schema{Text: `{"type":"record","name":"node","fields":[{"name":"next","type":["null","node"]}]}`})
	wide := e.register("wide-value", client.Schema{Text: fmt.Sprintf(`{"type":"array","items":{"type":"record","name":"r","fields":[{"name":%q,"type":"boolean"}]}}`, strings.Repeat("x", 1000))})
	many := binary.AppendVarint(nil, 10_000)
	for name, c := range map[string]struct{ b, says string }{
		"an unknown id":     {"\x00\x00\x00\x00\x63\x02", "no schema with the id 99"},
		"the highest id":    {"\x00\xff\xff\xff\xff\x02", "4294967295"},
		"cut off":           {string(wire(id, "\x02")), "not what its schema says"},
		"nothing behind it": {string(wire(id, "")), "not what its schema says"},
		"long":              {string(wire(id, strings.Repeat("x", 600<<10))), "are not decoded"},
		"deep":              {string(wire(node, strings.Repeat("\x02", 300)+"\x00")), "nested deeper than 200"},
		"very deep":         {string(wire(node, strings.Repeat("\x02", 400_000)+"\x00")), "not what its schema says"},
		"wide":              {string(wire(wide, string(many)+strings.Repeat("\x01", 10_000)+"\x00")), "bytes of JSON"},
	} {
		d := e.shown(e.decoder, "orders", []byte(c.b))
		if d.Format != "binary" || len(d.Base64) != len(c.b) || d.Schema == nil || !strings.Contains(d.Schema.Problem, c.says) {
			t.Errorf("%s: %s %d %+v", name, d.Format, len(d.Base64), d.Schema)
		}
	}
	for name, b := range map[string]string{"text": "abc", "a long": "\x00\x00\x00\x00\x00\x00\x00\x07", "short": "\x00\x01", "nothing": ""} {
		if d := e.shown(e.decoder, "orders", []byte(b)); d.Schema != nil {
			t.Errorf("%s: %+v", name, d.Schema)
		}
	}
	before := e.asked.Load()
	for i := range 200 {
		e.shown(e.decoder, "orders", []byte{0, 9, 9, 9, byte(i)})
	}
	if n := e.asked.Load() - before; n > 60 {
		t.Errorf("%d questions for bytes that only seem to have schemas", n)
	}
}

// TestDecodeWithoutRegistry: known schemas go on, and others say why there are none.
func TestDecodeWithoutRegistry(t *testing.T) {
	e := newEnv(t)
	id, other := e.register("a-value", client.Schema{Text: `"string"`}), e.register("b-value", client.Schema{Text: `"int"`})
	if d := e.shown(e.decoder, "a", wire(id, "\x02x")); d.Text != `"x"` {
		t.Fatalf("%+v %+v", d, d.Schema)
	}
	e.down.Store(true)
	if d := e.shown(e.decoder, "a", wire(id, "\x02y")); d.Text != `"y"` || d.Schema.Subject != "a-value" {
		t.Errorf("%+v %+v", d, d.Schema)
	}
	before := e.asked.Load()
	for range 20 {
		if d := e.shown(e.decoder, "b", wire(other, "\x02")); d.Format != "binary" || !strings.Contains(d.Schema.Problem, "could not be asked for") {
			t.Errorf("%+v %+v", d, d.Schema)
		}
	}
	if n := e.asked.Load() - before; n > 15 {
		t.Errorf("a registry that is away was asked %d times for a page", n)
	}
	nobody, err := registry.NewDecoder(registry.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if d := e.shown(nobody, "a", wire(id, "\x02x")); d.Format != "binary" || !strings.Contains(d.Schema.Problem, "--registry-url") {
		t.Errorf("%+v %+v", d, d.Schema)
	}
	for _, url := range []string{"127.0.0.1:8081", "http://", "http://u:p@h", "ftp://h", "http://h?x=1"} {
		if _, err := registry.NewDecoder(registry.Config{URL: url}); err == nil {
			t.Errorf("%s is taken", url)
		}
	}
}

// TestDecodeCancelled: that one user goes away is not that the registry is.
func TestDecodeCancelled(t *testing.T) {
	e := newEnv(t)
	id := e.register("a-value", client.Schema{Text: `"string"`})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	m := record.DecodeWith(gone, e.decoder, &kgo.Record{Topic: "a", Value: wire(id, "\x02x")})
	if m.Value.Format != "binary" || !strings.Contains(m.Value.Schema.Problem, "could not be asked for") || e.decoder.Away() != nil {
		t.Errorf("%+v %+v %v", m.Value, m.Value.Schema, e.decoder.Away())
	}
	if d := e.shown(e.decoder, "a", wire(id, "\x02x")); d.Text != `"x"` {
		t.Errorf("%+v %+v", d, d.Schema)
	}
}

// FuzzDecode: no bytes make it panic.
func FuzzDecode(f *testing.F) {
	s := avro.MustParse(anOrder)
	b, err := s.Encode(map[string]any{"id": "a", "note": nil, "total": nil, "at": 0, "day": 0, "raw": []byte{}, "part": nil})
	if err == nil {
		f.Add(b)
	}
	f.Add([]byte("\x02a\x00\x04\x04\xd2\x02\x02\x04\x01\xff\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = registry.TextOf(s, b)
	})
}
