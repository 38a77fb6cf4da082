package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Primitives are Pekko's serializers of []byte (4), int64 (18), int32 (19), string
// (20) and bool (35); numbers are little-endian. Its ByteString (21) is read as
// []byte. They have no manifest.
func Primitives() []Serializer {
	return []Serializer{
		primitive[[]byte]{4, bytesOut, bytesIn},
		primitive[int64]{18, int64Out, int64In},
		primitive[int32]{19, int32Out, int32In},
		primitive[string]{20, stringOut, stringIn},
		primitive[[]byte]{21, nil, bytesIn},
		primitive[bool]{35, boolOut, boolIn},
	}
}

// primitive is a serializer of one type; one without marshal only reads.
type primitive[T any] struct {
	id        int32
	marshal   func(T) ([]byte, error)
	unmarshal func([]byte) (T, error)
}

func (s primitive[T]) ID() int32 { return s.id }

func (s primitive[T]) Marshal(value any) (Payload, bool, error) {
	v, ok := value.(T)
	if !ok || s.marshal == nil {
		return Payload{}, false, nil
	}
	data, err := s.marshal(v)
	if err != nil {
		return Payload{}, true, fmt.Errorf("journal: serializer %d: %w", s.id, err)
	}
	return Payload{Serializer: s.id, Data: data}, true, nil
}

func (s primitive[T]) Unmarshal(p Payload) (any, error) {
	value, err := s.unmarshal(p.Data)
	if err != nil {
		return nil, corrupt(p, err)
	}
	return value, nil
}

// Bytes are copied: neither side keeps the other's.
func bytesOut(v []byte) ([]byte, error)   { return append([]byte{}, v...), nil }
func bytesIn(data []byte) ([]byte, error) { return append([]byte{}, data...), nil }

func int64Out(v int64) ([]byte, error) { return binary.LittleEndian.AppendUint64(nil, uint64(v)), nil }
func int32Out(v int32) ([]byte, error) { return binary.LittleEndian.AppendUint32(nil, uint32(v)), nil }

func int64In(data []byte) (int64, error) {
	if err := wantBytes(data, 8); err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint64(data)), nil
}

func int32In(data []byte) (int32, error) {
	if err := wantBytes(data, 4); err != nil {
		return 0, err
	}
	return int32(binary.LittleEndian.Uint32(data)), nil
}

var errUTF8 = errors.New("a string is not UTF-8")

func stringOut(v string) ([]byte, error) {
	if !utf8.ValidString(v) {
		return nil, errUTF8
	}
	return []byte(v), nil
}

func stringIn(data []byte) (string, error) {
	if !utf8.Valid(data) {
		return "", errUTF8
	}
	return string(data), nil
}

func boolOut(v bool) ([]byte, error) {
	if v {
		return []byte{1}, nil
	}
	return []byte{0}, nil
}

func boolIn(data []byte) (bool, error) {
	if err := wantBytes(data, 1); err != nil {
		return false, err
	}
	if data[0] > 1 {
		return false, fmt.Errorf("a bool is the byte 0 or 1, not %d", data[0])
	}
	return data[0] == 1, nil
}

func wantBytes(data []byte, n int) error {
	if len(data) != n {
		return fmt.Errorf("%d bytes, want %d", len(data), n)
	}
	return nil
}
