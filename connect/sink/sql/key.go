package sql

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// keyOf a record, as the mode says.
func (s *settings) keyOf(r *plugin.SinkRecord, row *data.Struct) ([]field, error) {
	switch s.keyMode {
	case keyKafka:
		names := kafkaNames
		if len(s.keyFields) == len(names) {
			names = s.keyFields
		}
		return []field{
			{s.fold(names[0]), data.Of(data.String), r.Topic},
			{s.fold(names[1]), data.Of(data.Int32), r.From.Partition},
			{s.fold(names[2]), data.Of(data.Int64), r.Offset},
		}, nil
	case keyRecord:
		return s.recordKey(r)
	case keyValue:
		return s.chosen(r.Topic, row, "value")
	case keyHeader:
		return s.headerKey(r)
	}
	return nil, nil
}

func (s *settings) recordKey(r *plugin.SinkRecord) ([]field, error) {
	if key, ok := r.Key.(*data.Struct); ok {
		return s.chosen(r.Topic, key, "key")
	}
	switch {
	case r.Key == nil:
		return nil, fmt.Errorf("the record has no key, which %s=record_key needs", s.keys.mode)
	case r.KeySchema == nil:
		return nil, errors.New("the key has no schema, so nobody knows its column: use a converter with schemas")
	case r.KeySchema.Type == data.Array || r.KeySchema.Type == data.MapType:
		return nil, fmt.Errorf("the key is of type %s, which cannot be a key", r.KeySchema.Type)
	case len(s.keyFields) != 1:
		return nil, fmt.Errorf("the key is no struct, so that %s must have the one name of its column", s.keys.fields)
	}
	return []field{{s.fold(s.keyFields[0]), r.KeySchema, r.Key}}, nil
}

// chosen fields of a struct are those that the key's names list, all by default.
func (s *settings) chosen(topic string, from *data.Struct, what string) ([]field, error) {
	var out []field
	add := func(i int) {
		f := &from.Schema.Fields[i]
		if s.shown(topic, f.Name) {
			out = append(out, field{s.fold(f.Name), f.Schema, valueOf(from, i)})
		}
	}
	if len(s.keyFields) == 0 {
		for i := range from.Schema.Fields {
			add(i)
		}
	}
	for _, name := range s.keyFields {
		i := from.Schema.Field(name)
		if i < 0 {
			return nil, fmt.Errorf("the %s has no field %s, which %s asks for", what, name, s.keys.fields)
		}
		add(i)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the %s has no field for the row's key", what)
	}
	for _, f := range out {
		if f.value == nil {
			return nil, fmt.Errorf("field %s of the row's key is null", f.name)
		}
	}
	return out, nil
}

func (s *settings) headerKey(r *plugin.SinkRecord) ([]field, error) {
	var out []field
	names := s.keyFields
	if len(names) == 0 {
		for _, h := range r.Headers {
			names = append(names, h.Key)
		}
	}
	for _, name := range names {
		h, ok := r.Header(name)
		if !ok || h.Value == nil {
			return nil, fmt.Errorf("the record has no header %s, which is in the row's key", name)
		}
		schema := h.Schema
		if schema == nil {
			t, ok := data.TypeOfValue(h.Value)
			if !ok {
				return nil, fmt.Errorf("header %s has no schema", name)
			}
			schema = data.Of(t)
		}
		out = append(out, field{s.fold(name), schema, h.Value})
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the record has no headers, which %s=record_header needs", s.keys.mode)
	}
	return out, nil
}
