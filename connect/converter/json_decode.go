package converter

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/pabal-dev/pabal/connect/data"
)

// ErrBytes is wrapped by errors about bytes that a converter cannot read.
var ErrBytes = errors.New("the bytes cannot be converted")

// Decode reads what Encode, or Kafka Connect's converter, wrote. Without schemas integers are
// int64, other numbers float64 and objects maps.
func (c *JSON) Decode(_ string, b []byte) (*data.Schema, any, error) {
	if len(b) == 0 {
		return nil, nil, nil
	}
	if !c.Schemas {
		value, err := c.decode(nil, b)
		return nil, value, err
	}
	var envelope map[string]json.RawMessage
	if err := json.Unmarshal(b, &envelope); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrBytes, err)
	}
	schema, ok := envelope["schema"]
	payload, both := envelope["payload"]
	if envelope == nil || !ok || !both || len(envelope) != 2 {
		return nil, nil, fmt.Errorf(`%w: it is not {"schema":…,"payload":…}: set schemas.enable=false for JSON alone`, ErrBytes)
	}
	s, err := c.read.of(c, schema)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: schema: %w", ErrBytes, err)
	}
	value, err := c.decode(s, payload)
	return s, value, err
}

// decode reads one value.
func (c *JSON) decode(s *data.Schema, b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	r := reader{d: d, entries: c.Entries}
	value, err := r.value(s)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBytes, err)
	}
	return value, nil
}

// deepestValue is how far arrays and objects may be nested in each other, as in Kafka Connect.
const deepestValue = 1000

// reader makes values of the tokens of JSON.
type reader struct {
	d       *json.Decoder
	entries bool
	depth   int // arrays and objects around what is read
}

func (r reader) value(s *data.Schema) (any, error) {
	if r.entries && s != nil && s.Name == OneOf && s.Type == data.StructType {
		return r.oneOf(s)
	}
	token, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	return r.from(s, token)
}

// from begins with a token.
func (r reader) from(s *data.Schema, token json.Token) (any, error) {
	if token == nil {
		if s == nil || s.Optional {
			return nil, nil
		}
		if s.Default != nil {
			return s.Default, nil
		}
		return nil, data.Validate(s, nil)
	}
	if s == nil {
		return r.free(token)
	}
	if s.Name == data.DecimalName {
		return decimalOf(s, token)
	}
	value, err := r.typed(s, token)
	if err != nil {
		return nil, err
	}
	switch s.Name {
	case data.DateName, data.TimeName, data.TimestampName:
		switch n := value.(type) {
		case int32:
			return decodeTime(s.Name, int64(n)), nil
		case int64:
			return decodeTime(s.Name, n), nil
		}
	}
	return value, nil
}

// free is a value without a schema.
func (r reader) free(token json.Token) (any, error) {
	switch v := token.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n, nil
		}
		return v.Float64()
	case json.Delim:
		if v == '[' {
			return r.within((reader).array, nil)
		}
		return r.within((reader).object, nil)
	}
	return token, nil // a string or a boolean
}

func (r reader) typed(s *data.Schema, token json.Token) (any, error) {
	switch v := token.(type) {
	case json.Number:
		return number(s.Type, v.String())
	case bool:
		if s.Type == data.Boolean {
			return v, nil
		}
	case string:
		return text(s.Type, v)
	case json.Delim:
		switch {
		case v == '[' && s.Type == data.Array:
			return r.within((reader).array, s.Value)
		case v == '[' && s.Type == data.MapType:
			if r.entries {
				return r.within((reader).entriesOf, s)
			}
			return r.within((reader).pairs, s)
		case v == '{' && s.Type == data.MapType:
			return r.within((reader).object, s)
		case v == '{' && s.Type == data.StructType:
			return r.within((reader).fields, s)
		}
	}
	return nil, fmt.Errorf("%v is no %s", token, s.Type)
}

// within reads what is in an array or object.
func (r reader) within(read func(reader, *data.Schema) (any, error), s *data.Schema) (any, error) {
	if r.depth++; r.depth > deepestValue {
		return nil, fmt.Errorf("it is nested more than %d times", deepestValue)
	}
	return read(r, s)
}

func number(t data.Type, digits string) (any, error) {
	switch t {
	case data.Int8:
		n, err := strconv.ParseInt(digits, 10, 8)
		return int8(n), err
	case data.Int16:
		n, err := strconv.ParseInt(digits, 10, 16)
		return int16(n), err
	case data.Int32:
		n, err := strconv.ParseInt(digits, 10, 32)
		return int32(n), err
	case data.Int64:
		return strconv.ParseInt(digits, 10, 64)
	case data.Float32:
		f, err := strconv.ParseFloat(digits, 32)
		return float32(f), err
	case data.Float64:
		return strconv.ParseFloat(digits, 64)
	}
	return nil, fmt.Errorf("%s is no %s", digits, t)
}

// text reads strings, and what JSON has only strings for.
func text(t data.Type, v string) (any, error) {
	switch t {
	case data.String:
		return v, nil
	case data.Bytes:
		return base64.StdEncoding.DecodeString(v)
	case data.Float32, data.Float64:
		if v == "NaN" || v == "Infinity" || v == "-Infinity" {
			return number(t, v)
		}
	}
	return nil, fmt.Errorf("%q is no %s", v, t)
}

func decimalOf(s *data.Schema, token json.Token) (any, error) {
	scale, err := scaleOf(s)
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case string:
		b, err := base64.StdEncoding.DecodeString(v)
		return data.DecimalOf(b, scale), err
	case json.Number:
		d, err := data.ParseDecimal(v.String())
		if err != nil {
			return nil, err
		}
		return d.WithScale(scale)
	}
	return nil, fmt.Errorf("%v is no decimal", token)
}

func (r reader) array(elements *data.Schema) (any, error) {
	all := []any{}
	for r.d.More() {
		v, err := r.value(elements)
		if err != nil {
			return nil, fmt.Errorf("element %d: %w", len(all), err)
		}
		all = append(all, v)
	}
	return all, r.end()
}

// object is a map whose keys are strings.
func (r reader) object(s *data.Schema) (any, error) {
	var values *data.Schema
	if s != nil {
		if values = s.Value; s.Key.Type != data.String {
			return nil, fmt.Errorf("an object is no map of %s", s.Key.Type)
		}
	}
	m := &data.Map{}
	for r.d.More() {
		key, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		v, err := r.value(values)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", key, err)
		}
		m.Keys, m.Values = append(m.Keys, key), append(m.Values, v)
	}
	return m, r.end()
}

// pairs is a map of other keys.
func (r reader) pairs(s *data.Schema) (any, error) {
	m := &data.Map{}
	for r.d.More() {
		if token, err := r.d.Token(); err != nil || token != json.Delim('[') {
			return nil, fmt.Errorf("%v is no pair of key and value, %w", token, err)
		}
		key, err := r.value(s.Key)
		if err != nil {
			return nil, err
		}
		v, err := r.value(s.Value)
		if err != nil {
			return nil, err
		}
		m.Put(key, v)
		if err := r.end(); err != nil {
			return nil, err
		}
	}
	return m, r.end()
}

// fields of a struct, in any order; those the schema does not have are skipped.
func (r reader) fields(s *data.Schema) (any, error) {
	v := data.NewStruct(s)
	for r.d.More() {
		key, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		i := s.Field(name)
		if i < 0 {
			var skipped json.RawMessage
			if err := r.d.Decode(&skipped); err != nil {
				return nil, err
			}
			continue
		}
		if v.Values[i], err = r.value(s.Fields[i].Schema); err != nil {
			return nil, fmt.Errorf("field %s: %w", name, err)
		}
	}
	for i, f := range s.Fields {
		if v.Values[i] == nil && !f.Schema.Optional {
			if v.Values[i] = f.Schema.Default; v.Values[i] == nil {
				return nil, fmt.Errorf("field %s: %w", f.Name, data.Validate(f.Schema, nil))
			}
		}
	}
	return v, r.end()
}

// end reads the closing bracket.
func (r reader) end() error {
	token, err := r.d.Token()
	if _, ok := token.(json.Delim); err == nil && !ok {
		err = fmt.Errorf("%v where it should end", token)
	}
	return err
}
