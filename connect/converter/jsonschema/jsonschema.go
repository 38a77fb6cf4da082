// Package jsonschema writes Kafka Connect's data as JSON with a JSON Schema in a registry and reads
// it, as Confluent's converter does: in the wire format of its serializers, with the attributes that
// say which of Kafka Connect's types a value has (connect.type, connect.index, connect.version,
// connect.parameters).
package jsonschema

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/converter/internal/registered"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
)

// Config of a Converter. Only Registry is required.
type Config struct {
	Registry *client.Client
	// Key is whether it is for keys of records.
	Key bool
	// Use says which schema is written: that of the data, which is registered or looked up. Latest is
	// refused: the data's own schema says how it is written.
	Use codec.Use
	// Subject is what schemas are registered under; codec.TopicName where nil.
	Subject codec.Strategy
	// NumericDecimals are written as numbers instead of their bytes in base64 (decimal.format=NUMERIC).
	NumericDecimals bool
	// Closed schemas allow no properties that they do not name (object.additional.properties=false).
	Closed bool
	// OptionalUnlessRequired reads properties that a schema does not require as optional
	// (use.optional.for.nonrequired).
	OptionalUnlessRequired bool
	// MostSchemas are remembered; 1000 where zero (schemas.cache.size).
	MostSchemas int
	// Patience is how long one value waits for the registry; 30 s where zero. The error then wraps
	// converter.ErrRetry.
	Patience time.Duration
}

// Converter implements converter.Appender and io.Closer.
type Converter struct {
	cfg    registered.Config
	closed bool
	loose  bool
	json   converter.JSON
	plans  registered.Memory[*data.Schema, *plan]
	ids    *registered.IDs
	reads  registered.Memory[int, *data.Schema]
}

// plan is the text of a schema, and its title.
type plan struct{ text, title string }

var _ converter.Appender = (*Converter)(nil)

// New returns a converter; it asks nothing yet. Close it. The error is codec.ErrConfig.
func New(c Config) (*Converter, error) {
	shared := registered.Config{Registry: c.Registry, Key: c.Key, Use: c.Use, Subject: c.Subject, MostSchemas: c.MostSchemas, Patience: c.Patience}
	if err := shared.Complete(); err != nil {
		return nil, err
	}
	return &Converter{
		cfg: shared, closed: c.Closed, loose: c.OptionalUnlessRequired, ids: registered.NewIDs(shared),
		json:  converter.JSON{Entries: true, NumericDecimals: c.NumericDecimals, MostSchemas: shared.MostSchemas},
		plans: registered.Memory[*data.Schema, *plan]{Most: shared.MostSchemas}, reads: registered.Memory[int, *data.Schema]{Most: shared.MostSchemas},
	}, nil
}

// Close ends what waits for the registry, with an error that wraps converter.ErrRetry. The registry's
// client is for its owner to close.
func (c *Converter) Close() error { return c.cfg.Close() }

// Encode implements converter.Converter. No schema and no value is no bytes; no value of an optional
// schema is null with the id of the schema.
func (c *Converter) Encode(topic string, s *data.Schema, value any) ([]byte, error) {
	if s == nil && value == nil {
		return nil, nil
	}
	return c.AppendEncode(nil, topic, s, value)
}

// AppendEncode implements converter.Appender.
func (c *Converter) AppendEncode(b []byte, topic string, s *data.Schema, value any) ([]byte, error) {
	if s == nil {
		if value == nil {
			return b, nil
		}
		return b, fmt.Errorf("%w: JSON Schema needs a schema, and this %T has none", data.ErrData, value)
	}
	p, err := c.plans.Of(s, func() (*plan, error) { return c.newPlan(s) })
	if err != nil {
		return b, err
	}
	id, err := c.ids.Of(topic, p.title, client.Schema{Type: client.JSON, Text: p.text})
	if err != nil {
		return b, err
	}
	return c.json.AppendEncode(append(b, 0, byte(id>>24), byte(id>>16), byte(id>>8), byte(id)), topic, s, value)
}

// Decode implements converter.Converter. The schema is the same for all values of one id.
func (c *Converter) Decode(_ string, b []byte) (*data.Schema, any, error) {
	if b == nil {
		return nil, nil, nil
	}
	id, rest, err := codec.ID(b)
	if err != nil {
		return nil, nil, err
	}
	s, err := c.reads.Of(id, func() (s *data.Schema, err error) {
		err = c.cfg.Ask(func(ctx context.Context) error {
			s, err = c.read(ctx, id)
			return err
		})
		return s, err
	})
	if err != nil {
		return nil, nil, err
	}
	value, err := c.json.DecodeAs(s, rest)
	if err != nil {
		return nil, nil, fmt.Errorf("JSON with the schema %d: %w", id, err)
	}
	return s, value, nil
}
