package converter

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/connect/data"
)

// String is org.apache.kafka.connect.storage.StringConverter: the text of any value, in UTF-8.
type String struct{}

// Encode writes values as Java's toString does.
func (String) Encode(_ string, _ *data.Schema, value any) ([]byte, error) {
	if value == nil {
		return nil, nil
	}
	return appendToString([]byte{}, value) // no text is not null
}

// Decode reads text.
func (String) Decode(_ string, b []byte) (*data.Schema, any, error) {
	if b == nil {
		return data.OptionalOf(data.String), nil, nil
	}
	if !utf8.Valid(b) {
		return nil, nil, fmt.Errorf("%w: it is no UTF-8 text", ErrBytes)
	}
	return data.OptionalOf(data.String), string(b), nil
}

// ByteArray is org.apache.kafka.connect.converters.ByteArrayConverter: bytes as they are.
type ByteArray struct{}

// Encode takes bytes only.
func (ByteArray) Encode(_ string, s *data.Schema, value any) ([]byte, error) {
	if s != nil && s.Type != data.Bytes {
		return nil, fmt.Errorf("%w: %s is not bytes, which is all that ByteArrayConverter takes", data.ErrData, s.Type)
	}
	if value == nil {
		return nil, nil
	}
	b, ok := value.([]byte)
	if !ok {
		return nil, fmt.Errorf("%w: %T is not bytes, which is all that ByteArrayConverter takes", data.ErrData, value)
	}
	return b, nil
}

// Decode takes all bytes.
func (ByteArray) Decode(_ string, b []byte) (*data.Schema, any, error) {
	if b == nil {
		return data.OptionalOf(data.Bytes), nil, nil
	}
	return data.OptionalOf(data.Bytes), b, nil
}

// Boolean is org.apache.kafka.connect.converters.BooleanConverter: one byte, 1 or 0.
type Boolean struct{}

// Encode takes booleans.
func (Boolean) Encode(_ string, s *data.Schema, value any) ([]byte, error) {
	if s != nil && s.Type != data.Boolean {
		return nil, fmt.Errorf("%w: %s is no boolean, which is all that BooleanConverter takes", data.ErrData, s.Type)
	}
	switch value {
	case nil:
		return nil, nil
	case true:
		return []byte{1}, nil
	case false:
		return []byte{0}, nil
	}
	return nil, fmt.Errorf("%w: %T is no boolean, which is all that BooleanConverter takes", data.ErrData, value)
}

// Decode reads a byte.
func (Boolean) Decode(_ string, b []byte) (*data.Schema, any, error) {
	switch {
	case b == nil:
		return data.OptionalOf(data.Boolean), nil, nil
	case len(b) == 1 && b[0] <= 1:
		return data.OptionalOf(data.Boolean), b[0] == 1, nil
	}
	return nil, nil, fmt.Errorf("%w: %d bytes are no boolean", ErrBytes, len(b))
}

// Number is one of org.apache.kafka.connect.converters' converters of big-endian numbers.
type Number struct {
	// Type is Int16, Int32, Int64, Float32 or Float64: ShortConverter, IntegerConverter,
	// LongConverter, FloatConverter, DoubleConverter.
	Type data.Type
}

// Encode takes values of the Type.
func (c Number) Encode(_ string, _ *data.Schema, value any) ([]byte, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case int16:
		if c.Type == data.Int16 {
			return binary.BigEndian.AppendUint16(nil, uint16(v)), nil
		}
	case int32:
		if c.Type == data.Int32 {
			return binary.BigEndian.AppendUint32(nil, uint32(v)), nil
		}
	case int64:
		if c.Type == data.Int64 {
			return binary.BigEndian.AppendUint64(nil, uint64(v)), nil
		}
	case float32:
		if c.Type == data.Float32 {
			return binary.BigEndian.AppendUint32(nil, math.Float32bits(v)), nil
		}
	case float64:
		if c.Type == data.Float64 {
			return binary.BigEndian.AppendUint64(nil, math.Float64bits(v)), nil
		}
	}
	return nil, fmt.Errorf("%w: %T is no %s", data.ErrData, value, c.Type)
}

// Decode reads as many bytes as the Type has.
func (c Number) Decode(_ string, b []byte) (*data.Schema, any, error) {
	s := data.OptionalOf(c.Type)
	switch {
	case b == nil:
		return s, nil, nil
	case c.Type == data.Int16 && len(b) == 2:
		return s, int16(binary.BigEndian.Uint16(b)), nil
	case c.Type == data.Int32 && len(b) == 4:
		return s, int32(binary.BigEndian.Uint32(b)), nil
	case c.Type == data.Int64 && len(b) == 8:
		return s, int64(binary.BigEndian.Uint64(b)), nil
	case c.Type == data.Float32 && len(b) == 4:
		return s, math.Float32frombits(binary.BigEndian.Uint32(b)), nil
	case c.Type == data.Float64 && len(b) == 8:
		return s, math.Float64frombits(binary.BigEndian.Uint64(b)), nil
	}
	return nil, nil, fmt.Errorf("%w: %d bytes are no %s", ErrBytes, len(b), c.Type)
}
