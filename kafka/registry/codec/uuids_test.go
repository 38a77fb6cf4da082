package codec_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

const uuidsSchema = `{"type": "record", "name": "Order", "namespace": "shop", "fields": [
	{"name": "id", "type": [{"type": "fixed", "name": "UUID", "size": 16, "logicalType": "uuid"}, "string"]},
	{"name": "customer", "type": ["null", "UUID", "string"]},
	{"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
		{"name": "product", "type": ["shop.UUID", "string"]}, {"name": "quantity", "type": "long"}]}}},
	{"name": "note", "type": "string"},
	{"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}}]}`

type uuidsLine struct {
	Product  string `avro:"product"`
	Quantity int64  `avro:"quantity"`
}

type uuidsOrder struct {
	ID       string      `avro:"id"`
	Customer *string     `avro:"customer"`
	Lines    []uuidsLine `avro:"lines"`
	Note     string      `avro:"note"`
	At       time.Time   `avro:"at"`
}

// uuidsMethod cannot be made again, as it has a method.
type uuidsMethod uuidsOrder

func (uuidsMethod) Name() string { return "" }

// TestUUIDsInUnions: a string is the UUID of a union where it is one, else its string, however deep.
func TestUUIDsInUnions(t *testing.T) {
	const uuid = "0193a3f0-7b1c-7def-8abc-0123456789ab"
	c := newCodec[uuidsOrder](t)
	other := "65f0c0ffee65f0c0ffee65f0"
	at := time.UnixMicro(1).UTC()
	text := uuid
	size := map[string]int{}
	for name, v := range map[string]uuidsOrder{
		"uuids":   {ID: uuid, Customer: &text, Lines: []uuidsLine{{uuid, 1}, {uuid, 2}}, Note: uuid, At: at},
		"others":  {ID: other, Customer: &other, Lines: []uuidsLine{{other, 1}, {"", 2}}, At: at},
		"mixed":   {ID: uuid, Lines: []uuidsLine{{"soup", 1}, {uuid, 2}}, At: at},
		"nothing": {Lines: []uuidsLine{}, At: at},
		"capital": {ID: strings.ToUpper(uuid), Lines: []uuidsLine{}, At: at},
		"nearly":  {ID: uuid[:35] + "g", Lines: []uuidsLine{{strings.ReplaceAll(uuid, "-", ""), 1}}, At: at},
	} {
		b, err := c.Encode(t.Context(), "orders", v)
		if err != nil {
			t.Fatal(name, err)
		}
		size[name] = len(b)
		got, err := c.Decode(t.Context(), b)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: %+v became %+v, %v", name, v, got, err)
		}
		var plain uuidsOrder
		if _, err := avro.MustParse(uuidsSchema).Decode(b[5:], &plain); err != nil || !reflect.DeepEqual(plain, v) {
			t.Errorf("%s: without the codec it is %+v, %v", name, plain, err)
		}
	}
	if want := 5 + 17 + 17 + 1 + 2*(17+1) + 1 + 37 + 1; size["uuids"] != want {
		t.Errorf("%d bytes, want %d", size["uuids"], want)
	}
	b, err := newCodec[uuidsMethod](t).Encode(t.Context(), "orders", uuidsMethod{ID: uuid, Lines: []uuidsLine{}, At: at})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Decode(t.Context(), b); err != nil || got.ID != uuid {
		t.Errorf("a type with a method: %+v, %v", got, err)
	}
}

func newCodec[T any](t *testing.T) *codec.Codec[T] {
	t.Helper()
	registry, _ := start(t)
	c, err := codec.Avro[T](codec.Config{Registry: registry, Schema: client.Schema{Text: uuidsSchema}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
