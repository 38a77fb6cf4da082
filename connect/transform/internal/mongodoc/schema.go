package mongodoc

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// Maker makes schemas and values of documents.
type Maker struct {
	// ArraysAsDocuments makes structs with the fields _0, _1 and so on of arrays
	// (array.encoding=document). Otherwise elements must be of one type.
	ArraysAsDocuments bool
}

// Schemas of values. All may be null: documents need not have all fields.
var (
	optString  = data.OptionalOf(data.String)
	optBytes   = data.OptionalOf(data.Bytes)
	optInt32   = data.OptionalOf(data.Int32)
	optInt64   = data.OptionalOf(data.Int64)
	optFloat64 = data.OptionalOf(data.Float64)
	optBoolean = data.OptionalOf(data.Boolean)
	optTime    = data.Named(data.Int64, data.TimestampName).AsOptional()
	regexpType = &data.Schema{
		Type: data.StructType, Name: "io.debezium.mongodb.regex", Optional: true,
		Fields: []data.Field{{Name: "regex", Schema: optString}, {Name: "options", Schema: optString}},
	}
)

// Fields adds those of a document to a struct's schema, except for those that it has.
func (m Maker) Fields(s *data.Schema, d *Document) error {
	within := s.Name
	if within == "" {
		within = "null" // as Java writes it, and Debezium with it
	}
	for i, name := range d.Names {
		if s.Field(name) >= 0 {
			continue
		}
		f, err := m.schema(within+"."+name, d.Values[i])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if f != nil {
			s.Fields = append(s.Fields, data.Field{Name: name, Schema: f})
		}
	}
	return nil
}

// schema is nil for what has none and is left out.
func (m Maker) schema(name string, v Value) (*data.Schema, error) {
	switch v.Type {
	case Null, String, Code, ObjectID, Decimal128:
		return optString, nil
	case Double:
		return optFloat64, nil
	case Binary:
		return optBytes, nil
	case Int32:
		return optInt32, nil
	case Int64:
		return optInt64, nil
	case DateTime, Timestamp:
		return optTime, nil
	case Boolean:
		return optBoolean, nil
	case Regex:
		return regexpType, nil
	case Doc:
		s := &data.Schema{Type: data.StructType, Optional: true}
		if d := v.Value.(*Document); len(d.Names) > 0 {
			s.Name = name
			return s, m.Fields(s, d)
		}
		return s, nil
	case Array:
		if m.ArraysAsDocuments {
			return m.indexed(name, v.Value.([]Value))
		}
		return m.array(name, v.Value.([]Value))
	}
	return nil, nil
}

func (m Maker) indexed(name string, all []Value) (*data.Schema, error) {
	s := &data.Schema{Type: data.StructType, Name: name, Optional: true}
	d := &Document{}
	for i, v := range all {
		d.Set(fmt.Sprintf("_%d", i), v)
	}
	return s, m.Fields(s, d)
}

// array has elements of one type; documents may have different fields, but not of different types.
func (m Maker) array(name string, all []Value) (*data.Schema, error) {
	var elements *data.Schema
	for _, v := range all {
		s, err := m.schema(name, v)
		if err == nil && s == nil {
			err = fmt.Errorf("elements without a schema")
		}
		if err == nil {
			elements, err = merge(elements, s)
		}
		if err != nil {
			return nil, err
		}
	}
	if elements == nil {
		elements = optString
	}
	return &data.Schema{Type: data.Array, Value: elements, Optional: true}, nil
}

func merge(a, b *data.Schema) (*data.Schema, error) {
	switch {
	case a == nil || a.Equal(b):
		return b, nil
	case a.Type != b.Type || a.Type != data.StructType:
		return nil, fmt.Errorf("Array elements with different Bson types are not supported: %s and %s: set array.encoding=document", a.Type, b.Type) //nolint:staticcheck // Debezium's own words
	}
	out := *a
	if out.Name == "" {
		out.Name = b.Name // a was empty
	}
	out.Fields = append([]data.Field(nil), a.Fields...)
	for _, f := range b.Fields {
		i := out.Field(f.Name)
		if i < 0 {
			out.Fields = append(out.Fields, f)
			continue
		}
		both, err := merge(out.Fields[i].Schema, f.Schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out.Fields[i].Schema = both
	}
	return &out, nil
}

// Struct of a document.
func (m Maker) Struct(s *data.Schema, d *Document) (*data.Struct, error) {
	out := data.NewStruct(s)
	for i, name := range d.Names {
		at := s.Field(name)
		if at < 0 {
			continue
		}
		var err error
		if out.Values[at], err = m.Value(s.Fields[at].Schema, d.Values[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

// Value of a schema that was made for it.
func (m Maker) Value(s *data.Schema, v Value) (any, error) {
	switch v.Type {
	case Null, Undefined, Other:
		return nil, nil
	case Regex:
		parts := v.Value.([2]string)
		return &data.Struct{Schema: s, Values: []any{parts[0], parts[1]}}, nil
	case Doc:
		if s.Type != data.StructType {
			return nil, fmt.Errorf("a document for %s", s.Type)
		}
		return m.Struct(s, v.Value.(*Document))
	case Array:
		return m.elements(s, v.Value.([]Value))
	case DateTime, Timestamp:
		return v.Value.(time.Time), nil
	}
	return v.Value, nil
}

func (m Maker) elements(s *data.Schema, all []Value) (any, error) {
	if s.Type == data.StructType {
		d := &Document{}
		for i, v := range all {
			d.Set(fmt.Sprintf("_%d", i), v)
		}
		return m.Struct(s, d)
	}
	out := make([]any, len(all))
	for i, v := range all {
		var err error
		if out[i], err = m.Value(s.Value, v); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return out, nil
}
