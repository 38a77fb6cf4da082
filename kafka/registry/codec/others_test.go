package codec_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
	"github.com/pabal-dev/pabal/streams/serde"
)

const orderSchema = `{"title":"Order","type":"object","properties":{"id":{"type":"string","minLength":1},"n":{"type":"integer"}},"required":["id"],"additionalProperties":false}`

type jsonOrder struct {
	ID string `json:"id"`
	N  int    `json:"n,omitempty"`
}

func TestJSON(t *testing.T) {
	c, _ := start(t)
	orders := must[*codec.Codec[jsonOrder]](t)(codec.JSON[jsonOrder](codec.Config{Registry: c, Schema: client.Schema{Text: orderSchema}}))
	b := must[[]byte](t)(orders.Encode(t.Context(), "orders", jsonOrder{"<a>", 3}))
	if got := must[jsonOrder](t)(orders.Decode(t.Context(), b)); got != (jsonOrder{"<a>", 3}) {
		t.Errorf("%+v", got)
	}
	if _, err := orders.Encode(t.Context(), "orders", jsonOrder{}); !errors.Is(err, codec.ErrValue) || !strings.Contains(err.Error(), "/id") {
		t.Errorf("an empty id: %v", err)
	}
	head := string(b[:5])
	for _, body := range []string{"", "{", `{"n":1}`, `{"id":"a","x":1}`, `{"id":"a"}{}`, `{"id":"a","n":1.5}`, strings.Repeat("[", 100_000)} {
		if v, err := orders.Decode(t.Context(), []byte(head+body)); !errors.Is(err, codec.ErrFormat) {
			t.Errorf("%.20s is %+v: %v", body, v, err)
		}
	}
	loose := must[*codec.Codec[map[string]any]](t)(codec.JSON[map[string]any](codec.Config{Registry: c, Unchecked: true, Use: codec.Latest}))
	if got := must[map[string]any](t)(loose.Decode(t.Context(), []byte(head+`{"x":1}`))); got["x"] != 1.0 {
		t.Errorf("%v", got)
	}
	named := must[*codec.Codec[jsonOrder]](t)(codec.JSON[jsonOrder](codec.Config{Registry: c, Schema: client.Schema{Text: orderSchema}, Subject: codec.TopicRecordName}))
	must[[]byte](t)(named.Encode(t.Context(), "orders", jsonOrder{ID: "a"}))
	if r := must[client.Registered](t)(c.Latest(t.Context(), "orders-Order")); r.Type != client.JSON {
		t.Errorf("%+v", r)
	}
}

func TestSerde(t *testing.T) {
	c, _ := start(t)
	cd := must[*codec.Codec[line]](t)(codec.Avro[line](codec.Config{Registry: c}))
	for _, key := range []bool{true, false} {
		s := must[serde.Serde[line]](t)(serde.Of(cd.Serde(t.Context()), "lines", key))
		b := must[[]byte](t)(s.Append([]byte("x"), line{"a", 1}))
		if got := must[line](t)(s.Decode(b[1:])); b[0] != 'x' || got != (line{"a", 1}) {
			t.Errorf("% x %+v", b, got)
		}
	}
	for _, subject := range []string{"lines-key", "lines-value"} {
		must[client.Registered](t)(c.Latest(t.Context(), subject))
	}
}

type placed struct {
	ID string `avro:"id"`
}

type shipped struct {
	ID string `avro:"id"`
	By string `avro:"by"`
}

func eventCodec(t *testing.T, c *client.Client) event.Codec {
	config := codec.Config{Registry: c, Subject: codec.RecordName}
	return must[event.Codec](t)(codec.Events(t.Context(), "",
		must[*codec.Codec[placed]](t)(codec.Avro[placed](config)), must[*codec.Codec[shipped]](t)(codec.Avro[shipped](config))))
}

// TestEvents: several types in one topic, beside plain JSON.
func TestEvents(t *testing.T) {
	c, server := start(t)
	avro := eventCodec(t, c)
	for _, e := range []event.Event{
		event.Encoded("OrderShipped", "a", avro, shipped{"a", "van"}), event.Encoded("OrderShipped", "a", avro, &shipped{"a", "van"}),
		event.New("OrderShipped", "a", shipped{"a", "van"}),
	} {
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		if got := must[shipped](t)(event.Decode[shipped](e, avro, event.JSON)); got != (shipped{"a", "van"}) {
			t.Errorf("%+v", got)
		}
	}
	e := event.Encoded("OrderPlaced", "a", avro, placed{"a"})
	if _, err := event.Decode[shipped](e, avro); !errors.Is(err, event.ErrPayload) {
		t.Errorf("another type: %v", err)
	}
	if _, err := event.Decode[line](e, avro); !errors.Is(err, event.ErrPayload) || !strings.Contains(err.Error(), "codec_test.line") {
		t.Errorf("a type without a codec: %v", err)
	}
	for _, data := range []any{line{}, nil, (*placed)(nil)} {
		if err := event.Encoded("X", "a", avro, data).Validate(); !errors.Is(err, codec.ErrValue) {
			t.Errorf("%T: %v", data, err)
		}
	}
	server.Close()
	again := httptest.NewServer(nil)
	again.Close()
	if _, err := event.Decode[placed](e, eventCodec(t, connect(t, again.URL))); !errors.Is(err, event.ErrUnavailable) || errors.Is(err, event.ErrPayload) {
		t.Errorf("without a registry: %v", err)
	}
	must[placed](t)(event.Decode[placed](e, avro))
}

func TestEventsConfig(t *testing.T) {
	c, _ := start(t)
	lines := must[*codec.Codec[line]](t)(codec.Avro[line](codec.Config{Registry: c}))
	text := must[*codec.Codec[jsonOrder]](t)(codec.JSON[jsonOrder](codec.Config{Registry: c}))
	for name, err := range map[string]error{
		"no types":         second(codec.Events(t.Context(), "t")),
		"a type twice":     second(codec.Events(t.Context(), "t", lines, lines)),
		"Avro and JSON":    second(codec.Events(t.Context(), "t", lines, text)),
		"names of a topic": second(codec.Events(t.Context(), "", lines)),
	} {
		if !errors.Is(err, codec.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
