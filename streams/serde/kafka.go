package serde

import (
	"encoding/binary"
	"fmt"
	"math"
)

// String is UTF-8, as Kafka's StringSerializer makes it. Bytes that are not UTF-8 are kept
// as they are, so that a string read can be written again unchanged.
func String() Serde[string] { return stringSerde{} }

// Bytes are kept as they are. Decode copies.
func Bytes() Serde[[]byte] { return bytesSerde{} }

// Int32 is 4 bytes, big-endian (IntegerSerializer). The order of the bytes is that of the
// numbers only where none is negative.
func Int32() Serde[int32] { return int32Serde{} }

// Int64 is 8 bytes, big-endian (LongSerializer). The order of the bytes is that of the
// numbers only where none is negative.
func Int64() Serde[int64] { return int64Serde{} }

// Float64 is 8 bytes, IEEE 754, big-endian (DoubleSerializer).
func Float64() Serde[float64] { return float64Serde{} }

type stringSerde struct{}

func (stringSerde) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (stringSerde) Decode(data []byte) (string, error)          { return string(data), nil }

type bytesSerde struct{}

func (bytesSerde) Append(dst, v []byte) ([]byte, error) { return append(dst, v...), nil }
func (bytesSerde) Decode(data []byte) ([]byte, error) {
	out := make([]byte, len(data))
	copy(out, data)
	return out, nil
}

type int32Serde struct{}

func (int32Serde) Append(dst []byte, v int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, uint32(v)), nil
}

func (int32Serde) Decode(data []byte) (int32, error) {
	if len(data) != 4 {
		return 0, sizeError("int32", 4, len(data))
	}
	return int32(binary.BigEndian.Uint32(data)), nil
}

type int64Serde struct{}

func (int64Serde) Append(dst []byte, v int64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}

func (int64Serde) Decode(data []byte) (int64, error) {
	if len(data) != 8 {
		return 0, sizeError("int64", 8, len(data))
	}
	return int64(binary.BigEndian.Uint64(data)), nil
}

type float64Serde struct{}

func (float64Serde) Append(dst []byte, v float64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}

func (float64Serde) Decode(data []byte) (float64, error) {
	if len(data) != 8 {
		return 0, sizeError("float64", 8, len(data))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(data)), nil
}

func sizeError(what string, want, got int) error {
	return fmt.Errorf("%s: expected %d bytes, got %d", what, want, got)
}
