package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	compiled "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/pabal-dev/pabal/kafka/registry/client"
	"github.com/pabal-dev/pabal/kafka/registry/internal/jsonschema"
	"github.com/pabal-dev/pabal/kafka/registry/internal/references"
	"github.com/pabal-dev/pabal/kafka/registry/internal/tree"
)

// JSON is a codec of values in JSON that have a JSON Schema. Values are compared with the schema
// that they are written with, before they are sent and when they are read. Errors are ErrConfig, and
// ErrSchema where the schema's text is none.
func JSON[T any](c Config) (*Codec[T], error) {
	if c.Schema.Type != "" && c.Schema.Type != client.JSON {
		return nil, fmt.Errorf("%w: the schema is %s, not %s", ErrConfig, c.Schema.Type, client.JSON)
	}
	if len(c.Schema.References) > 0 {
		return nil, fmt.Errorf("%w: a schema that refers to others is written with Use Latest, without a Schema here", ErrConfig)
	}
	f := &jsonFormat{unchecked: c.Unchecked}
	if c.Schema.Text != "" {
		s, err := f.parse(c.Schema.Text, nil)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSchema, err)
		}
		f.text, f.title = c.Schema.Text, s.name()
	}
	return newCodec[T](c, f)
}

type jsonFormat struct {
	text, title string
	unchecked   bool
}

func (f *jsonFormat) kind() string        { return client.JSON }
func (f *jsonFormat) contentType() string { return "application/vnd.confluent.json" }

func (f *jsonFormat) own() (client.Schema, string) {
	if f.text == "" {
		return client.Schema{}, ""
	}
	return client.Schema{Type: client.JSON, Text: f.text}, f.title
}

func (f *jsonFormat) parse(text string, refs []references.Schema) (schema, error) {
	var all []jsonschema.Reference
	for _, r := range refs {
		all = append(all, jsonschema.Reference{Name: r.Name, Text: r.Text})
	}
	s, err := jsonschema.Parse(text, all, tree.DefaultLimits())
	if err != nil {
		return nil, err
	}
	out := &jsonSchema{title: s.Title()}
	if !f.unchecked {
		out.check, err = s.Compile()
	}
	return out, err
}

type jsonSchema struct {
	title string
	check *compiled.Schema // nil where nothing is compared
}

func (s *jsonSchema) name() string { return s.title }

func (s *jsonSchema) append(dst []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err == nil {
		err = s.compare(b)
	}
	if err != nil {
		return dst, err
	}
	return append(slices.Grow(dst, len(b)), b...), nil
}

func (s *jsonSchema) decode(b []byte, into any) error {
	if err := s.compare(b); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something is behind the JSON")
	}
	return nil
}

func (s *jsonSchema) compare(b []byte) error {
	if s.check == nil {
		return nil
	}
	v, err := compiled.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return s.check.Validate(v)
}
