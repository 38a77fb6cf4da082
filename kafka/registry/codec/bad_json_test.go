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

// TestBadJSONRecords is TestBadRecords for JSON.
func TestBadJSONRecords(t *testing.T) {
	loop := []client.Reference{{Name: "r", Subject: "s", Version: 1}}
	of := func(text string) client.Schema { return client.Schema{Type: client.JSON, Text: text} }
	c := fake(t, map[int]client.Schema{
		1: of(orderSchema), 2: {Text: `"int"`}, 3: of(strings.Repeat(`{"not":`, 5000) + "{}" + strings.Repeat("}", 5000)), 4: of(`{"title":"` + strings.Repeat("x", 2<<20) + `"}`),
		5: of(`{"anyOf":[` + strings.Repeat("{},", 300) + "{}]}"), 6: {Type: client.JSON, Text: "{}", References: loop}, 7: of("{"), 8: of(`{"type":7}`), 9: of(`{"$ref":"#/nowhere"}`),
		10: of(`{"type":"array","items":{"$ref":"#"}}`), 11: of(`{"$ref":"file:///etc/hostname"}`), 12: of(`{"$ref":"http://127.0.0.1:1/x"}`), 13: of(`{"$ref":"#"}`),
	}, client.Registered{Subject: "s", Version: 1, ID: 6, Schema: client.Schema{Type: client.JSON, Text: "{}", References: loop}})
	orders := must[*codec.Codec[any]](t)(codec.JSON[any](codec.Config{Registry: c, MaxBytes: 1 << 20}))
	whole := "\x00\x00\x00\x00\x01" + `{"id":"a"}`
	must[any](t)(orders.Decode(t.Context(), []byte(whole)))
	for name, test := range map[string]struct {
		b    string
		kind error
		says string
	}{
		"nothing":               {"", codec.ErrFormat, "tombstone"},
		"another magic byte":    {`{"id":"a"}`, codec.ErrFormat, "'{'"},
		"a part of the id":      {whole[:3], codec.ErrFormat, "cut off after 3 bytes"},
		"no value":              {whole[:5], codec.ErrFormat, "id 1"},
		"a part of it":          {whole[:9], codec.ErrFormat, "id 1"},
		"more than it":          {whole + "x", codec.ErrFormat, "id 1"},
		"not what it says":      {whole[:5] + `{"id":""}`, codec.ErrFormat, "/id"},
		"an unknown id":         {"\x00\x00\x00\x00\x63{}", client.ErrNotFound, "99"},
		"another format":        {"\x00\x00\x00\x00\x02\x02", codec.ErrSchema, "it is AVRO"},
		"a deep schema":         {"\x00\x00\x00\x00\x03{}", codec.ErrSchema, "deeper than 100"},
		"a large schema":        {"\x00\x00\x00\x00\x04{}", codec.ErrSchema, "more than"},
		"a wide choice":         {"\x00\x00\x00\x00\x05{}", codec.ErrSchema, "branches"},
		"references go round":   {"\x00\x00\x00\x00\x06{}", codec.ErrSchema, "go round"},
		"half a schema":         {"\x00\x00\x00\x00\x07{}", codec.ErrSchema, "id 7"},
		"no schema":             {"\x00\x00\x00\x00\x08{}", codec.ErrSchema, "id 8"},
		"a $ref to nothing":     {"\x00\x00\x00\x00\x09{}", codec.ErrSchema, "id 9"},
		"a file":                {"\x00\x00\x00\x00\x0b{}", codec.ErrSchema, "id 11"},
		"an address":            {"\x00\x00\x00\x00\x0c{}", codec.ErrSchema, "id 12"},
		"a value too deep":      {"\x00\x00\x00\x00\x0a" + strings.Repeat("[", 1<<19) + strings.Repeat("]", 1<<19-5), codec.ErrFormat, "id 10"},
		"a long one":            {whole + strings.Repeat(" ", 1<<20), codec.ErrFormat, "more than 1048576"},
		"a $ref only to itself": {"\x00\x00\x00\x00\x0d{}", nil, ""},
	} {
		_, err := orders.Decode(t.Context(), []byte(test.b))
		if test.kind == nil {
			continue // an answer is enough
		}
		if !errors.Is(err, test.kind) || !strings.Contains(fmt.Sprint(err), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestJSONRegistryDown is TestRegistryDown for JSON.
func TestJSONRegistryDown(t *testing.T) {
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(client.Registered{Subject: "s", Version: 1, ID: 1, Schema: client.Schema{Type: client.JSON, Text: orderSchema}})
	}))
	defer server.Close()
	orders := must[*codec.Codec[jsonOrder]](t)(codec.JSON[jsonOrder](codec.Config{Registry: connect(t, server.URL), Schema: client.Schema{Text: orderSchema}}))
	b := must[[]byte](t)(orders.Encode(t.Context(), "known", jsonOrder{ID: "a"}))
	down.Store(true)
	must[[]byte](t)(orders.Encode(t.Context(), "known", jsonOrder{ID: "b"}))
	must[jsonOrder](t)(orders.Decode(t.Context(), b))
	other := append([]byte{0, 0, 0, 0, 2}, b[5:]...)
	if _, err := orders.Decode(t.Context(), other); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("a new id: %v", err)
	}
	if _, err := orders.Encode(t.Context(), "new", jsonOrder{ID: "a"}); !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("a new topic: %v", err)
	}
	down.Store(false)
	must[jsonOrder](t)(orders.Decode(t.Context(), other))
	must[[]byte](t)(orders.Encode(t.Context(), "new", jsonOrder{ID: "a"}))
}
