package codec

import (
	"context"
	"fmt"
	"reflect"

	"github.com/pabal-dev/pabal/event"
)

// Kind is a Codec of any type.
type Kind interface {
	goType() reflect.Type
	config() Config
	contentType() string
	encodeEvent(ctx context.Context, topic string, v any) ([]byte, error)
	decodeInto(ctx context.Context, b []byte, into any) error
}

// Events is a codec for events whose data is of the types of the kinds, which all are Avro, or all
// JSON. topic is where the events go; it may be empty where subjects are not named after topics, as
// with RecordName. ctx ends what waits for the registry. The error is ErrConfig.
//
// The content types are application/vnd.confluent.avro and application/vnd.confluent.json, so that
// event.Decode tells the two and plain JSON apart. Where the registry does not answer, errors are
// event.ErrUnavailable: such an event is no dead letter.
func Events(ctx context.Context, topic string, kinds ...Kind) (event.Codec, error) {
	if len(kinds) == 0 {
		return nil, fmt.Errorf("%w: events of no type", ErrConfig)
	}
	e := &events{ctx: ctx, topic: topic, media: kinds[0].contentType(), kinds: map[reflect.Type]Kind{}}
	for _, k := range kinds {
		if k.contentType() != e.media {
			return nil, fmt.Errorf("%w: %s and %s in one codec of events", ErrConfig, e.media, k.contentType())
		}
		if e.kinds[k.goType()] != nil {
			return nil, fmt.Errorf("%w: the type %s twice", ErrConfig, k.goType())
		}
		if _, err := k.config().Subject(topic, false, "record"); err != nil {
			return nil, err
		}
		e.kinds[k.goType()] = k
	}
	return e, nil
}

type events struct {
	ctx          context.Context
	topic, media string
	kinds        map[reflect.Type]Kind
}

func (e *events) ContentType() string { return e.media }

func (e *events) Encode(data any) ([]byte, error) {
	t := reflect.TypeOf(data)
	k := e.kinds[t]
	if k == nil && t != nil && t.Kind() == reflect.Pointer {
		k = e.kinds[t.Elem()]
	}
	if k == nil {
		return nil, fmt.Errorf("%w: no codec for data of the type %T", ErrValue, data)
	}
	b, err := k.encodeEvent(e.ctx, e.topic, data)
	return b, unavailable(err)
}

func (e *events) Decode(payload []byte, data any) error {
	t := reflect.TypeOf(data)
	if t == nil || t.Kind() != reflect.Pointer || e.kinds[t.Elem()] == nil {
		return fmt.Errorf("%w: no codec for data of the type %T", ErrValue, data)
	}
	return unavailable(e.kinds[t.Elem()].decodeInto(e.ctx, payload, data))
}

func unavailable(err error) error {
	if err != nil && passing(err) {
		return fmt.Errorf("%w: %w", event.ErrUnavailable, err)
	}
	return err
}

func (c *Codec[T]) goType() reflect.Type { return reflect.TypeFor[T]() }
func (c *Codec[T]) config() Config       { return c.cfg }
func (c *Codec[T]) contentType() string  { return c.format.contentType() }

// encodeEvent takes a T or a pointer to one.
func (c *Codec[T]) encodeEvent(ctx context.Context, topic string, v any) ([]byte, error) {
	if value, ok := v.(T); ok {
		return c.Encode(ctx, topic, value)
	}
	if reflect.ValueOf(v).IsNil() {
		return nil, fmt.Errorf("%w: the data is nil", ErrValue)
	}
	return c.encodeAny(ctx, topic, v)
}
