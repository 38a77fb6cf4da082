package codec

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/twmb/avro"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	registryavro "github.com/pabal-dev/pabal/kafka/registry/internal/avro"
	"github.com/pabal-dev/pabal/kafka/registry/internal/references"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// Avro is a codec of values in Avro's binary form. Errors are ErrConfig, and ErrSchema where the
// schema's text, or what is made of T, is none.
func Avro[T any](c Config) (*Codec[T], error) {
	if c.Schema.Type != "" && c.Schema.Type != client.Avro {
		return nil, fmt.Errorf("%w: the schema is %s, not %s", ErrConfig, c.Schema.Type, client.Avro)
	}
	if len(c.Schema.References) > 0 {
		return nil, fmt.Errorf("%w: a schema that refers to others is written with Use Latest, without a Schema here", ErrConfig)
	}
	f := &avroFormat{typ: reflect.TypeFor[T](), opts: c.Avro}
	var err error
	switch {
	case c.Schema.Text != "":
		var s schema
		if s, err = f.parse(c.Schema.Text, nil); err == nil {
			f.reader, f.text, f.name = s.(*avroSchema).reads, c.Schema.Text, s.name()
		}
	case reflect.TypeFor[T]().Kind() == reflect.Struct:
		if f.reader, err = avro.SchemaFor[T](c.Avro...); err == nil {
			f.text, f.name = f.reader.String(), recordName(f.reader)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w of %s: %w", ErrSchema, reflect.TypeFor[T](), err)
	}
	return newCodec[T](c, f)
}

// Enum is an option for Config.Avro: values of the type S are an enum of these symbols.
func Enum[S ~string](name string, symbols ...S) avro.SchemaOpt {
	n := &avro.SchemaNode{Type: "enum", Name: name}
	for _, symbol := range symbols {
		n.Symbols = append(n.Symbols, string(symbol))
	}
	return avro.CustomType{AvroType: "enum", GoType: reflect.TypeFor[S](), Schema: n, Decode: func(v any, _ *avro.SchemaNode) (any, error) {
		return nil, avro.ErrSkipCustomType
	}}
}

type avroFormat struct {
	typ    reflect.Type // T; nil where values are only read
	reader *avro.Schema // nil where values are read as they were written
	text   string
	name   string // of its record
	opts   []avro.SchemaOpt
}

func (f *avroFormat) kind() string        { return client.Avro }
func (f *avroFormat) contentType() string { return "application/vnd.confluent.avro" }

func (f *avroFormat) own() (client.Schema, string) {
	if f.reader == nil {
		return client.Schema{}, ""
	}
	return client.Schema{Text: f.text}, f.name
}

// avroSchema writes with one schema, and reads what was written with it.
type avroSchema struct {
	writes, reads *avro.Schema
	typ           reflect.Type // T
	plan          step         // for it; nil where the library writes
	// unreadable is why what was written with it is not what the codec's own schema has.
	unreadable error
}

func (f *avroFormat) parse(text string, refs []references.Schema) (schema, error) {
	cache := &avro.SchemaCache{}
	var texts []string
	for _, r := range refs {
		s, err := f.one(cache, r.Text, texts)
		if err != nil {
			return nil, fmt.Errorf("its reference %q: %w", r.Name, err)
		}
		texts = append(texts, s.String())
	}
	s, err := f.one(cache, text, texts)
	if err != nil {
		return nil, err
	}
	out := &avroSchema{writes: s, reads: s, typ: f.typ}
	if len(f.conversions()) == 0 {
		out.plan = newPlan(f.typ, s)
	}
	if f.reader != nil {
		out.reads, out.unreadable = avro.Resolve(s, f.reader)
	}
	return out, nil
}

// one parses within the bounds, in the form that Java's library has: it takes a primitive type's
// bare name, too.
func (f *avroFormat) one(cache *avro.SchemaCache, text string, refs []string) (*avro.Schema, error) {
	bounded, err := registryavro.Parse(text, refs, tree.DefaultLimits())
	if err != nil {
		return nil, err
	}
	return cache.Parse(bounded.Canonical(), f.conversions()...)
}

// conversions are the options that parsing takes, without those that name what is made of T.
func (f *avroFormat) conversions() (out []avro.SchemaOpt) {
	for _, o := range f.opts {
		if c, ok := o.(avro.CustomType); ok {
			out = append(out, c)
		}
	}
	return out
}

func (s *avroSchema) name() string { return recordName(s.writes) }

func (s *avroSchema) append(dst []byte, v any) ([]byte, error) {
	if at := reflect.ValueOf(v); s.plan != nil && at.Kind() == reflect.Pointer && at.Type().Elem() == s.typ && !at.IsNil() {
		if out, err := s.plan(dst, at.UnsafePointer()); err == nil {
			return out, nil
		}
	}
	return s.writes.AppendEncode(dst, v)
}

func (s *avroSchema) decode(b []byte, into any) error {
	if s.unreadable != nil {
		return fmt.Errorf("its schema cannot be read with the one here: %w", s.unreadable)
	}
	rest, err := s.reads.Decode(b, into)
	if short := new(avro.ShortBufferError); errors.As(err, &short) {
		return fmt.Errorf("it is cut off: %w", err)
	}
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes are behind the value", len(rest))
	}
	return err
}

func recordName(s *avro.Schema) string {
	root := s.Root()
	if root.Type != "record" && root.Type != "error" && root.Type != "enum" && root.Type != "fixed" {
		return ""
	}
	if root.Namespace == "" {
		return root.Name
	}
	return root.Namespace + "." + root.Name
}
