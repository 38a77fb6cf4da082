package jsonschema

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// reader makes Kafka Connect's schemas of JSON Schemas.
type reader struct {
	loose  bool
	others map[string]*data.Map // documents, by the names of references
	left   int                  // schemas that may be read: a $ref may lead to the same one many times
}

func (r *reader) schema(p place, optional bool, depth int) (*data.Schema, error) {
	if r.left--; r.left < 0 || depth > deepest {
		return nil, fmt.Errorf("it has too many parts, is nested more than %d times or refers to itself, which Kafka Connect's data cannot", deepest)
	}
	if ref, ok := get(p.at, "$ref").(string); ok {
		to, err := r.follow(p, ref)
		if err != nil {
			return nil, err
		}
		return r.schema(to, optional, depth+1)
	}
	for _, key := range []string{"oneOf", "anyOf"} {
		if all, ok := get(p.at, key).([]any); ok {
			return r.choice(p, all, optional, depth)
		}
	}
	if all, ok := get(p.at, "allOf").([]any); ok {
		return r.all(p, all, optional, depth)
	}
	if kinds, ok := get(p.at, "type").([]any); ok {
		return r.choice(p, withTypes(p.at, kinds), optional, depth)
	}
	s, err := r.plain(p, depth)
	if err != nil {
		return nil, err
	}
	s.Optional = s.Optional || optional
	return s, r.about(s, p.at)
}

// withTypes are schemas of one type each, for one that has several.
func withTypes(m *data.Map, kinds []any) []any {
	out := make([]any, len(kinds))
	for i, kind := range kinds {
		one := &data.Map{Keys: slices.Clone(m.Keys), Values: slices.Clone(m.Values)}
		one.Put("type", kind)
		out[i] = one
	}
	return out
}

// choice of null and a type is that type, optional; others are a struct with a field for each type.
func (r *reader) choice(p place, all []any, optional bool, depth int) (*data.Schema, error) {
	var types []place
	for _, v := range all {
		m, ok := v.(*data.Map)
		if !ok {
			return nil, errors.New("a choice in it has what is no object")
		}
		if textOf(m, "type") == "null" {
			optional = true
		} else {
			types = append(types, place{p.document, m})
		}
	}
	if len(types) == 1 && len(all) == 2 {
		return r.schema(types[0], optional, depth+1)
	}
	s := &data.Schema{Type: data.StructType, Name: converter.OneOf, Optional: optional}
	for i, t := range types {
		one, err := r.schema(t, true, depth+1)
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, data.Field{Name: fmt.Sprintf("%s.field.%d", converter.OneOf, i), Schema: one})
	}
	return s, nil
}

// all is the one among schemas that says the type.
func (r *reader) all(p place, all []any, optional bool, depth int) (*data.Schema, error) {
	for _, want := range []func(*data.Map) bool{
		func(m *data.Map) bool { return get(m, "enum") != nil },
		func(m *data.Map) bool { return get(m, "$ref") != nil || get(m, "properties") != nil },
		func(m *data.Map) bool { return get(m, "type") != nil },
	} {
		for _, v := range all {
			if m, ok := v.(*data.Map); ok && want(m) {
				return r.schema(place{p.document, m}, optional, depth+1)
			}
		}
	}
	return nil, errors.New("an allOf in it names no type")
}

func (r *reader) plain(p place, depth int) (*data.Schema, error) {
	own := textOf(p.at, "connect.type")
	if symbols, ok := get(p.at, "enum").([]any); ok {
		return enum(symbols), nil
	}
	switch kind := kindOf(p.at); kind {
	case "boolean":
		return data.Of(data.Boolean), nil
	case "integer", "number":
		return number(kind, own)
	case "string":
		if own == "bytes" {
			return data.Of(data.Bytes), nil
		}
		return data.Of(data.String), nil
	case "array":
		return r.array(p, own, depth)
	case "object":
		if own == "map" {
			values, err := r.child(p, "additionalProperties", depth)
			return &data.Schema{Type: data.MapType, Key: data.Of(data.String), Value: values}, err
		}
		return r.object(p, depth)
	default:
		return nil, fmt.Errorf("Kafka Connect's data has no type %q", kind)
	}
}

// kindOf is the type, or that which its attributes are for.
func kindOf(m *data.Map) string {
	if kind := textOf(m, "type"); kind != "" {
		return kind
	}
	switch {
	case get(m, "properties") != nil:
		return "object"
	case get(m, "items") != nil:
		return "array"
	}
	if _, ok := get(m, "const").(string); ok {
		return "string"
	}
	return ""
}

func number(kind, own string) (*data.Schema, error) {
	if own == "" {
		own = map[string]string{"integer": "int64", "number": "float64"}[kind]
	}
	t, ok := map[string]data.Type{
		"int8": data.Int8, "int16": data.Int16, "int32": data.Int32, "int64": data.Int64, "float32": data.Float32, "float64": data.Float64, "bytes": data.Bytes,
	}[own]
	if !ok {
		return nil, fmt.Errorf("its connect.type of a number is %q", own)
	}
	return data.Of(t), nil
}

func enum(symbols []any) *data.Schema {
	s := &data.Schema{Type: data.String, Parameters: []data.Parameter{{Name: enumMark}}}
	for _, v := range symbols {
		text := fmt.Sprint(v)
		s.Parameters = append(s.Parameters, data.Parameter{Name: enumPrefix + text, Value: text})
	}
	return s
}

func (r *reader) child(p place, name string, depth int) (*data.Schema, error) {
	m, ok := get(p.at, name).(*data.Map)
	if !ok {
		return nil, fmt.Errorf("it has no %q that is a schema", name)
	}
	return r.schema(place{p.document, m}, false, depth+1)
}

func (r *reader) array(p place, own string, depth int) (*data.Schema, error) {
	if own != "map" {
		items, err := r.child(p, "items", depth)
		return &data.Schema{Type: data.Array, Value: items}, err
	}
	entry, err := r.child(p, "items", depth)
	if err != nil {
		return nil, err
	}
	key, value := entry.Field("key"), entry.Field("value")
	if key < 0 || value < 0 {
		return nil, errors.New("the entries of a map have no key and value")
	}
	return &data.Schema{Type: data.MapType, Key: entry.Fields[key].Schema, Value: entry.Fields[value].Schema}, nil
}

// object is a struct; its fields are in the order of connect.index, and otherwise as they stand.
func (r *reader) object(p place, depth int) (*data.Schema, error) {
	s := &data.Schema{Type: data.StructType}
	properties, _ := get(p.at, "properties").(*data.Map)
	if properties == nil {
		return s, nil
	}
	required, _ := get(p.at, "required").([]any)
	order := map[string]int64{}
	for i, key := range properties.Keys {
		name, _ := key.(string)
		m, ok := properties.Values[i].(*data.Map)
		if !ok {
			return nil, fmt.Errorf("property %s: it is no object", name)
		}
		one, err := r.schema(place{p.document, m}, r.loose && !slices.Contains(required, any(name)), depth+1)
		if err != nil {
			return nil, fmt.Errorf("property %s: %w", name, err)
		}
		order[name] = int64(i)
		if index, ok := get(m, "connect.index").(int64); ok {
			order[name] = index
		}
		s.Fields = append(s.Fields, data.Field{Name: name, Schema: one})
	}
	slices.SortStableFunc(s.Fields, func(a, b data.Field) int { return cmp.Compare(order[a.Name], order[b.Name]) })
	return s, nil
}

// about reads what a schema says of itself beside its type.
func (r *reader) about(s *data.Schema, m *data.Map) error {
	s.Name, s.Doc = textOf(m, "title"), textOf(m, "description")
	if version, ok := get(m, "connect.version").(int64); ok && version > 0 && version <= math.MaxInt32 {
		s.Version = int(version)
	}
	if parameters, ok := get(m, "connect.parameters").(*data.Map); ok {
		for i, key := range parameters.Keys {
			s.Parameters = append(s.Parameters, data.Parameter{Name: fmt.Sprint(key), Value: fmt.Sprint(parameters.Values[i])})
		}
	}
	value := get(m, "default")
	if value == nil {
		return nil
	}
	text, err := (&converter.JSON{}).Encode("", nil, value)
	if err == nil {
		s.Default, err = (&converter.JSON{Entries: true}).DecodeAs(s, text)
	}
	if err != nil {
		return fmt.Errorf("its default: %w", err)
	}
	return nil
}
