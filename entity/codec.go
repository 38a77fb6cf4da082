package entity

import (
	"encoding/json"
	"fmt"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
)

// Codec turns commands or replies into events and back. See JSON.
type Codec[V any] interface {
	// Encode returns the event's type ("" for the default: the topic's name), its
	// content type and its payload.
	Encode(value V) (eventType, contentType string, payload []byte, err error)
	// Decode's error wraps event.ErrPayload, or journal.ErrManifest where it does not
	// know the event's type.
	Decode(e event.Event) (V, error)
}

// JSON is the codec of values that are one of several types, each under the name
// of its event: JSON[Command](journal.TypeOf[AddItem]("add-item"), …). Without
// types every event is a V, whatever its type.
func JSON[V any](types ...journal.Type) Codec[V] {
	if len(types) == 0 {
		return jsonCodec[V]{}
	}
	registry, err := journal.NewRegistry(journal.JSON(types...))
	return jsonCodec[V]{registry, err}
}

type jsonCodec[V any] struct {
	registry *journal.Registry // nil: V alone
	err      error
}

// check is asked by NewServer and NewClient.
func (c jsonCodec[V]) check() error { return c.err }

func (c jsonCodec[V]) Encode(value V) (eventType, contentType string, payload []byte, err error) {
	contentType = event.JSON.ContentType()
	if c.registry == nil {
		payload, err = event.JSON.Encode(value)
		return "", contentType, payload, err
	}
	p, err := c.registry.Marshal(value)
	return p.Manifest, contentType, p.Data, err
}

func (c jsonCodec[V]) Decode(e event.Event) (V, error) {
	if c.registry == nil {
		return event.Decode[V](e)
	}
	var none V
	data, err := event.Decode[json.RawMessage](e)
	if err != nil {
		return none, err
	}
	value, err := c.registry.Unmarshal(journal.Payload{Serializer: journal.JSONSerializer, Manifest: e.Type, Data: data})
	if err != nil {
		return none, fmt.Errorf("%w: %s %s: %w", event.ErrPayload, e.Type, e.ID, err)
	}
	return asType[V](value)
}

func checkCodec(codec any) error {
	if c, ok := codec.(interface{ check() error }); ok {
		return c.check()
	}
	return nil
}
