package sql

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// kind of a change.
type kind uint8

const (
	write kind = iota + 1
	remove
	truncate
)

// field is what a record has for a column.
type field struct {
	name   string // as the column is called
	schema *data.Schema
	value  any
}

// change is what a record does to a table.
type change struct {
	kind  kind
	table tableName
	// keys are the fields of the key, rest the others; a removal has keys only, a truncation none.
	keys, rest []field
}

// changeOf a record; nil is nothing to do.
func (s *settings) changeOf(r *plugin.SinkRecord) (*change, error) {
	c, row, err := s.kindOf(r)
	if c == nil || err != nil {
		return nil, err
	}
	if c.table, err = s.table(r); err != nil {
		if errors.Is(err, errNoTable) {
			return nil, nil
		}
		return nil, err
	}
	if c.kind == truncate {
		return c, nil
	}
	if c.keys, err = s.keyOf(r, row); err != nil || c.kind == remove {
		return c, err
	}
	c.rest, err = s.restOf(r.Topic, row, c.keys)
	if err == nil && len(c.keys)+len(c.rest) == 0 {
		err = errors.New("the record has no field to store")
	}
	return c, err
}

// kindOf a record, with the row that it writes.
func (s *settings) kindOf(r *plugin.SinkRecord) (*change, *data.Struct, error) {
	if r.Value == nil {
		if !s.deletes {
			return nil, nil, nil
		}
		return &change{kind: remove}, nil, nil
	}
	row, ok := r.Value.(*data.Struct)
	if !ok {
		return nil, nil, fmt.Errorf("the value has no schema of a struct (it is a %T), so nobody knows its columns: use a converter with schemas", r.Value)
	}
	op, isChange := operation(row)
	switch {
	case !isChange && row.Schema.Field("ddl") >= 0 && row.Schema.Field("tableChanges") >= 0:
		return nil, nil, errors.New("it is a change of a table's definition: leave that topic out of topics")
	case !isChange:
		return &change{kind: write}, row, nil
	}
	switch op {
	case "c", "r", "u":
		after, _ := row.Get("after").(*data.Struct)
		if after == nil {
			return nil, nil, fmt.Errorf("the change has op=%s, and no row after it", op)
		}
		return &change{kind: write}, after, nil
	case "d":
		if !s.deletes {
			return nil, nil, nil
		}
		return &change{kind: remove}, nil, nil
	case "t":
		if !s.truncate {
			return nil, nil, nil
		}
		return &change{kind: truncate}, nil, nil
	case "m":
		return nil, nil, nil
	}
	return nil, nil, fmt.Errorf("the change has op=%s, which is none that is known", op)
}

// operation of a change of Debezium's.
func operation(row *data.Struct) (string, bool) {
	if row.Schema.Field("source") < 0 {
		return "", false
	}
	op, ok := row.Get("op").(string)
	return op, ok && (row.Schema.Field("after") >= 0 || row.Schema.Field("before") >= 0 || op == "m")
}

// restOf a row are the fields that are not in its key.
func (s *settings) restOf(topic string, row *data.Struct, keys []field) ([]field, error) {
	out := make([]field, 0, len(row.Schema.Fields))
	for i := range row.Schema.Fields {
		f := &row.Schema.Fields[i]
		name := s.fold(f.Name)
		if hasField(keys, name) || !s.shown(topic, f.Name) || !s.listed(f.Name) {
			continue
		}
		if hasField(out, name) {
			return nil, fmt.Errorf("two fields are called %s but for capital letters: set quote.identifiers", name)
		}
		value := valueOf(row, i)
		if absent(value) {
			continue
		}
		out = append(out, field{name, f.Schema, value})
	}
	return out, nil
}

// listed says whether the list of fields to store has one.
func (s *settings) listed(name string) bool {
	if len(s.only) == 0 {
		return true
	}
	for _, one := range s.only {
		if one == name {
			return true
		}
	}
	return false
}

func hasField(all []field, name string) bool {
	for i := range all {
		if all[i].name == name {
			return true
		}
	}
	return false
}

// valueOf a field; its default stands for nil where nil is none of its values.
func valueOf(s *data.Struct, i int) any {
	if v := s.Values[i]; v != nil || s.Schema.Fields[i].Schema.Optional {
		return v
	}
	return s.Schema.Fields[i].Schema.Default
}

// placeholder is what Debezium has for a value that was not in the database's log.
const placeholder = "__debezium_unavailable_value"

func absent(v any) bool {
	switch v := v.(type) {
	case string:
		return v == placeholder
	case []byte:
		return string(v) == placeholder
	case []any:
		return len(v) == 1 && absent(v[0])
	}
	return false
}
