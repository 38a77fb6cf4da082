package state

import (
	"encoding/binary"
	"fmt"
	"reflect"

	"github.com/pabal-dev/pabal/streams/serde"
)

// codec turns what a store holds, T, into its bytes on disk and back.
type codec[T any] interface {
	append(dst []byte, v T) ([]byte, error)
	decode(data []byte) (T, error)
	// logged is the part of the bytes on disk that the changelog has as the value; nil is a
	// tombstone.
	logged(data []byte) []byte
	// stamp is the time of v, or otherwise where it has none.
	stamp(v T, otherwise int64) int64
	// stampOf is the same of the bytes on disk.
	stampOf(data []byte, otherwise int64) int64
	// tombstone is a T that only has a time.
	tombstone(timestamp int64) T
	// restored appends the bytes on disk of a changelog record's value.
	restored(dst, value []byte, timestamp int64) []byte
	// shown is v for people: the value without its time, and the time (0: none).
	shown(v T) (any, int64)
}

// plain values are on disk as they are in the changelog.
type plain[V any] struct{ values serde.Serde[V] }

func (p plain[V]) append(dst []byte, v V) ([]byte, error)     { return p.values.Append(dst, v) }
func (p plain[V]) decode(data []byte) (V, error)              { return p.values.Decode(data) }
func (p plain[V]) stamp(_ V, otherwise int64) int64           { return otherwise }
func (p plain[V]) stampOf(_ []byte, otherwise int64) int64    { return otherwise }
func (p plain[V]) shown(v V) (any, int64)                     { return readable(v), 0 }
func (p plain[V]) tombstone(int64) (none V)                   { return none }
func (p plain[V]) restored(dst, value []byte, _ int64) []byte { return append(dst, value...) }

func (p plain[V]) logged(data []byte) []byte {
	if data == nil {
		return []byte{} // an empty value: null would delete the key
	}
	return data
}

// timestamped values have their time, 8 bytes, before them on disk; in the changelog it is
// that of the record.
type timestamped[V any] struct{ values serde.Serde[V] }

func (t timestamped[V]) append(dst []byte, v Timestamped[V]) ([]byte, error) {
	return t.values.Append(binary.BigEndian.AppendUint64(dst, uint64(v.Timestamp)), v.Value)
}

func (t timestamped[V]) decode(data []byte) (v Timestamped[V], err error) {
	if len(data) < 8 {
		return v, fmt.Errorf("timestamped value: expected at least 8 bytes, got %d", len(data))
	}
	v.Timestamp = int64(binary.BigEndian.Uint64(data))
	v.Value, err = t.values.Decode(data[8:])
	return v, err
}

func (t timestamped[V]) logged(data []byte) []byte             { return data[8:] }
func (t timestamped[V]) stamp(v Timestamped[V], _ int64) int64 { return v.Timestamp }

func (t timestamped[V]) stampOf(data []byte, _ int64) int64 {
	return int64(binary.BigEndian.Uint64(data))
}

func (t timestamped[V]) shown(v Timestamped[V]) (any, int64) {
	return readable(v.Value), v.Timestamp
}

func (t timestamped[V]) tombstone(timestamp int64) Timestamped[V] {
	return Timestamped[V]{Timestamp: timestamp}
}

func (t timestamped[V]) restored(dst, value []byte, timestamp int64) []byte {
	return append(binary.BigEndian.AppendUint64(dst, uint64(timestamp)), value...)
}

// unshared says that nobody can change a value of the type once it was handed over, and
// that a serde sees all of it: such values are kept decoded, others as bytes.
func unshared(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64,
		reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128, reflect.String:
		return true
	case reflect.Array:
		return unshared(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); !f.IsExported() || !unshared(f.Type) {
				return false
			}
		}
		return true
	}
	return false
}

// hasStrings says that an unshared value has bytes elsewhere.
func hasStrings(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String:
		return true
	case reflect.Array:
		return hasStrings(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasStrings(t.Field(i).Type) {
				return true
			}
		}
	}
	return false
}
