package outbox

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// expander makes structs of text that is JSON.
type expander struct {
	// name of the schema.
	name                string
	keepNull, keepEmpty bool
	plain               converter.JSON
	shapes              shapes
}

// payload is as it was where it is no text of a JSON object.
func (e *expander) payload(s *data.Schema, payload any) (*data.Schema, any) {
	text, ok := payload.(string)
	if !ok {
		if payload != nil {
			slog.Warn("outbox: the payload is to be expanded, and is no text", "type", fmt.Sprintf("%T", payload))
		}
		return s, payload
	}
	made, v, err := e.expand(text)
	if err != nil {
		slog.Warn("outbox: the payload is no JSON that can be expanded", "error", err)
		return s, payload
	}
	return made, v
}

func (e *expander) expand(text string) (*data.Schema, any, error) {
	if !strings.HasPrefix(text, "{") {
		return nil, nil, errors.New("it is no JSON object")
	}
	_, v, err := e.plain.Decode("", []byte(text))
	if err != nil {
		return nil, nil, err
	}
	s, err := e.schema(e.name, v)
	if err != nil {
		return nil, nil, err
	}
	s = e.shapes.one(s)
	out, err := e.value(s, v)
	return s, out, err
}

// Schemas of what JSON has.
var (
	optString  = data.OptionalOf(data.String)
	optBoolean = data.OptionalOf(data.Boolean)
	optInt32   = data.OptionalOf(data.Int32)
	optInt64   = data.OptionalOf(data.Int64)
	optFloat64 = data.OptionalOf(data.Float64)
	optBytes   = data.OptionalOf(data.Bytes)
)

// schema found out of a value; nil is for what is left out.
func (e *expander) schema(name string, v any) (*data.Schema, error) {
	switch v := v.(type) {
	case nil:
		if e.keepNull {
			return optBytes, nil
		}
		return nil, nil
	case string:
		return optString, nil
	case bool:
		return optBoolean, nil
	case int64:
		if v >= math.MinInt32 && v <= math.MaxInt32 {
			return optInt32, nil
		}
		return optInt64, nil
	case float64:
		return optFloat64, nil
	case []any:
		return e.array(name, v)
	case *data.Map:
		return e.object(name, v)
	}
	return nil, fmt.Errorf("%T is nothing that JSON has", v)
}

func (e *expander) object(name string, m *data.Map) (*data.Schema, error) {
	s := &data.Schema{Type: data.StructType, Name: name, Optional: true}
	for i, key := range m.Keys {
		field, _ := key.(string)
		inner := field
		if strings.TrimSpace(name) != "" {
			inner = name + "." + field
		}
		f, err := e.schema(inner, m.Values[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
		if f != nil && s.Field(field) < 0 {
			s.Fields = append(s.Fields, data.Field{Name: field, Schema: f})
		}
	}
	return s, nil
}

// array needs elements of one kind.
func (e *expander) array(name string, all []any) (*data.Schema, error) {
	if len(all) == 0 {
		if e.keepEmpty {
			return &data.Schema{Type: data.Array, Value: optString, Optional: true}, nil
		}
		return nil, nil
	}
	var first any
	for _, v := range all {
		switch {
		case v == nil:
		case first == nil:
			first = v
		case !sameKind(first, v):
			return nil, fmt.Errorf("Field is not a homogenous array (%T x %T).", first, v) //nolint:staticcheck // Debezium's own words
		}
	}
	elements, err := e.elements(name, first, all)
	if err == nil && elements == nil {
		err = errors.New("Array has unrecognized member schema.") //nolint:staticcheck // see above
	}
	return &data.Schema{Type: data.Array, Value: elements, Optional: true}, err
}

func (e *expander) elements(name string, first any, all []any) (*data.Schema, error) {
	if _, ok := first.(*data.Map); !ok {
		return e.schema("", first)
	}
	var merged *data.Schema
	var seen []*data.Schema
	for _, v := range all {
		if v == nil {
			continue
		}
		s, err := e.schema(name, v)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(seen, s.Equal) {
			merged, seen = merge(merged, s), append(seen, s)
		}
	}
	return merged, nil
}

// merge has the fields of both; where one had null only, the other's.
func merge(a, b *data.Schema) *data.Schema {
	if a == nil {
		return b
	}
	// Debezium leaves out here that elements may be null.
	out := &data.Schema{Type: data.StructType, Name: a.Name, Fields: append([]data.Field(nil), a.Fields...)}
	for _, f := range b.Fields {
		if i := out.Field(f.Name); i < 0 {
			out.Fields = append(out.Fields, f)
		} else if out.Fields[i].Schema.Type == data.Bytes && f.Schema.Type != data.Bytes {
			out.Fields[i] = f
		}
	}
	return out
}

// sameKind of JSON, and of numbers the same size.
func sameKind(a, b any) bool {
	switch x := a.(type) {
	case int64:
		y, ok := b.(int64)
		small := func(n int64) bool { return n == int64(int32(n)) }
		return ok && small(x) == small(y)
	case float64:
		_, ok := b.(float64)
		return ok
	}
	ta, _ := data.TypeOfValue(a)
	tb, _ := data.TypeOfValue(b)
	return ta == tb
}

// value of the schema that was found.
func (e *expander) value(s *data.Schema, v any) (any, error) {
	switch v := v.(type) {
	case int64:
		switch s.Type {
		case data.Int32:
			return int32(v), nil
		case data.Float64:
			return float64(v), nil
		}
	case []any:
		out := make([]any, len(v))
		for i := range v {
			var err error
			if out[i], err = e.value(s.Value, v[i]); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *data.Map:
		out := data.NewStruct(s)
		for i, f := range s.Fields {
			inner, _ := v.Get(f.Name)
			var err error
			if out.Values[i], err = e.value(f.Schema, inner); err != nil {
				return nil, err
			}
		}
		return out, data.Validate(s, out)
	}
	return v, nil
}
