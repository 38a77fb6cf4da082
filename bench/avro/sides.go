package avro

import (
	"context"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// newCodec has the schema that the fields of T make, as text, as the example has it.
func newCodec[T any](c *client.Client) (*codec.Codec[T], error) {
	s, err := avro.SchemaFor[T](conversions...)
	if err != nil {
		return nil, err
	}
	return codec.Avro[T](codec.Config{Registry: c, Schema: client.Schema{Text: s.String()}})
}

func (e *events) count() (n int) {
	for _, k := range e.kinds {
		n += k.count()
	}
	return n
}

func (e *events) each(do func(kind) error) error {
	for _, k := range e.kinds {
		if err := do(k); err != nil {
			return err
		}
	}
	return nil
}

func (e *events) encodeAvro() error {
	return e.each(func(k kind) error { return k.encodeAvro(context.Background()) })
}
func (e *events) decodeAvro() error {
	return e.each(func(k kind) error { return k.decodeAvro(context.Background()) })
}
func (e *events) encodeJSON() error {
	return e.each(func(k kind) error { return k.encodeJSON(context.Background()) })
}
func (e *events) decodeJSON() error {
	return e.each(func(k kind) error { return k.decodeJSON(context.Background()) })
}

// pace does it to all events until the time is over.
func (e *events) pace(do func() error) side {
	return func(pace time.Duration) (float64, error) {
		began, n := time.Now(), 0
		for n == 0 || time.Since(began) < pace {
			if err := do(); err != nil {
				return 0, err
			}
			n += e.count()
		}
		return float64(n) / time.Since(began).Seconds(), nil
	}
}

func (e *events) bytesOfAvro() float64 { a, _ := e.sizes(); return a }
func (e *events) bytesOfJSON() float64 { _, j := e.sizes(); return j }
func (e *events) sizeRatio() float64   { a, j := e.sizes(); return a / j }

func (e *events) sizes() (avro, json float64) {
	for _, k := range e.kinds {
		a, j := k.bytes()
		for i := range a {
			avro += float64(len(a[i]))
			json += float64(len(j[i]))
		}
	}
	return avro, json
}
