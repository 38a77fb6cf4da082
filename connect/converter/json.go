package converter

import (
	"bytes"
	"fmt"
	"strconv"
	"sync"

	"github.com/pabal-dev/pabal/connect/data"
)

// JSON is org.apache.kafka.connect.json.JsonConverter.
type JSON struct {
	// Schemas writes and reads {"schema":…,"payload":…} instead of the value alone
	// (schemas.enable).
	Schemas bool
	// NumericDecimals are written as numbers instead of their bytes in base64
	// (decimal.format=NUMERIC).
	NumericDecimals bool
	// KeepNull writes null where a field with a default is nil, which is written as its default
	// otherwise (replace.null.with.default=false).
	KeepNull bool
	// Entries writes and reads maps whose keys are no strings as {"key":…,"value":…} instead of pairs,
	// and structs named OneOf as the one of their fields that is there, as Confluent's converter of
	// JSON with a JSON Schema does.
	Entries bool
	// MostSchemas are remembered; 0 means 1000, as in Kafka Connect (schemas.cache.size).
	MostSchemas int

	written schemaCache
	read    parsedCache
	names   nameCache
}

// Encode writes as Kafka Connect does, byte for byte.
func (c *JSON) Encode(_ string, s *data.Schema, value any) ([]byte, error) {
	if s == nil && value == nil {
		return nil, nil
	}
	room := rooms.Get().(*[]byte)
	defer rooms.Put(room)
	b, err := c.append((*room)[:0], s, value)
	if err != nil {
		return nil, err
	}
	if cap(b) <= mostRoom {
		*room = b
	}
	return bytes.Clone(b), nil
}

// rooms are where values are written to, so that each takes as much memory as it is long.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

const mostRoom = 1 << 20

// AppendEncode writes behind b what Encode does.
func (c *JSON) AppendEncode(b []byte, _ string, s *data.Schema, value any) ([]byte, error) {
	if s == nil && value == nil {
		return b, nil
	}
	return c.append(b, s, value)
}

func (c *JSON) append(b []byte, s *data.Schema, value any) ([]byte, error) {
	if !c.Schemas {
		return c.appendValue(b, s, value)
	}
	schema, err := c.written.of(c, s)
	if err != nil {
		return nil, err
	}
	b = append(b, `{"schema":`...)
	b = append(b, schema...)
	b = append(b, `,"payload":`...)
	if b, err = c.appendValue(b, s, value); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

func (c *JSON) appendValue(b []byte, s *data.Schema, value any) ([]byte, error) {
	if value == nil {
		switch {
		case s == nil, s.Default == nil && s.Optional, c.KeepNull && s.Optional:
			return append(b, "null"...), nil
		case s.Default == nil:
			return nil, data.Validate(s, nil)
		}
		value = s.Default
	}
	if s != nil && s.Name != "" {
		if b, done, err := c.appendLogical(b, s, value); done || err != nil {
			return b, err
		}
	}
	switch v := value.(type) {
	case string:
		return appendText(b, v), nil
	case int8:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int16:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int32:
		return strconv.AppendInt(b, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case float32:
		return appendFloat(b, float64(v), 32), nil
	case float64:
		return appendFloat(b, v, 64), nil
	case []byte:
		return appendBase64(b, v), nil
	case *data.Struct:
		return c.appendStruct(b, v)
	case []any:
		return c.appendArray(b, elementsOf(s), v)
	case *data.Map:
		return c.appendMap(b, s, v)
	}
	return nil, fmt.Errorf("%w: JSON has no %T", data.ErrData, value)
}

func (c *JSON) appendStruct(b []byte, v *data.Struct) (_ []byte, err error) {
	if len(v.Values) != len(v.Schema.Fields) {
		return nil, data.Validate(v.Schema, v)
	}
	if c.Entries && v.Schema.Name == OneOf {
		return c.appendOneOf(b, v)
	}
	b = append(b, '{')
	for i, name := range c.names.of(c, v.Schema) {
		b = append(b, name...)
		f := &v.Schema.Fields[i]
		if b, err = c.appendValue(b, f.Schema, v.Values[i]); err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return append(b, '}'), nil
}

func elementsOf(s *data.Schema) *data.Schema {
	if s == nil {
		return nil
	}
	return s.Value
}

func (c *JSON) appendArray(b []byte, elements *data.Schema, v []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, e := range v {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendValue(b, elements, e); err != nil {
			return nil, fmt.Errorf("element %d: %w", i, err)
		}
	}
	return append(b, ']'), nil
}

// appendMap writes an object where the keys are strings, else an array of pairs.
func (c *JSON) appendMap(b []byte, s *data.Schema, v *data.Map) (_ []byte, err error) {
	var keys, values *data.Schema
	if s != nil {
		keys, values = s.Key, s.Value
	}
	object := allStrings(keys, v.Keys) && !(c.Entries && keys != nil && keys.Optional)
	start, end := byte('['), byte(']')
	if object {
		start, end = '{', '}'
	}
	b = append(b, start)
	for i, key := range v.Keys {
		if i > 0 {
			b = append(b, ',')
		}
		if !object {
			b = append(b, c.entry("[", `{"key":`)...)
		}
		if b, err = c.appendValue(b, keys, key); err != nil {
			return nil, fmt.Errorf("key %d: %w", i, err)
		}
		separator := ":"
		if !object {
			separator = c.entry(",", `,"value":`)
		}
		if b, err = c.appendValue(append(b, separator...), values, v.Values[i]); err != nil {
			return nil, fmt.Errorf("value of %v: %w", key, err)
		}
		if !object {
			b = append(b, c.entry("]", "}")...)
		}
	}
	return append(b, end), nil
}

func allStrings(s *data.Schema, keys []any) bool {
	if s != nil {
		return s.Type == data.String
	}
	for _, key := range keys {
		if _, ok := key.(string); !ok {
			return false
		}
	}
	return true
}
