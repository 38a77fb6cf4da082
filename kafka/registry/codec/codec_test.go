package codec_test

import (
	"bytes"
	"errors"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// start a registry; the server can be stopped.
func start(t testing.TB) (*client.Client, *httptest.Server) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	r, err := registry.Open(t.Context(), registry.Config{Kafka: kafkatest.Start(t).Config, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	server := httptest.NewServer(r.Handler())
	t.Cleanup(server.Close)
	return connect(t, server.URL), server
}

func connect(t testing.TB, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URLs: []string{url}, RetryFor: -1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

type colour string

type line struct {
	SKU string `avro:"sku"`
	N   int32  `avro:"n"`
}

type everything struct {
	ID      [16]byte          `avro:"id,uuid"`
	Text    string            `avro:"text"`
	Total   *big.Rat          `avro:"total,decimal(10,2)"`
	At      time.Time         `avro:"at,timestamp-micros"`
	Day     time.Time         `avro:"day,date"`
	Colour  colour            `avro:"colour"`
	Note    *string           `avro:"note"`
	Lines   []line            `avro:"lines"`
	Labels  map[string]string `avro:"labels"`
	Raw     []byte            `avro:"raw"`
	Ratio   float64           `avro:"ratio"`
	Retries int32             `avro:"retries,default=3"`
}

func sample() everything {
	note := "käse"
	return everything{
		ID: [16]byte{1, 2, 15: 9}, Text: "täxt", Total: big.NewRat(-12345, 100), At: time.UnixMicro(1_700_000_000_123_456).UTC(),
		Day: time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC), Colour: "red", Note: &note, Lines: []line{{"a", 1}, {"b", -2}},
		Labels: map[string]string{"x": "y"}, Raw: []byte{0, 255}, Ratio: 0.1, Retries: 7,
	}
}

func TestAvroStruct(t *testing.T) {
	c, _ := start(t)
	cd := must[*codec.Codec[everything]](t)(codec.Avro[everything](codec.Config{
		Registry: c, Avro: []avro.SchemaOpt{avro.WithNamespace("com.example"), codec.Enum("Colour", colour("red"), "green")},
	}))
	for _, part := range []string{`"logicalType":"timestamp-micros"`, `"precision":10`, `"uuid"`, `"symbols":["red","green"]`, `"default":3`, `"com.example"`, `["null","string"]`} {
		if text := strings.ReplaceAll(cd.Schema().Text, " ", ""); !strings.Contains(text, part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
	for _, v := range []everything{sample(), {Total: new(big.Rat), Colour: "green", At: time.UnixMicro(0).UTC(), Day: time.Unix(0, 0).UTC(), Lines: []line{}, Labels: map[string]string{}, Raw: []byte{}}} {
		b := must[[]byte](t)(cd.Encode(t.Context(), "orders", v))
		if b[0] != 0 || !bytes.Equal(b[1:5], []byte{0, 0, 0, 1}) {
			t.Errorf("% x", b[:5])
		}
		got := must[everything](t)(cd.Decode(t.Context(), b))
		if got.Total.Cmp(v.Total) == 0 {
			got.Total = v.Total
		}
		if !reflect.DeepEqual(got, v) {
			t.Errorf("got  %+v\nwant %+v", got, v)
		}
	}
	wrong := sample()
	wrong.Colour = "blue"
	before := []byte("before")
	got, err := cd.AppendEncode(t.Context(), before, "orders", wrong)
	if !errors.Is(err, codec.ErrValue) || !strings.Contains(err.Error(), "blue") || string(got) != "before" {
		t.Errorf("%q, %v", got, err)
	}
	// Without a schema of one's own, data is what it was written as.
	generic := must[*codec.Codec[any]](t)(codec.Avro[any](codec.Config{Registry: c}))
	b := must[[]byte](t)(cd.Encode(t.Context(), "orders", sample()))
	v := must[any](t)(generic.Decode(t.Context(), b))
	if m, ok := v.(map[string]any); !ok || m["text"] != "täxt" || m["colour"] != "red" || m["note"] != "käse" {
		t.Errorf("%#v", v)
	}
	if again := must[[]byte](t)(generic.Encode(t.Context(), "orders", v)); !bytes.Equal(again, b) {
		t.Errorf("\n% x\n% x", again, b)
	}
}

func TestEvolution(t *testing.T) {
	type v1 struct {
		ID    string `avro:"id"`
		Gone  string `avro:"gone,default=g"`
		Cents int32  `avro:"cents"`
	}
	type v2 struct {
		ID     string `avro:"id"`
		Amount int64  `avro:"amount,alias=cents"`
		Extra  string `avro:"extra,default=none"`
	}
	type broken struct {
		ID  string `avro:"id"`
		New int64  `avro:"new"`
	}
	c, _ := start(t)
	named := []avro.SchemaOpt{avro.WithName("Order")}
	old := must[*codec.Codec[v1]](t)(codec.Avro[v1](codec.Config{Registry: c, Avro: named}))
	b := must[[]byte](t)(old.Encode(t.Context(), "orders", v1{"a", "x", 42}))
	fresh := must[*codec.Codec[v2]](t)(codec.Avro[v2](codec.Config{Registry: c, Avro: named}))
	if got := must[v2](t)(fresh.Decode(t.Context(), b)); got != (v2{"a", 42, "none"}) {
		t.Errorf("new reads old: %+v", got)
	}
	must[[]byte](t)(fresh.Encode(t.Context(), "orders", v2{"b", 7, "e"}))

	bad := must[*codec.Codec[broken]](t)(codec.Avro[broken](codec.Config{Registry: c, Avro: named}))
	if _, err := bad.Encode(t.Context(), "orders", broken{"c", 1}); !errors.Is(err, client.ErrIncompatible) {
		t.Errorf("a breaking change: %v", err)
	}
	if _, err := bad.Decode(t.Context(), b); !errors.Is(err, codec.ErrFormat) || !strings.Contains(err.Error(), "new") {
		t.Errorf("a schema that does not fit: %v", err)
	}
}

func TestUse(t *testing.T) {
	c, _ := start(t)
	type order struct {
		ID string `avro:"id"`
	}
	look := must[*codec.Codec[order]](t)(codec.Avro[order](codec.Config{Registry: c, Use: codec.Lookup}))
	if _, err := look.Encode(t.Context(), "orders", order{"a"}); !errors.Is(err, client.ErrNotFound) {
		t.Errorf("not registered: %v", err)
	}
	must[int](t)(c.Register(t.Context(), "orders-value", look.Schema()))
	must[[]byte](t)(look.Encode(t.Context(), "orders", order{"a"}))

	more := `{"type":"record","name":"order","fields":[{"name":"id","type":"string"},{"name":"n","type":"int","default":5}]}`
	id := must[int](t)(c.Register(t.Context(), "orders-value", client.Schema{Text: more}))
	latest := must[*codec.Codec[map[string]any]](t)(codec.Avro[map[string]any](codec.Config{Registry: c}))
	b := must[[]byte](t)(latest.Encode(t.Context(), "orders", map[string]any{"id": "a"}))
	if got, _, err := codec.ID(b); got != id || err != nil {
		t.Errorf("id %d, want %d: %v", got, id, err)
	}
	if got := must[map[string]any](t)(latest.Decode(t.Context(), b)); got["n"] != int32(5) {
		t.Errorf("%v", got)
	}
}

func TestReferences(t *testing.T) {
	c, _ := start(t)
	must[int](t)(c.Register(t.Context(), "money", client.Schema{Text: `{"type":"record","name":"Money","namespace":"m","fields":[{"name":"cents","type":"long"}]}`}))
	must[int](t)(c.Register(t.Context(), "orders-value", client.Schema{
		Text:       `{"type":"record","name":"Order","fields":[{"name":"total","type":"m.Money"},{"name":"tip","type":["null","m.Money"]}]}`,
		References: []client.Reference{{Name: "m.Money", Subject: "money", Version: 1}},
	}))
	type money struct {
		Cents int64 `avro:"cents"`
	}
	type order struct {
		Total money  `avro:"total"`
		Tip   *money `avro:"tip"`
	}
	cd := must[*codec.Codec[map[string]any]](t)(codec.Avro[map[string]any](codec.Config{Registry: c}))
	b := must[[]byte](t)(cd.Encode(t.Context(), "orders", map[string]any{"total": map[string]any{"cents": 5}, "tip": map[string]any{"cents": 1}}))
	typed := must[*codec.Codec[order]](t)(codec.Avro[order](codec.Config{
		Registry: c, Avro: []avro.SchemaOpt{avro.WithName("Order")},
		Schema: client.Schema{Text: `{"type":"record","name":"Order","fields":[{"name":"total","type":{"type":"record","name":"Money","namespace":"m","fields":[{"name":"cents","type":"long"}]}},{"name":"tip","type":["null","m.Money"]}]}`},
	}))
	if got := must[order](t)(typed.Decode(t.Context(), b)); got.Total.Cents != 5 || got.Tip == nil || got.Tip.Cents != 1 {
		t.Errorf("%+v", got)
	}
}

func TestStrategies(t *testing.T) {
	for want, s := range map[string]codec.Strategy{"t-value": codec.TopicName, "a.R": codec.RecordName, "t-a.R": codec.TopicRecordName} {
		if got, err := s("t", false, "a.R"); got != want || err != nil {
			t.Errorf("%q, want %q: %v", got, want, err)
		}
	}
	if got, err := codec.TopicName("t", true, ""); got != "t-key" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	for _, s := range []codec.Strategy{codec.TopicName, codec.RecordName, codec.TopicRecordName} {
		if got, err := s("", false, ""); !errors.Is(err, codec.ErrConfig) {
			t.Errorf("%q %v", got, err)
		}
	}
}

func TestConfig(t *testing.T) {
	c, _ := start(t)
	for name, err := range map[string]error{
		"no registry": second(codec.Avro[line](codec.Config{})),
		"a use":       second(codec.Avro[line](codec.Config{Registry: c, Use: 9})),
		"its type":    second(codec.Avro[line](codec.Config{Registry: c, Schema: client.Schema{Type: "JSON", Text: "{}"}})),
		"JSON's type": second(codec.JSON[line](codec.Config{Registry: c, Schema: client.Schema{Type: "AVRO", Text: "{}"}})),
		"references":  second(codec.Avro[line](codec.Config{Registry: c, Schema: client.Schema{Text: `"int"`, References: make([]client.Reference, 1)}})),
	} {
		if !errors.Is(err, codec.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"a text":     second(codec.Avro[line](codec.Config{Registry: c, Schema: client.Schema{Text: `{"type":"recor"}`}})),
		"a bomb":     second(codec.Avro[any](codec.Config{Registry: c, Schema: client.Schema{Text: deep(200)}})),
		"a JSON":     second(codec.JSON[any](codec.Config{Registry: c, Schema: client.Schema{Text: `{"type":7}`}})),
		"a Go type":  second(codec.Avro[struct{ C chan int }](codec.Config{Registry: c})),
		"a big text": second(codec.JSON[any](codec.Config{Registry: c, Schema: client.Schema{Text: strings.Repeat(`{"not":`, 500) + "{}" + strings.Repeat("}", 500)}})),
	} {
		if !errors.Is(err, codec.ErrSchema) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// deep is an array of arrays.
func deep(n int) string {
	return strings.Repeat(`{"type":"array","items":`, n) + `"int"` + strings.Repeat("}", n)
}
