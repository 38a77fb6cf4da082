package redis

import (
	"errors"
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// commands of a record, each with its arguments.
func (s *settings) commands(r *plugin.SinkRecord) ([][]any, error) {
	if s.command == xadd {
		return s.entry(r)
	}
	key, err := s.keyOf(r)
	if err != nil {
		return nil, err
	}
	if s.hashed() {
		if r.Value == nil || s.command == del {
			return [][]any{{"DEL", key}}, nil
		}
		return s.whole(key, r)
	}
	member, err := bytesOf("key", r.Key)
	if err != nil {
		return nil, err
	}
	return s.element(key, member, r)
}

// whole values have a key to themselves.
func (s *settings) whole(key []byte, r *plugin.SinkRecord) ([][]any, error) {
	switch s.command {
	case hset:
		return hash(key, r.Value)
	case jsonset:
		document, err := documentOf(r)
		return [][]any{{"JSON.SET", key, "$", document}}, err
	}
	value, err := bytesOf("value", r.Value)
	return [][]any{{"SET", key, value}}, err
}

func hash(key []byte, value any) ([][]any, error) {
	present, absent := []any{"HSET", key}, []any{"HDEL", key}
	err := eachField(value, func(name, value []byte) {
		if value == nil {
			absent = append(absent, name)
			return
		}
		present = append(present, name, value)
	})
	if err != nil {
		return nil, err
	}
	var out [][]any
	for _, one := range [][]any{present, absent} {
		if len(one) > 2 {
			out = append(out, one)
		}
	}
	return out, nil
}

// entry of a stream; fields that are null are left out.
func (s *settings) entry(r *plugin.SinkRecord) ([][]any, error) {
	if r.Value == nil {
		return nil, nil
	}
	out := []any{"XADD", s.space(r), "*"}
	err := eachField(r.Value, func(name, value []byte) {
		if value != nil {
			out = append(out, name, value)
		}
	})
	if err == nil && len(out) == 3 {
		err = errors.New("the value has no field, and an entry of a stream needs one")
	}
	return [][]any{out}, err
}

// element of a list or set.
func (s *settings) element(key, member []byte, r *plugin.SinkRecord) ([][]any, error) {
	switch {
	case s.command == zadd && r.Value == nil:
		return [][]any{{"ZREM", key, member}}, nil
	case s.command == zadd:
		score, err := scoreOf(r.Value)
		return [][]any{{"ZADD", key, score, member}}, err
	case s.command == sadd && r.Value == nil:
		return [][]any{{"SREM", key, member}}, nil
	case r.Value == nil:
		return [][]any{{"LREM", key, 0, member}}, nil
	}
	return [][]any{{s.command, key, member}}, nil
}

func (s *settings) space(r *plugin.SinkRecord) string {
	return strings.ReplaceAll(s.keyspace, "${topic}", r.Topic)
}

// keyOf what is written: the keyspace, with the record's key behind it where it is its own.
func (s *settings) keyOf(r *plugin.SinkRecord) ([]byte, error) {
	switch {
	case r.Key == nil:
		return nil, fmt.Errorf("the record has no key, which %s needs", s.command)
	case !s.hashed():
		return []byte(s.space(r)), nil
	case s.keyspace == "":
		return bytesOf("key", r.Key)
	}
	text, err := s.keyText(r.Key)
	return append([]byte(s.space(r)+s.separator), text...), err
}

// keyText of a struct is its values with separators between.
func (s *settings) keyText(key any) ([]byte, error) {
	var values []any
	switch key := key.(type) {
	case []byte:
		return key, nil
	case *data.Struct:
		values = key.Values
	case *data.Map:
		values = key.Values
	default:
		return textOf(key)
	}
	var out []byte
	for i, v := range values {
		if i > 0 {
			out = append(out, s.separator...)
		}
		text, err := textOf(v)
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	if len(values) == 0 {
		return nil, errors.New("the key has no field")
	}
	return out, nil
}

func bytesOf(what string, v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return nil, fmt.Errorf("the %s is a %T, and must be text or bytes: StringConverter and ByteArrayConverter read it so", what, v)
}

// textOf any value, as StringConverter writes it; nil of nil.
func textOf(v any) ([]byte, error) {
	if b, ok := v.([]byte); ok {
		return b, nil
	}
	return converter.String{}.Encode("", nil, v)
}

var plainJSON converter.JSON

func documentOf(r *plugin.SinkRecord) ([]byte, error) {
	switch v := r.Value.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return plainJSON.Encode("", r.ValueSchema, r.Value)
}

// eachField of a struct or a map; the value is nil where it is null.
func eachField(v any, do func(name, value []byte)) error {
	add := func(name string, v any) error {
		text, err := textOf(v)
		if err != nil {
			return fmt.Errorf("field %s: %w", name, err)
		}
		if v != nil && text == nil {
			text = []byte{}
		}
		do([]byte(name), text)
		return nil
	}
	switch v := v.(type) {
	case *data.Struct:
		for i, f := range v.Schema.Fields {
			if err := add(f.Name, v.Values[i]); err != nil {
				return err
			}
		}
	case *data.Map:
		for i, key := range v.Keys {
			name, ok := key.(string)
			if !ok {
				return fmt.Errorf("a key is %v, and only text can be a field's name", key)
			}
			if err := add(name, v.Values[i]); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("the value is a %T, and must have fields: a struct, or an object of JSON", v)
	}
	return nil
}

// scoreOf a member is a number.
func scoreOf(v any) (any, error) {
	switch v.(type) {
	case int8, int16, int32, int64, float32, float64:
		return v, nil
	}
	return nil, fmt.Errorf("the value is a %T, and must be a number, the score", v)
}
