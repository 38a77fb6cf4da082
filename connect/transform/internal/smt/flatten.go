package smt

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Flattener makes fields of fields those of the whole. Arrays stay as they are.
type Flattener struct {
	part      Part
	delimiter string
	schemas   Cache[*data.Schema]
}

// NewFlattener puts the delimiter between the names of fields that were within one another.
func NewFlattener(part Part, delimiter string) *Flattener {
	return &Flattener{part: part, delimiter: delimiter}
}

const flattenPurpose = "flattening"

// Flatten the part of a record.
func (t *Flattener) Flatten(r *plugin.Record) error {
	s, value := t.part.Of(r)
	switch {
	case value == nil:
		return nil
	case s == nil:
		m, err := Map(value, flattenPurpose)
		if err != nil {
			return err
		}
		out := &data.Map{}
		t.part.Put(r, nil, out)
		return t.entries(out, m, "")
	}
	row, err := Struct(value, flattenPurpose)
	if err != nil {
		return err
	}
	updated, err := t.schemas.Of(s, t.schema)
	if err != nil {
		return err
	}
	out := &data.Struct{Schema: updated, Values: make([]any, 0, len(updated.Fields))}
	out.Values = appendFlat(out.Values, row.Schema, row)
	t.part.Put(r, updated, out)
	return nil
}

func (t *Flattener) name(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + t.delimiter + name
}

func (t *Flattener) entries(out, m *data.Map, prefix string) error {
	for i, key := range m.Keys {
		text, ok := key.(string)
		if !ok {
			return fmt.Errorf("flattening needs keys that are strings, found: %s", Kind(key))
		}
		name := t.name(prefix, text)
		switch v := m.Values[i].(type) {
		case *data.Map:
			if err := t.entries(out, v, name); err != nil {
				return err
			}
		case *data.Struct:
			return fmt.Errorf("Flatten transformation does not support %s for record without schemas (for field %s).", Kind(v), name) //nolint:staticcheck // Kafka Connect's own words
		default:
			if _, ok := data.TypeOfValue(v); !ok && v != nil {
				return fmt.Errorf("Flatten transformation was passed a value of type %T which is not supported by Connect's data API", v) //nolint:staticcheck // see above
			}
			out.Put(name, v)
		}
	}
	return nil
}

// appendFlat are the values of a struct and of those in it; row is nil where the struct is.
func appendFlat(values []any, s *data.Schema, row *data.Struct) []any {
	for i, f := range s.Fields {
		var v any
		if row != nil {
			v = At(row, i, true)
		}
		if f.Schema.Type != data.StructType {
			values = append(values, v)
			continue
		}
		inner, _ := v.(*data.Struct)
		values = appendFlat(values, f.Schema, inner)
	}
	return values
}

func (t *Flattener) schema(s *data.Schema) (*data.Schema, error) {
	b := BuilderLike(s)
	defaults, _ := s.Default.(*data.Struct)
	if err := t.fields(b, s, "", s.Optional, defaults); err != nil {
		return nil, err
	}
	return b.Build()
}

// fields inherit that they are optional, and defaults, from what they were in.
func (t *Flattener) fields(b *Builder, s *data.Schema, prefix string, optional bool, defaults *data.Struct) error {
	for i, f := range s.Fields {
		name := t.name(prefix, f.Name)
		value := f.Schema.Default
		if value == nil && defaults != nil {
			value = At(defaults, i, true)
		}
		switch f.Schema.Type {
		case data.MapType:
			return fmt.Errorf("Flatten transformation does not support MAP for record with schemas (for field %s).", name) //nolint:staticcheck // see above
		case data.StructType:
			inner, _ := value.(*data.Struct)
			if err := t.fields(b, f.Schema, name, optional || f.Schema.Optional, inner); err != nil {
				return err
			}
		default:
			c := *f.Schema
			c.Optional, c.Default = optional || f.Schema.Optional, value
			b.Add(name, &c)
		}
	}
	return nil
}
