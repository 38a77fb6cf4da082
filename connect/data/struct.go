package data

import "fmt"

// Struct is a value of a struct's schema.
type Struct struct {
	Schema *Schema
	// Values are as many as the schema's fields, in their order.
	Values []any
}

// NewStruct has nil for each field.
func NewStruct(s *Schema) *Struct { return &Struct{Schema: s, Values: make([]any, len(s.Fields))} }

// Get is the value of a field; its default where it is nil, and nil where there is no such field.
func (s *Struct) Get(name string) any {
	i := s.Schema.Field(name)
	if i < 0 {
		return nil
	}
	if s.Values[i] == nil {
		return s.Schema.Fields[i].Schema.Default
	}
	return s.Values[i]
}

// Set the value of a field. The error says that there is no such field.
func (s *Struct) Set(name string, value any) error {
	i := s.Schema.Field(name)
	if i < 0 {
		return fmt.Errorf("%w: %s has no field %q", ErrData, s.Schema.describe(), name)
	}
	s.Values[i] = value
	return nil
}

// Map is a value of a map's schema. Its order is that in which entries were added, so that the
// same map is always written the same.
type Map struct{ Keys, Values []any }

// Put adds an entry, or replaces the one with an equal key.
func (m *Map) Put(key, value any) {
	for i, k := range m.Keys {
		if equalKeys(k, key) {
			m.Values[i] = value
			return
		}
	}
	m.Keys, m.Values = append(m.Keys, key), append(m.Values, value)
}

// Get is the value of a key.
func (m *Map) Get(key any) (any, bool) {
	for i, k := range m.Keys {
		if equalKeys(k, key) {
			return m.Values[i], true
		}
	}
	return nil, false
}
