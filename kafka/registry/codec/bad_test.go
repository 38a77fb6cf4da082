package codec_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// fake is a registry that says anything: schemas by ids, and one by any subject and version.
func fake(t testing.TB, byID map[int]client.Schema, version client.Registered) *client.Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var id int
		answer := any(version)
		if _, err := fmt.Sscanf(r.URL.Path, "/schemas/ids/%d", &id); err == nil {
			s, ok := byID[id]
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				answer = map[string]any{"error_code": 40403, "message": "Schema not found"}
			} else {
				answer = s
			}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return connect(t, server.URL)
}

const aLine = `{"type":"record","name":"line","fields":[{"name":"sku","type":"string"},{"name":"n","type":"int"}]}`

func TestBadRecords(t *testing.T) {
	loop := []client.Reference{{Name: "r", Subject: "s", Version: 1}}
	wide := `["null"` + strings.Repeat(`,{"type":"fixed","size":1,"name":"f%d"}`, 300) + `]`
	for i := range 300 {
		wide = strings.Replace(wide, "%d", fmt.Sprint(i), 1)
	}
	c := fake(t, map[int]client.Schema{
		1: {Text: aLine}, 2: {Type: client.JSON, Text: "{}"}, 3: {Text: deep(5000)}, 4: {Text: `"` + strings.Repeat("x", 2<<20) + `"`},
		5: {Text: wide}, 6: {Text: `"int"`, References: loop}, 7: {Text: "{"}, 8: {Text: "\x00"}, 9: {Text: `"long"`},
		10: {Text: `{"type":"record","name":"node","fields":[{"name":"next","type":["null","node"]}]}`},
		11: {Text: `{"type":"array","items":"null"}`},
	}, client.Registered{Subject: "s", Version: 1, ID: 6, Schema: client.Schema{Text: `"int"`, References: loop}})
	lines := must[*codec.Codec[line]](t)(codec.Avro[line](codec.Config{Registry: c, MaxBytes: 1 << 20}))
	whole := "\x00\x00\x00\x00\x01\x02a\x02"
	if got := must[line](t)(lines.Decode(t.Context(), []byte(whole))); got != (line{"a", 1}) {
		t.Fatalf("%+v", got)
	}
	for name, test := range map[string]struct {
		b    string
		kind error
		says string
	}{
		"nothing":             {"", codec.ErrFormat, "tombstone"},
		"another magic byte":  {`{"sku":"a"}`, codec.ErrFormat, "'{'"},
		"a part of the id":    {whole[:3], codec.ErrFormat, "cut off after 3 bytes"},
		"no value":            {whole[:5], codec.ErrFormat, "id 1"},
		"a part of it":        {whole[:7], codec.ErrFormat, "cut off"},
		"more than it":        {whole + "x", codec.ErrFormat, "1 bytes are behind"},
		"an unknown id":       {"\x00\x00\x00\x00\x63\x02", client.ErrNotFound, "99"},
		"the highest id":      {"\x00\xff\xff\xff\xff\x02", client.ErrNotFound, "4294967295"},
		"another format":      {"\x00\x00\x00\x00\x02{}", codec.ErrSchema, "it is JSON"},
		"a deep schema":       {"\x00\x00\x00\x00\x03\x00", codec.ErrSchema, "deeper than 100"},
		"a large schema":      {"\x00\x00\x00\x00\x04\x00", codec.ErrSchema, "more than"},
		"a wide union":        {"\x00\x00\x00\x00\x05\x00", codec.ErrSchema, "branches"},
		"references go round": {"\x00\x00\x00\x00\x06\x00", codec.ErrSchema, "go round"},
		"half a schema":       {"\x00\x00\x00\x00\x07\x00", codec.ErrSchema, "id 7"},
		"no schema":           {"\x00\x00\x00\x00\x08\x00", codec.ErrSchema, "id 8"},
		"another type":        {"\x00\x00\x00\x00\x09\x02", codec.ErrFormat, "cannot be read with the one here"},
		"a long one":          {whole + strings.Repeat("x", 1<<20), codec.ErrFormat, "more than 1048576"},
		"a length below zero": {"\x00\x00\x00\x00\x01\x01", codec.ErrFormat, "id 1"},
		"a length of 2^62":    {"\x00\x00\x00\x00\x01\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", codec.ErrFormat, "id 1"},
	} {
		_, err := lines.Decode(t.Context(), []byte(test.b))
		if !errors.Is(err, test.kind) || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	anything := must[*codec.Codec[any]](t)(codec.Avro[any](codec.Config{Registry: c}))
	for name, b := range map[string]string{
		"a value nested a million deep": "\x00\x00\x00\x00\x0a" + strings.Repeat("\x02", 1<<20),
		"2^40 nulls in six bytes":       "\x00\x00\x00\x00\x0b\x80\x80\x80\x80\x80\x40\x00",
	} {
		if _, err := anything.Decode(t.Context(), []byte(b)); !errors.Is(err, codec.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRegistryDown: what is known goes on, what is not says so, and is asked for again afterwards.
func TestRegistryDown(t *testing.T) {
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(client.Registered{Subject: "s", Version: 1, ID: 1, Schema: client.Schema{Text: aLine}})
	}))
	defer server.Close()
	lines := must[*codec.Codec[line]](t)(codec.Avro[line](codec.Config{Registry: connect(t, server.URL)}))
	b := must[[]byte](t)(lines.Encode(t.Context(), "known", line{"a", 1}))
	down.Store(true)
	must[[]byte](t)(lines.Encode(t.Context(), "known", line{"b", 2}))
	must[line](t)(lines.Decode(t.Context(), b))
	other := append([]byte{0, 0, 0, 0, 2}, b[5:]...)
	if _, err := lines.Decode(t.Context(), other); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("a new id: %v", err)
	}
	if _, err := lines.Encode(t.Context(), "new", line{}); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("a new topic: %v", err)
	}
	down.Store(false)
	must[line](t)(lines.Decode(t.Context(), other))
	must[[]byte](t)(lines.Encode(t.Context(), "new", line{}))
}

func FuzzTypedValue(f *testing.F) {
	c := fake(f, map[int]client.Schema{
		1: {Text: aLine},
		2: {Text: `{"type":"record","name":"node","fields":[{"name":"next","type":["null","node"]},{"name":"all","type":{"type":"map","values":{"type":"array","items":["null","bytes","double"]}}}]}`},
	}, client.Registered{})
	f.Add([]byte("\x00\x00\x00\x00\x01\x02a\x02"))
	f.Add([]byte("\x00\x00\x00\x00\x02\x02\x00\x00\x00"))
	lines, err := codec.Avro[line](codec.Config{Registry: c})
	if err != nil {
		f.Fatal(err)
	}
	anything, err := codec.Avro[any](codec.Config{Registry: c})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 && b[4] > 2 {
			b[4] %= 3 // ids that are there
		}
		if v, err := lines.Decode(t.Context(), b); err != nil && v != (line{}) {
			t.Errorf("%+v with %v", v, err)
		}
		if v, err := anything.Decode(t.Context(), b); err != nil && v != nil {
			t.Errorf("%+v with %v", v, err)
		}
	})
}
