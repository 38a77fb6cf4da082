package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

// simple writes values that have no parts.
func simple(s *data.Schema) (writer, bool) {
	if _, ok := avroTypes[s.Type]; !ok {
		return nil, false
	}
	return func(b []byte, value any) ([]byte, error) {
		if out, ok := appendSimple(b, s, value); ok {
			return out, nil
		}
		if s.Name == data.DecimalName {
			return appendDecimal(b, s, value)
		}
		return b, unfit(s, value)
	}, true
}

func appendSimple(b []byte, s *data.Schema, value any) ([]byte, bool) {
	if n, ok := number(s, value); ok {
		return binary.AppendVarint(b, n), true
	}
	if s.Name == data.DecimalName {
		return b, false
	}
	switch v := value.(type) {
	case string:
		return append(binary.AppendVarint(b, int64(len(v))), v...), s.Type == data.String
	case []byte:
		return append(binary.AppendVarint(b, int64(len(v))), v...), s.Type == data.Bytes
	case bool:
		if v {
			return append(b, 1), s.Type == data.Boolean
		}
		return append(b, 0), s.Type == data.Boolean
	case float32:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(v)), s.Type == data.Float32
	case float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v)), s.Type == data.Float64
	}
	return b, false
}

// number is a value that Avro has as an int or long.
func number(s *data.Schema, value any) (int64, bool) {
	switch v := value.(type) {
	case int64:
		return v, s.Type == data.Int64 && s.Name != data.TimestampName
	case int32:
		return int64(v), s.Type == data.Int32 && s.Name != data.DateName && s.Name != data.TimeName
	case int16:
		return int64(v), s.Type == data.Int16
	case int8:
		return int64(v), s.Type == data.Int8
	case time.Time:
		return sinceEpoch(s.Name, v), logicalType(s) != "" && s.Type != data.Bytes
	}
	return 0, false
}

const day = 24 * 60 * 60 * 1000 // milliseconds

// sinceEpoch: days, milliseconds of the day, or milliseconds, since 1970.
func sinceEpoch(name string, t time.Time) int64 {
	ms := t.UnixMilli()
	switch {
	case name == data.DateName:
		return (ms - (ms%day+day)%day) / day
	case name == data.TimeName && ms != day: // 24:00, which Kafka Connect lets be
		return (ms%day + day) % day
	}
	return ms
}

func appendDecimal(b []byte, s *data.Schema, value any) ([]byte, error) {
	d, ok := value.(data.Decimal)
	if !ok || s.Type != data.Bytes {
		return b, unfit(s, value)
	}
	if _, there := s.Parameter("scale"); !there {
		return b, fmt.Errorf("%w: the schema of a decimal has no scale", data.ErrData)
	}
	if scale, _ := decimalOf(s); scale != d.Scale {
		return b, fmt.Errorf("%w: a decimal of scale %d for one of scale %d", data.ErrData, d.Scale, scale)
	}
	bytes := d.Bytes()
	return append(binary.AppendVarint(b, int64(len(bytes))), bytes...), nil
}

func unfit(s *data.Schema, value any) error {
	if err := data.Validate(s, value); err != nil {
		return err
	}
	if value == nil {
		return fmt.Errorf("%w: nil where Avro has no null", data.ErrData)
	}
	return fmt.Errorf("%w: %T for %s", data.ErrData, value, s.Type)
}

func writeArray(s *data.Schema, element writer) writer {
	return func(b []byte, value any) (_ []byte, err error) {
		list, ok := value.([]any)
		if !ok {
			return b, unfit(s, value)
		}
		if len(list) > 0 {
			b = binary.AppendVarint(b, int64(len(list)))
		}
		for i, e := range list {
			if b, err = element(b, orDefault(s.Value, e)); err != nil {
				return b, fmt.Errorf("element %d: %w", i, err)
			}
		}
		return append(b, 0), nil
	}
}

// writeMap writes an array of entries where there is a writer of keys.
func writeMap(s *data.Schema, key, element writer) writer {
	return func(b []byte, value any) (_ []byte, err error) {
		m, ok := value.(*data.Map)
		if !ok {
			return b, unfit(s, value)
		}
		if len(m.Keys) > 0 {
			b = binary.AppendVarint(b, int64(len(m.Keys)))
		}
		for i, k := range m.Keys {
			switch text, isText := k.(string); {
			case key != nil:
				b, err = key(b, orDefault(s.Key, k))
			case isText:
				b = append(binary.AppendVarint(b, int64(len(text))), text...)
			default:
				err = unfit(s.Key, k)
			}
			if err == nil {
				b, err = element(b, orDefault(s.Value, m.Values[i]))
			}
			if err != nil {
				return b, fmt.Errorf("entry %v: %w", k, err)
			}
		}
		return append(b, 0), nil
	}
}

func writeStruct(s *data.Schema, fields []writer) writer {
	return func(b []byte, value any) (_ []byte, err error) {
		v, ok := value.(*data.Struct)
		if !ok || len(v.Values) != len(fields) {
			return b, unfit(s, value)
		}
		for i, write := range fields {
			if b, err = write(b, orDefault(s.Fields[i].Schema, v.Values[i])); err != nil {
				return b, fmt.Errorf("field %s: %w", s.Fields[i].Name, err)
			}
		}
		return b, nil
	}
}

// orDefault: nil stands for the default.
func orDefault(s *data.Schema, value any) any {
	if value == nil {
		return s.Default
	}
	return value
}
