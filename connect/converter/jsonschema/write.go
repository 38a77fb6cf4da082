package jsonschema

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// deepest is how far schemas may be nested in each other.
const deepest = 100

// Parameters that make a string an enum.
const (
	enumMark   = "io.confluent.connect.json.Enum"
	enumPrefix = enumMark + "."
)

func (c *Converter) newPlan(s *data.Schema) (*plan, error) {
	w := &writer{json: &converter.JSON{Entries: true, NumericDecimals: c.json.NumericDecimals}, closed: c.closed}
	if err := w.schema(s, -1, s.Optional, 0); err != nil {
		return nil, err
	}
	title := s.Name
	if s.Optional {
		title = "" // a choice of null and the type has none
	}
	return &plan{string(w.out), title}, nil
}

type writer struct {
	json   *converter.JSON
	closed bool
	out    []byte
}

// schema writes one, as the field at index of its struct; -1 is no field.
func (w *writer) schema(s *data.Schema, index int, optional bool, depth int) error {
	switch {
	case s == nil:
		return fmt.Errorf("%w: JSON Schema needs a schema of every part", data.ErrData)
	case depth > deepest:
		return fmt.Errorf("%w: the schema is nested more than %d times", data.ErrData, deepest)
	case s.Type == data.StructType && s.Name == converter.OneOf:
		return w.choice(s, index, optional, depth)
	case optional:
		w.out = append(w.out, `{"oneOf":[{"type":"null"},`...)
		if err := w.schema(s, -1, false, depth+1); err != nil {
			return err
		}
		w.out = append(w.out, ']')
		w.index(index)
		w.out = append(w.out, '}')
		return nil
	}
	w.out = append(w.out, '{')
	if err := w.kind(s, depth); err != nil {
		return err
	}
	if err := w.about(s); err != nil {
		return err
	}
	w.index(index)
	w.out = append(w.out, '}')
	return nil
}

func (w *writer) index(index int) {
	if index >= 0 {
		w.out = strconv.AppendInt(append(w.out, `,"connect.index":`...), int64(index), 10)
	}
}

// choice is a struct of which one field is there.
func (w *writer) choice(s *data.Schema, index int, optional bool, depth int) error {
	w.out = append(w.out, `{"oneOf":[`...)
	if optional {
		w.out = append(w.out, `{"type":"null"}`...)
	}
	for i, f := range s.Fields {
		if i > 0 || optional {
			w.out = append(w.out, ',')
		}
		if err := w.schema(f.Schema, i, false, depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	w.index(index)
	w.out = append(w.out, '}')
	return nil
}

// kinds are the types of JSON that types of Kafka Connect have, and their connect.type.
var kinds = map[data.Type][2]string{
	data.Int8: {"integer", "int8"}, data.Int16: {"integer", "int16"}, data.Int32: {"integer", "int32"}, data.Int64: {"integer", "int64"},
	data.Float32: {"number", "float32"}, data.Float64: {"number", "float64"}, data.Boolean: {"boolean", ""}, data.String: {"string", ""},
	data.Bytes: {"string", "bytes"},
}

func (w *writer) kind(s *data.Schema, depth int) error {
	switch s.Type {
	case data.Array:
		w.out = append(w.out, `"type":"array","items":`...)
		return w.schema(s.Value, -1, isOptional(s.Value), depth+1)
	case data.MapType:
		return w.mapOf(s, depth)
	case data.StructType:
		return w.properties(s.Fields, depth)
	case data.String:
		if _, enum := s.Parameter(enumMark); enum {
			w.symbols(s.Parameters)
			return nil
		}
	}
	k, ok := kinds[s.Type]
	if !ok {
		return fmt.Errorf("%w: JSON Schema has no %s", data.ErrData, s.Type)
	}
	if s.Type == data.Bytes && s.Name == data.DecimalName {
		k[0] = "number"
	}
	w.member("type", k[0])
	if k[1] != "" {
		w.out = append(w.out, ',')
		w.member("connect.type", k[1])
	}
	return nil
}

func isOptional(s *data.Schema) bool { return s != nil && s.Optional }

func (w *writer) symbols(all []data.Parameter) {
	w.out = append(w.out, `"enum":[`...)
	first := true
	for _, p := range all {
		if !strings.HasPrefix(p.Name, enumPrefix) {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.text(p.Value)
	}
	w.out = append(w.out, ']')
}

// mapOf is an object where the keys are strings, else an array of entries.
func (w *writer) mapOf(s *data.Schema, depth int) error {
	if s.Key != nil && s.Key.Type == data.String && !s.Key.Optional {
		w.out = append(w.out, `"type":"object","connect.type":"map","additionalProperties":`...)
		return w.schema(s.Value, -1, isOptional(s.Value), depth+1)
	}
	w.out = append(w.out, `"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":`...)
	if err := w.schema(s.Key, 0, isOptional(s.Key), depth+1); err != nil {
		return err
	}
	w.out = append(w.out, `,"value":`...)
	if err := w.schema(s.Value, 1, isOptional(s.Value), depth+1); err != nil {
		return err
	}
	w.out = append(w.out, "}}"...)
	return nil
}

func (w *writer) properties(fields []data.Field, depth int) error {
	w.out = append(w.out, `"type":"object","properties":{`...)
	for i, f := range fields {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		w.text(f.Name)
		w.out = append(w.out, ':')
		if err := w.schema(f.Schema, i, isOptional(f.Schema), depth+1); err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	w.out = append(w.out, '}')
	if w.closed {
		w.out = append(w.out, `,"additionalProperties":false`...)
	}
	return nil
}

// about writes what a schema says of itself beside its type.
func (w *writer) about(s *data.Schema) error {
	for _, m := range [][2]string{{"title", s.Name}, {"description", s.Doc}} {
		if m[1] != "" {
			w.out = append(w.out, ',')
			w.member(m[0], m[1])
		}
	}
	if s.Version != 0 {
		w.out = strconv.AppendInt(append(w.out, `,"connect.version":`...), int64(s.Version), 10)
	}
	w.parameters(s.Parameters)
	if s.Default == nil {
		return nil
	}
	out, err := w.json.AppendEncode(append(w.out, `,"default":`...), "", s, s.Default)
	if err == nil {
		w.out = out
	}
	return err
}

func (w *writer) parameters(all []data.Parameter) {
	separator := `,"connect.parameters":{`
	for _, p := range all {
		if !strings.HasPrefix(p.Name, "io.confluent.connect.json") {
			w.out = append(w.out, separator...)
			w.member(p.Name, p.Value)
			separator = ","
		}
	}
	if separator == "," {
		w.out = append(w.out, '}')
	}
}

func (w *writer) member(name, value string) {
	w.text(name)
	w.out = append(w.out, ':')
	w.text(value)
}

func (w *writer) text(s string) {
	b, _ := json.Marshal(s) // a string always has a form
	w.out = append(w.out, b...)
}
