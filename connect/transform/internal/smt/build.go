package smt

import (
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
)

// Builder makes the schema of a struct, field by field.
type Builder struct {
	Schema *data.Schema
	err    error
}

// NewBuilder of a struct without a name.
func NewBuilder() *Builder { return &Builder{Schema: &data.Schema{Type: data.StructType}} }

// BuilderLike begins with name, version, documentation and parameters of a struct; whether it is
// optional and its default are left out, as Kafka Connect's transforms do.
func BuilderLike(s *data.Schema) *Builder {
	return &Builder{Schema: &data.Schema{Type: data.StructType, Name: s.Name, Version: s.Version, Doc: s.Doc, Parameters: s.Parameters}}
}

// Add a field. The first name that is there already fails the whole.
func (b *Builder) Add(name string, s *data.Schema) {
	if b.err == nil && b.Schema.Field(name) >= 0 {
		b.err = fmt.Errorf("Cannot create field because of field name duplication %s", name) //nolint:staticcheck // Kafka Connect's own words
	}
	b.Schema.Fields = append(b.Schema.Fields, data.Field{Name: name, Schema: s})
}

// Has says whether there is such a field.
func (b *Builder) Has(name string) bool { return b.Schema.Field(name) >= 0 }

// Build is the schema.
func (b *Builder) Build() (*data.Schema, error) { return b.Schema, b.err }

// At is the value of a struct's i-th field: its default where it is nil, if defaults count.
func At(s *data.Struct, i int, defaults bool) any {
	if v := s.Values[i]; v != nil || !defaults {
		return v
	}
	return s.Schema.Fields[i].Schema.Default
}

// CloneMap is a map of its own with the same entries.
func CloneMap(m *data.Map) *data.Map {
	return &data.Map{Keys: append([]any(nil), m.Keys...), Values: append([]any(nil), m.Values...)}
}

// Timestamp schemas, and those of the types that metadata have.
var (
	OptionalString    = data.OptionalOf(data.String)
	OptionalInt32     = data.OptionalOf(data.Int32)
	OptionalInt64     = data.OptionalOf(data.Int64)
	String            = data.Of(data.String)
	Int32             = data.Of(data.Int32)
	Int64             = data.Of(data.Int64)
	Timestamp         = data.Named(data.Int64, data.TimestampName)
	OptionalTimestamp = Timestamp.AsOptional()
)
