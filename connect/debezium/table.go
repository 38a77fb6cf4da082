package debezium

import "github.com/pabal-dev/pabal/connect/data"

// Table is how rows of a table become records. It must not be changed once it is used.
type Table struct {
	ID    TableID
	Topic string
	// Key is nil where the table has no key.
	Key      *data.Schema
	Value    *data.Schema
	Envelope *data.Schema

	// name is ID's, as transactions count by it.
	name string
	// keyFrom and valueFrom are the places in a row of the fields' values; a nil valueFrom takes
	// the row as it is.
	keyFrom, valueFrom []int
	mapped             []mappedField
	used               []bool
}

type mappedField struct {
	field int
	value func(any) any
}

// Uses says whether a column's values are in any record: those of others need not be converted.
func (t *Table) Uses(column int) bool { return t.used[column] }

// KeyOf a row is nil where the row is nil or the table has no key. A row has a value for each
// column, in their order.
func (t *Table) KeyOf(row []any) *data.Struct { return t.keyIn(nil, row) }

func (t *Table) keyIn(r *room, row []any) *data.Struct {
	if row == nil || t.Key == nil {
		return nil
	}
	if len(t.keyFrom) == 1 {
		one := r.newKey()
		one.Schema, one.value[0] = t.Key, row[t.keyFrom[0]]
		one.Values = one.value[:]
		return &one.Struct
	}
	key := data.NewStruct(t.Key)
	for i, from := range t.keyFrom {
		key.Values[i] = row[from]
	}
	return key
}

// singleKey is a struct and its only value in one piece of memory, as most keys are.
type singleKey struct {
	data.Struct
	value [1]any
}

// sameKey says whether two rows have equal keys.
func (t *Table) sameKey(a, b []any) bool {
	for _, i := range t.keyFrom {
		if !equalValue(a[i], b[i]) {
			return false
		}
	}
	return true
}

// ValueOf a row without hidden columns, masked and truncated; nil of a nil row. The row belongs
// to the value from then on.
func (t *Table) ValueOf(row []any) *data.Struct { return t.valueIn(nil, row) }

func (t *Table) valueIn(r *room, row []any) *data.Struct {
	if row == nil {
		return nil
	}
	value := r.newStruct()
	value.Schema, value.Values = t.Value, row
	if t.valueFrom != nil {
		value.Values = make([]any, len(t.valueFrom))
		for i, from := range t.valueFrom {
			value.Values[i] = row[from]
		}
	}
	for _, m := range t.mapped {
		value.Values[m.field] = m.value(value.Values[m.field])
	}
	return value
}

// Table makes one of its columns. key names those of the primary key, in its order; it may be
// empty. source is the schema of the connector's source blocks.
func (r *Relational) Table(id TableID, columns []Column, key []string, source *data.Schema) *Table {
	topic := r.Naming.Changes(id)
	t := &Table{ID: id, Topic: topic, name: id.String(), used: make([]bool, len(columns))}
	t.Value = &data.Schema{Type: data.StructType, Name: r.SchemaNames.Adjust(topic + ".Value"), Optional: true}
	plain := true
	for i, c := range columns {
		if c.Schema == nil || !r.Columns.Visible(id, c.Name) {
			plain = false
			continue
		}
		m := r.mappers.of(id, c)
		if m != nil {
			if f := m.value(c); f != nil {
				t.mapped = append(t.mapped, mappedField{len(t.valueFrom), f})
				plain = false // keys are made of the same rows
			}
		}
		t.Value.Fields = append(t.Value.Fields, data.Field{Name: r.FieldNames.Adjust(c.Name), Schema: mapped(c, m)})
		t.valueFrom = append(t.valueFrom, i)
		t.used[i] = true
	}
	if plain {
		t.valueFrom = nil
	}
	t.setKey(r, columns, r.keys.of(id, columns, key))
	t.Envelope = EnvelopeSchema(r.SchemaNames.Adjust(topic+".Envelope"), t.Value, source)
	return t
}

func (t *Table) setKey(r *Relational, columns []Column, key []int) {
	if len(key) == 0 {
		return
	}
	t.Key = &data.Schema{Type: data.StructType, Name: r.SchemaNames.Adjust(t.Topic + ".Key")}
	for _, i := range key {
		if columns[i].Schema == nil {
			continue
		}
		t.Key.Fields = append(t.Key.Fields, data.Field{Name: r.FieldNames.Adjust(columns[i].Name), Schema: columns[i].Schema})
		t.keyFrom = append(t.keyFrom, i)
		t.used[i] = true
	}
}
