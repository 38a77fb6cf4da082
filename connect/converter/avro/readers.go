package avro

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
)

func cutOff(what string) error {
	return fmt.Errorf("%w: it is cut off within %s", data.ErrData, what)
}

func readLong(b []byte) (int64, []byte, error) {
	n, size := binary.Varint(b)
	if size <= 0 {
		return 0, nil, cutOff("a number")
	}
	return n, b[size:], nil
}

func readInt(b []byte, low, high int64) (int64, []byte, error) {
	n, rest, err := readLong(b)
	if err == nil && (n < low || n > high) {
		err = fmt.Errorf("%w: %d is not between %d and %d", data.ErrData, n, low, high)
	}
	return n, rest, err
}

func readInt8(b []byte) (any, []byte, error) {
	n, rest, err := readInt(b, math.MinInt8, math.MaxInt8)
	return int8(n), rest, err
}

func readInt16(b []byte) (any, []byte, error) {
	n, rest, err := readInt(b, math.MinInt16, math.MaxInt16)
	return int16(n), rest, err
}

func readInt32(b []byte) (any, []byte, error) {
	n, rest, err := readInt(b, math.MinInt32, math.MaxInt32)
	return int32(n), rest, err
}

func readInt64(b []byte) (any, []byte, error) {
	n, rest, err := readLong(b)
	return n, rest, err
}

func readTime(name string) reader {
	return func(b []byte) (any, []byte, error) {
		n, rest, err := readLong(b)
		return timeOf(name, n), rest, err
	}
}

func timeOf(name string, n int64) time.Time {
	if name == data.DateName {
		n *= day
	}
	return time.UnixMilli(n).UTC()
}

func readBoolean(b []byte) (any, []byte, error) {
	if len(b) == 0 || b[0] > 1 {
		return nil, nil, cutOff("a boolean")
	}
	return b[0] == 1, b[1:], nil
}

func readFloat32(b []byte) (any, []byte, error) {
	if len(b) < 4 {
		return nil, nil, cutOff("a float")
	}
	return math.Float32frombits(binary.LittleEndian.Uint32(b)), b[4:], nil
}

func readFloat64(b []byte) (any, []byte, error) {
	if len(b) < 8 {
		return nil, nil, cutOff("a double")
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), b[8:], nil
}

// part of the bytes, whose length stands before it.
func part(b []byte) (value, rest []byte, err error) {
	n, rest, err := readLong(b)
	if err != nil {
		return nil, nil, err
	}
	if n < 0 || n > int64(len(rest)) {
		return nil, nil, fmt.Errorf("%w: %d bytes are said to follow, and there are %d", data.ErrData, n, len(rest))
	}
	return rest[:n], rest[n:], nil
}

func readText(b []byte) (any, []byte, error) {
	value, rest, err := part(b)
	return string(value), rest, err
}

func readBytes(b []byte) (any, []byte, error) {
	value, rest, err := part(b)
	return append([]byte{}, value...), rest, err
}

func readDecimal(scale int) reader {
	return func(b []byte) (any, []byte, error) {
		value, rest, err := part(b)
		return data.DecimalOf(value, scale), rest, err
	}
}

func readFixed(size int) reader {
	return func(b []byte) (any, []byte, error) {
		if len(b) < size {
			return nil, nil, cutOff("a value of fixed size")
		}
		return append([]byte{}, b[:size]...), b[size:], nil
	}
}

func readEnum(symbols []string) reader {
	return func(b []byte) (any, []byte, error) {
		n, rest, err := readLong(b)
		if err == nil && (n < 0 || n >= int64(len(symbols))) {
			err = fmt.Errorf("%w: the enum has no symbol %d", data.ErrData, n)
		}
		if err != nil {
			return nil, nil, err
		}
		return symbols[n], rest, nil
	}
}

// readUnion has nil for null.
func readUnion(branches ...reader) reader {
	return func(b []byte) (any, []byte, error) {
		n, rest, err := readLong(b)
		if err == nil && (n < 0 || n >= int64(len(branches))) {
			err = fmt.Errorf("%w: the union has no type %d", data.ErrData, n)
		}
		if err != nil || branches[n] == nil {
			return nil, rest, err
		}
		return branches[n](rest)
	}
}

// readBlocks calls read for each element. There cannot be more than bytes are left.
func readBlocks(b []byte, read func(b []byte) ([]byte, error)) ([]byte, error) {
	for {
		n, rest, err := readLong(b)
		if err != nil || n == 0 {
			return rest, err
		}
		if n < 0 { // the block's size follows
			if _, rest, err = readLong(rest); err != nil {
				return nil, err
			}
			n = -n
		}
		if n < 0 || n > int64(len(rest)) {
			return nil, fmt.Errorf("%w: %d elements are said to follow, and there are %d bytes", data.ErrData, n, len(rest))
		}
		for range n {
			if rest, err = read(rest); err != nil {
				return nil, err
			}
		}
		b = rest
	}
}

func readArray(element reader) reader {
	return func(b []byte) (any, []byte, error) {
		out := []any{}
		rest, err := readBlocks(b, func(b []byte) ([]byte, error) {
			value, rest, err := element(b)
			out = append(out, value)
			return rest, err
		})
		return out, rest, err
	}
}

func readMap(key, element reader) reader {
	return func(b []byte) (any, []byte, error) {
		out := &data.Map{}
		seen := map[any]bool{}
		rest, err := readBlocks(b, func(b []byte) ([]byte, error) {
			k, rest, err := key(b)
			if err != nil {
				return nil, err
			}
			v, rest, err := element(rest)
			if text, ok := k.(string); ok && !seen[text] { // looking for it costs as much as there are
				seen[text] = true
				out.Keys, out.Values = append(out.Keys, k), append(out.Values, v)
				return rest, err
			}
			out.Put(k, v)
			return rest, err
		})
		return out, rest, err
	}
}

func readStruct(s *data.Schema, fields []reader) reader {
	return func(b []byte) (any, []byte, error) {
		out := &data.Struct{Schema: s, Values: make([]any, len(fields))}
		var err error
		for i, read := range fields {
			if out.Values[i], b, err = read(b); err != nil {
				return nil, nil, fmt.Errorf("field %s: %w", s.Fields[i].Name, err)
			}
		}
		return out, b, nil
	}
}
