package serde

import (
	"encoding/json"
	"fmt"
	"sync"
)

// JSON encodes with encoding/json, without escaping <, > and &. As a key T should have one
// encoding only: a struct or a map has (fields in order of the type, keys sorted), a
// json.RawMessage has not.
func JSON[T any]() Serde[T] { return jsonSerde[T]{} }

type jsonSerde[T any] struct{}

func (jsonSerde[T]) Append(dst []byte, v T) ([]byte, error) {
	e := jsonEncoders.Get().(*jsonEncoder)
	e.dst = dst
	err := e.encode(&v)
	out := e.dst
	e.dst = nil
	jsonEncoders.Put(e)
	if err != nil {
		return dst, fmt.Errorf("JSON of %T: %w", v, err)
	}
	return out[:len(out)-1], nil // without the encoder's newline
}

func (jsonSerde[T]) Decode(data []byte) (T, error) {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		var none T
		return none, fmt.Errorf("expected JSON of %T, got %d bytes: %w", none, len(data), err)
	}
	return v, nil
}

// jsonEncoder appends to dst what its encoder writes; it is pooled, because json.Marshal
// would allocate its result.
type jsonEncoder struct {
	dst    []byte
	encode func(v any) error
}

func (e *jsonEncoder) Write(p []byte) (int, error) {
	e.dst = append(e.dst, p...)
	return len(p), nil
}

var jsonEncoders = sync.Pool{New: func() any {
	e := &jsonEncoder{}
	enc := json.NewEncoder(e)
	enc.SetEscapeHTML(false)
	e.encode = enc.Encode
	return e
}}
