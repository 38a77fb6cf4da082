package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/codec"
	"github.com/pabal-dev/pabal/streams/serde"
)

// What the data of a service's events is written in. All of it is read, whatever is written.
const (
	// CodecJSON is plain JSON without a schema.
	CodecJSON = "json"
	// CodecAvro is Avro in Confluent's wire format, with schemas in a registry.
	CodecAvro = "avro"
)

// Schema is the Avro schema of what a topic's events carry; see SchemaOf.
type Schema struct {
	bind func(*client.Client) (avroCodec, error)
}

// avroCodec is a codec.Codec whatever its T.
type avroCodec interface {
	codec.Kind
	Schema() client.Schema
}

// SchemaOf is the schema of events that carry a T, from the text of an .avsc file. Options convert
// types that Avro does not know.
func SchemaOf[T any](text string, options ...avro.SchemaOpt) Schema {
	return Schema{func(c *client.Client) (avroCodec, error) {
		return codec.Avro[T](codec.Config{Registry: c, Schema: client.Schema{Text: text}, Avro: options})
	}}
}

// SchemaFile is SchemaOf with the text of the topic's file, which is called <topic>.avsc.
func SchemaFile[T any](files fs.FS, topic string, options ...avro.SchemaOpt) Schema {
	text, err := fs.ReadFile(files, topic+".avsc")
	if err != nil {
		return Schema{func(*client.Client) (avroCodec, error) { return nil, err }}
	}
	return SchemaOf[T](string(text), options...)
}

// PayloadConfig of NewPayloads.
type PayloadConfig struct {
	// Registry is the URLs of instances of one schema registry; a user and a password may be in them.
	Registry []string
	// CacheFile keeps what is known of the registry, so that a start needs none; "" keeps nothing.
	CacheFile string
	// Codec is what is written, CodecJSON or CodecAvro.
	Codec string
	// Schemas of topics, by their standard names.
	Schemas map[string]Schema
	// Topic is the full name of a topic, which its subject is called after.
	Topic func(standard string) string
}

// Payloads write and read what events carry. A nil one has JSON only.
type Payloads struct {
	registry *client.Client
	subjects map[string]client.Schema // by standard topic
	writes   map[string]event.Codec   // by standard topic; empty where JSON is written
	reads    map[string]event.Codec   // by standard topic
	stop     context.CancelFunc
}

// NewPayloads asks the registry nothing yet. Close them.
func NewPayloads(c PayloadConfig) (_ *Payloads, err error) {
	p := &Payloads{subjects: map[string]client.Schema{}, writes: map[string]event.Codec{}, reads: map[string]event.Codec{}}
	if p.registry, err = newRegistryClient(c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	for _, standard := range slices.Sorted(maps.Keys(c.Schemas)) {
		kind, err := c.Schemas[standard].bind(p.registry)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("schema of %s: %w", standard, err), p.Close())
		}
		both, err := codec.Events(ctx, c.Topic(standard), kind)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("schema of %s: %w", standard, err), p.Close())
		}
		p.reads[standard] = both
		if c.Codec == CodecAvro {
			p.writes[standard] = both
			p.subjects[c.Topic(standard)+"-value"] = kind.Schema()
		}
	}
	return p, nil
}

// newRegistryClient asks once only: who waits holds a transaction open.
func newRegistryClient(c PayloadConfig) (*client.Client, error) {
	config := client.Config{CacheFile: c.CacheFile, Timeout: 2 * time.Second, RetryFor: -1}
	for _, text := range c.Registry {
		u, err := url.Parse(text)
		if err != nil {
			return nil, errors.New("the schema registry's address is no URL")
		}
		if u.User != nil {
			config.User = u.User.Username()
			config.Password, _ = u.User.Password()
			u.User = nil
		}
		config.URLs = append(config.URLs, u.String())
	}
	return client.New(config)
}

// Close ends what waits for the registry.
func (p *Payloads) Close() error {
	if p == nil {
		return nil
	}
	p.stop()
	return p.registry.Close()
}

// registerPause is between questions to a registry that does not answer.
const registerPause = 100 * time.Millisecond

// Register makes the schemas that are written for the topics known to the registry, so that events
// need not ask it. One that would break readers is refused with the reasons; it waits for a registry
// that does not answer as long as ctx does.
func (p *Payloads) Register(ctx context.Context, topics []string) error {
	if p == nil {
		return nil
	}
	for _, topic := range topics {
		schema, ok := p.subjects[topic+"-value"]
		if !ok {
			continue
		}
		if err := p.insist(ctx, topic+"-value", schema); err != nil {
			return err
		}
	}
	return nil
}

func (p *Payloads) insist(ctx context.Context, subject string, schema client.Schema) error {
	for {
		id, err := p.registry.Register(ctx, subject, schema)
		if err == nil {
			_, err = p.registry.ByID(ctx, id) // in the registry's own form
		}
		if !errors.Is(err, client.ErrUnavailable) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(registerPause):
		}
	}
}

func (p *Payloads) writer(standard string) event.Codec {
	if p == nil || p.writes[standard] == nil {
		return event.JSON
	}
	return p.writes[standard]
}

func (p *Payloads) readers(standard string) []event.Codec {
	if p == nil || p.reads[standard] == nil {
		return []event.Codec{event.JSON}
	}
	return []event.Codec{p.reads[standard], event.JSON}
}

// Event is a new event for a topic of that standard name, which is its type, too.
func (e Env) Event(standard, key string, data any) event.Event {
	return event.Encoded(standard, key, e.Payloads.writer(standard), data)
}

// Payload is what an event carries, by its content type: also where others still write, or write
// already, what this service does not. The event's type says which topic's schema it is read with.
func Payload[T any](e Env, v event.Event) (T, error) {
	return event.Decode[T](v, e.Payloads.readers(v.Type)...)
}

// SerdeOf is for stream processing of a topic with that standard name, which has no content types: it
// reads values of events as services write them, and writes JSON. The first byte of Avro is 0, which
// JSON never begins with.
func SerdeOf[T any](p *Payloads, standard string) serde.Serde[T] {
	s := payloadSerde[T]{Serde: serde.JSON[T]()}
	if p != nil {
		s.avro = p.reads[standard]
	}
	return s
}

type payloadSerde[T any] struct {
	serde.Serde[T]
	avro event.Codec // nil without a registry
}

func (s payloadSerde[T]) Decode(b []byte) (v T, err error) {
	if len(b) == 0 || b[0] != 0 || s.avro == nil {
		return s.Serde.Decode(b)
	}
	err = s.avro.Decode(b, &v)
	return v, err
}
