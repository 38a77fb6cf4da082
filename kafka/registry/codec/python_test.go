package codec_test

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// TestConfluentPython: Confluent's serializers for Python read what is written here, and write what
// is read here.
func TestConfluentPython(t *testing.T) {
	folder := testenv.ConfluentPython(t)
	c, server := start(t)
	orders := must[*codec.Codec[everything]](t)(codec.Avro[everything](codec.Config{
		Registry: c, Avro: []avro.SchemaOpt{avro.WithNamespace("com.example"), codec.Enum("Colour", colour("red"), "green")},
	}))
	people := must[*codec.Codec[jsonOrder]](t)(codec.JSON[jsonOrder](codec.Config{Registry: c, Schema: client.Schema{Text: orderSchema}}))
	order := must[[]byte](t)(orders.Encode(t.Context(), "orders", sample()))
	person := must[[]byte](t)(people.Encode(t.Context(), "people", jsonOrder{"Ada", 3}))

	out := testenv.Output(t, "python3", "testdata/confluent.py", folder, server.URL, hex.EncodeToString(order), hex.EncodeToString(person))
	var got struct {
		Order      map[string]string
		Avro, JSON string
		Person     map[string]any
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]string{"text": "täxt", "total": "-123.45", "at": "2023-11-14 22:13:20.123456+00:00", "day": "2026-02-28", "colour": "red", "note": "käse", "retries": "7"} {
		if got.Order[name] != want {
			t.Errorf("%s is %q in Python, want %q", name, got.Order[name], want)
		}
	}
	if got.Person["id"] != "Ada" {
		t.Errorf("%v", got.Person)
	}
	back := must[everything](t)(orders.Decode(t.Context(), must[[]byte](t)(hex.DecodeString(got.Avro))))
	if want := sample(); back.Total.Cmp(want.Total) != 0 {
		t.Errorf("%s", back.Total)
	} else if back.Total = want.Total; !reflect.DeepEqual(back, want) {
		t.Errorf("got  %+v\nwant %+v", back, want)
	}
	if back := must[jsonOrder](t)(people.Decode(t.Context(), must[[]byte](t)(hex.DecodeString(got.JSON)))); back != (jsonOrder{"Ada", 3}) {
		t.Errorf("%+v", back)
	}
}
