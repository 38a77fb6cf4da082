// Package avro writes Kafka Connect's data as Avro and reads it, with schemas in a registry, as
// Confluent's converter, and Apicurio's in its Confluent mode, do: the same schemas, the same bytes.
package avro

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
	// Scrub replaces what Avro does not have in names by _ (scrub.invalid.names).
	Scrub bool
	// MostSchemas are remembered; 1000 where zero (schemas.cache.size).
	MostSchemas int
	// Patience is how long one value waits for the registry; 30 s where zero. The error then wraps
	// converter.ErrRetry.
	Patience time.Duration
}

// Converter implements converter.Appender and io.Closer.
type Converter struct {
	cfg      registered.Config
	scrub    bool
	resolver *codec.Resolver
	plans    registered.Memory[*data.Schema, *plan]
	ids      *registered.IDs
	reads    registered.Memory[int, *reading]
}

var _ converter.Appender = (*Converter)(nil)

// New returns a converter; it asks nothing yet. Close it. The error is codec.ErrConfig.
func New(c Config) (*Converter, error) {
	shared := registered.Config{Registry: c.Registry, Key: c.Key, Use: c.Use, Subject: c.Subject, MostSchemas: c.MostSchemas, Patience: c.Patience}
	if err := shared.Complete(); err != nil {
		return nil, err
	}
	return &Converter{
		cfg: shared, scrub: c.Scrub, resolver: codec.NewResolver(c.Registry, shared.MostSchemas), ids: registered.NewIDs(shared),
		plans: registered.Memory[*data.Schema, *plan]{Most: shared.MostSchemas}, reads: registered.Memory[int, *reading]{Most: shared.MostSchemas},
	}, nil
}

// Close ends what waits for the registry, with an error that wraps converter.ErrRetry. The registry's
// client is for its owner to close.
func (c *Converter) Close() error { return c.cfg.Close() }

// Encode implements converter.Converter. No value is no bytes.
func (c *Converter) Encode(topic string, s *data.Schema, value any) ([]byte, error) {
	if value == nil {
		if s != nil && !s.Optional {
			return nil, data.Validate(s, value)
		}
		return nil, nil
	}
	return c.AppendEncode(nil, topic, s, value)
}

// AppendEncode implements converter.Appender.
func (c *Converter) AppendEncode(b []byte, topic string, s *data.Schema, value any) ([]byte, error) {
	if value == nil {
		if s != nil && !s.Optional {
			return b, data.Validate(s, value)
		}
		return b, nil
	}
	if s == nil {
		return b, fmt.Errorf("%w: Avro needs a schema, and this %T has none", data.ErrData, value)
	}
	p, err := c.plans.Of(s, func() (*plan, error) { return newPlan(s, c.scrub) })
	if err != nil {
		return b, err
	}
	id, err := c.ids.Of(topic, p.name, client.Schema{Text: p.text})
	if err != nil {
		return b, err
	}
	out := append(b, 0, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
	return p.write(out, value)
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
	r, err := c.reading(id)
	if err != nil {
		return nil, nil, err
	}
	value, rest, err := r.read(rest)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%w: %d bytes are behind the value", data.ErrData, len(rest))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("Avro with the schema %d: %w", id, err)
	}
	return r.schema, value, nil
}

func (c *Converter) reading(id int) (*reading, error) {
	return c.reads.Of(id, func() (r *reading, err error) {
		err = c.cfg.Ask(func(ctx context.Context) error {
			s, err := c.resolver.Avro(ctx, id)
			if err != nil {
				return err
			}
			if r, err = newReading(s.Root()); err != nil {
				return fmt.Errorf("the schema %d: %w", id, err)
			}
			return nil
		})
		return r, err
	})
}
