// Package codec writes Go values as records with a schema, and reads them, in the wire format of
// Confluent's serializers: a byte 0, the id of the schema in four bytes, and Avro or JSON.
//
//	orders, err := codec.Avro[Order](codec.Config{Registry: c})
//	...
//	b, err := orders.Encode(ctx, "orders", Order{ID: "a"})
//	order, err := orders.Decode(ctx, b)
//
// The schema of a struct is that of its fields and tags (`avro:"total,decimal(10,2)"`, see
// [github.com/twmb/avro.SchemaFor]), or a text. What was written with another version is read into
// this one: fields that are not there have their defaults, others are skipped. T may be any or
// map[string]any, for data whose schema is known only from the registry.
//
// Schemas are asked for once. While the registry is down, what is known goes on, and what is not
// waits as long as the client does (RetryFor) or the context; the error is client.ErrUnavailable.
//
// Serde is for package streams, and Events for events.
package codec

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/references"
)

// Kinds of errors, for errors.Is, beside those of package client.
var (
	// ErrConfig: the configuration cannot work.
	ErrConfig = errors.New("configuration of a codec")
	// ErrFormat: the bytes are not in the wire format, or not what their schema says.
	ErrFormat = errors.New("not a record with a schema")
	// ErrSchema: a schema of the registry cannot be used, or is larger than Limits.
	ErrSchema = errors.New("unusable schema")
	// ErrValue: a value does not fit the schema that it is to be written with.
	ErrValue = errors.New("value does not fit the schema")
)

// Use says which schema values are written with.
type Use int

const (
	// Register the codec's own schema where the registry does not have it (auto.register.schemas).
	Register Use = iota
	// Lookup the codec's own schema, which somebody else has registered.
	Lookup
	// Latest version of the subject (use.latest.version), whatever the codec's own is.
	Latest
)

// Config of a codec. Only Registry is required.
type Config struct {
	Registry *client.Client
	// Schema that values have here. Of Avro it is made of T where the text is empty and T is a struct.
	// Where there is none, values are read as they were written, and written with Use Latest.
	Schema client.Schema
	// Use says which schema values are written with.
	Use Use
	// Subject is what a schema is registered under; TopicName where nil.
	Subject Strategy
	// Key is whether values are keys of records.
	Key bool
	// MaxBytes of a record's value; 16 MiB where zero.
	MaxBytes int
	// MaxSchemas is how many schemas of the registry are held ready; 1000 where zero.
	MaxSchemas int
	// Avro has names, and conversions of types of one's own: avro.WithNamespace, Enum, avro.CustomType.
	Avro []avro.SchemaOpt
	// Unchecked leaves out the comparison of JSON with its schema.
	Unchecked bool
}

// Codec of values of T. It is safe for concurrent use.
type Codec[T any] struct {
	cfg    Config
	format format
	known  schemas
	ids    remembered[place, int] // of the codec's own schema
	// values and buffers are used again by those who encode and decode.
	values, buffers sync.Pool
}

// place is where values are written to.
type place struct {
	topic string
	key   bool
}

// format is what Avro and JSON do differently.
type format interface {
	// own schema, with an empty text where there is none, and the name of its record.
	own() (s client.Schema, name string)
	// kind of schemas, as the registry calls it.
	kind() string
	// parse a schema of the registry; refs are those it refers to, each behind those it needs.
	parse(text string, refs []references.Schema) (schema, error)
	contentType() string
}

// schema of the registry.
type schema interface {
	name() string
	append(dst []byte, v any) ([]byte, error)
	// decode into a pointer.
	decode(b []byte, into any) error
}

func newCodec[T any](c Config, f format) (*Codec[T], error) {
	if c.Registry == nil {
		return nil, fmt.Errorf("%w: Registry is nil", ErrConfig)
	}
	if c.Use < Register || c.Use > Latest || c.MaxBytes < 0 || c.MaxSchemas < 0 {
		return nil, fmt.Errorf("%w: Use, MaxBytes or MaxSchemas is out of its range", ErrConfig)
	}
	if own, _ := f.own(); own.Text == "" {
		c.Use = Latest
	}
	if c.Subject == nil {
		c.Subject = TopicName
	}
	c.MaxBytes = cmp.Or(c.MaxBytes, 16<<20)
	c.MaxSchemas = cmp.Or(c.MaxSchemas, 1000)
	return &Codec[T]{
		cfg: c, format: f, ids: remembered[place, int]{most: c.MaxSchemas},
		known:  schemas{registry: c.Registry, format: f, byID: remembered[int, parsed]{most: c.MaxSchemas}},
		values: sync.Pool{New: func() any { return new(T) }}, buffers: sync.Pool{New: func() any { return new([]byte) }},
	}, nil
}

// Schema is the codec's own, with an empty text where it has none.
func (c *Codec[T]) Schema() client.Schema {
	s, _ := c.format.own()
	return s
}

// Encode a value for a topic. Errors are ErrValue, and those of the registry: ErrIncompatible where
// it refuses the schema, ErrNotFound, ErrUnavailable.
func (c *Codec[T]) Encode(ctx context.Context, topic string, v T) ([]byte, error) {
	p := c.values.Get().(*T)
	*p = v
	b, err := c.encodeAny(ctx, topic, p)
	c.release(p)
	return b, err
}

// AppendEncode is Encode behind dst, which is returned as it was after an error.
func (c *Codec[T]) AppendEncode(ctx context.Context, dst []byte, topic string, v T) ([]byte, error) {
	p := c.values.Get().(*T)
	*p = v
	out, err := c.appendAny(ctx, dst, topic, c.cfg.Key, p)
	c.release(p)
	return out, err
}

// release holds on to the memory of a value, but to nothing that it has.
func (c *Codec[T]) release(p *T) {
	var none T
	*p = none
	c.values.Put(p)
}

// largestBuffer is what is kept for the next value.
const largestBuffer = 64 << 10

// encodeAny writes into memory that is used again, and returns as much as the value needs.
func (c *Codec[T]) encodeAny(ctx context.Context, topic string, v any) ([]byte, error) {
	buffer := c.buffers.Get().(*[]byte)
	b, err := c.appendAny(ctx, (*buffer)[:0], topic, c.cfg.Key, v)
	if cap(b) <= largestBuffer {
		*buffer = b
	}
	var out []byte
	if err == nil {
		out = append(make([]byte, 0, len(b)), b...)
	}
	c.buffers.Put(buffer)
	return out, err
}

func (c *Codec[T]) appendAny(ctx context.Context, dst []byte, topic string, key bool, v any) ([]byte, error) {
	id, err := c.id(ctx, topic, key)
	if err != nil {
		return dst, err
	}
	s, err := c.known.get(ctx, id)
	if err != nil {
		return dst, err
	}
	out, err := s.append(appendID(dst, id), v)
	if err != nil {
		return dst, fmt.Errorf("%w with id %d: %w", ErrValue, id, err)
	}
	if n := len(out) - len(dst); n > c.cfg.MaxBytes {
		return dst, fmt.Errorf("%w: it has %d bytes, more than %d", ErrValue, n, c.cfg.MaxBytes)
	}
	return out, nil
}

// id of the schema to write with.
func (c *Codec[T]) id(ctx context.Context, topic string, key bool) (int, error) {
	at := place{topic, key}
	if id, ok := c.ids.get(at); ok {
		return id, nil
	}
	own, name := c.format.own()
	subject, err := c.cfg.Subject(topic, key, name)
	if err != nil {
		return 0, err
	}
	var id int
	switch c.cfg.Use {
	case Latest:
		r, err := c.cfg.Registry.Latest(ctx, subject)
		return r.ID, err // it may be another one soon
	case Lookup:
		var r client.Registered
		r, err = c.cfg.Registry.Lookup(ctx, subject, own)
		id = r.ID
	default:
		id, err = c.cfg.Registry.Register(ctx, subject, own)
	}
	if err != nil {
		return 0, err
	}
	c.ids.put(at, id)
	return id, nil
}

// Decode what this or another serializer of Confluent's wire format has written. Errors are
// ErrFormat, ErrSchema where T is not what the record's schema can be read into, and those of the
// registry: ErrNotFound for an id that it does not have, ErrUnavailable.
func (c *Codec[T]) Decode(ctx context.Context, b []byte) (v T, err error) {
	p := c.values.Get().(*T)
	if err = c.decodeInto(ctx, b, p); err == nil {
		v = *p
	}
	c.release(p)
	return v, err
}

func (c *Codec[T]) decodeInto(ctx context.Context, b []byte, into any) error {
	if len(b) > c.cfg.MaxBytes {
		return fmt.Errorf("%w: it has %d bytes, more than %d", ErrFormat, len(b), c.cfg.MaxBytes)
	}
	id, rest, err := ID(b)
	if err != nil {
		return err
	}
	s, err := c.known.get(ctx, id)
	if err != nil {
		return err
	}
	if err := s.decode(rest, into); err != nil {
		return fmt.Errorf("%w with id %d: %w", ErrFormat, id, err)
	}
	return nil
}
