package converter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/data"
)

// OneOf is the name of a struct that stands for a choice: at most one of its fields is there.
const OneOf = "io.confluent.connect.json.OneOf"

// entry is a part of a map's entry, in the form that is written.
func (c *JSON) entry(pair, object string) string {
	if c.Entries {
		return object
	}
	return pair
}

func (c *JSON) appendOneOf(b []byte, v *data.Struct) ([]byte, error) {
	for i, f := range v.Schema.Fields {
		if v.Values[i] != nil {
			return c.appendValue(b, f.Schema, v.Values[i])
		}
	}
	return c.appendValue(b, v.Schema, nil)
}

// DecodeAs reads a value that has the schema, which is not in the bytes.
func (c *JSON) DecodeAs(s *data.Schema, b []byte) (any, error) { return c.decode(s, b) }

// oneOf is a struct with the first field whose schema the value has.
func (r reader) oneOf(s *data.Schema) (any, error) {
	var raw json.RawMessage
	if err := r.d.Decode(&raw); err != nil {
		return nil, err
	}
	if string(raw) == "null" {
		return r.from(s, nil)
	}
	for i, f := range s.Fields {
		if !fits(f.Schema, raw) {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		v := data.NewStruct(s)
		var err error
		v.Values[i], err = reader{d, true, r.depth}.value(f.Schema)
		return v, err
	}
	return nil, errors.New("it is none of the types that it may have")
}

// fits tells by its kind whether a value is one of the schema.
func fits(s *data.Schema, raw json.RawMessage) bool {
	number := raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'
	switch s.Type {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		return number && !strings.ContainsAny(string(raw), ".eE")
	case data.Float32, data.Float64:
		return number
	case data.Boolean:
		return raw[0] == 't' || raw[0] == 'f'
	case data.String:
		return raw[0] == '"'
	case data.Bytes:
		return raw[0] == '"' || number && s.Name == data.DecimalName
	case data.Array:
		return raw[0] == '['
	case data.MapType:
		return raw[0] == '{' || raw[0] == '['
	}
	var members map[string]json.RawMessage
	if raw[0] != '{' || json.Unmarshal(raw, &members) != nil {
		return false
	}
	for name := range members {
		if s.Field(name) < 0 {
			return false
		}
	}
	return true
}

// entriesOf is a map whose keys are no strings, as objects of key and value.
func (r reader) entriesOf(s *data.Schema) (any, error) {
	entry := data.StructOf("", data.Field{Name: "key", Schema: s.Key}, data.Field{Name: "value", Schema: s.Value})
	m := &data.Map{}
	for r.d.More() {
		v, err := r.value(entry)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(m.Keys), err)
		}
		pair := v.(*data.Struct).Values
		m.Put(pair[0], pair[1])
	}
	return m, r.end()
}
