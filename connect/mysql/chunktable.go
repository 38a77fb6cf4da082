package mysql

import (
	"encoding/hex"
	"fmt"
	"strings"

	driver "github.com/go-mysql-org/go-mysql/mysql"

	"github.com/pabal-dev/pabal/connect/debezium/incremental"
	"github.com/pabal-dev/pabal/connect/mysql/internal/values"
)

// chunkTable is a table with the columns that it is read by.
type chunkTable struct {
	*table
	definition *tableDefinition
	keys       []keyColumn
	condition  string
	surrogate  string
}

// keyColumn is a column to read by.
type keyColumn struct {
	// expression has the column's order, and is what literals are compared with; text selects it.
	expression, text string
	literal          func(text string) string
}

func (c *chunks) table(it incremental.Table) (*chunkTable, error) {
	d, err := c.schemas.define(c.db, it.ID)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, incremental.ErrUnknownTable
	}
	t := &chunkTable{table: c.schemas.build(d), definition: d, condition: it.Condition}
	names := d.key
	if it.SurrogateKey != "" {
		names = []string{it.SurrogateKey}
		if column := d.column(it.SurrogateKey); column != nil {
			t.surrogate = column.Name
		}
	}
	for _, name := range names {
		column := d.column(name)
		if column == nil || !t.known(name) {
			return nil, incremental.ErrNoKey
		}
		t.keys = append(t.keys, keyOfColumn(column))
	}
	if len(t.keys) == 0 {
		return nil, incremental.ErrNoKey
	}
	return t, nil
}

// known says whether records have a column, by which rows of chunks and of the stream are told to be
// the same.
func (t *chunkTable) known(name string) bool {
	for i := range t.table.columns {
		if strings.EqualFold(t.table.columns[i].name, name) {
			return t.table.columns[i].codec != nil
		}
	}
	return false
}

// keyOfColumn by its type. Numbers are compared as such: a text would make both floating point.
// Members of an enum or a set come in the order of their numbers, but are compared as texts.
func keyOfColumn(c *values.Column) keyColumn {
	name := quote(c.Name)
	number := func(text string) string { return text }
	switch c.Type {
	case "tinyint", "smallint", "mediumint", "int", "bigint", "year", "decimal":
		return keyColumn{name, name, number}
	case "float", "double":
		return keyColumn{"(" + name + " + 0e0)", "(" + name + " + 0e0)", func(text string) string {
			if strings.ContainsAny(text, "eE") {
				return text
			}
			return text + "e0" // else it is a decimal
		}}
	case "enum", "set", "bit":
		return keyColumn{"(" + name + " + 0)", "(" + name + " + 0)", number}
	case "binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector":
		return keyColumn{name, "HEX(" + name + ")", func(text string) string { return "X'" + text + "'" }}
	}
	return keyColumn{name, name, textLiteral}
}

// textLiteral is right whatever the server's sql_mode says of backslashes.
func textLiteral(text string) string {
	if text == "" {
		return "''"
	}
	return "CONVERT(X'" + hex.EncodeToString([]byte(text)) + "' USING utf8mb4)"
}

// columns that are selected for records.
func (t *chunkTable) columns() []string {
	list := make([]string, len(t.definition.columns))
	for i := range t.definition.columns {
		if list[i] = quote(t.definition.columns[i].Name); t.table.columns[i].codec == nil {
			list[i] = "NULL"
		}
	}
	return list
}

// selected are the keys as text.
func (t *chunkTable) selected() []string {
	list := make([]string, len(t.keys))
	for i, k := range t.keys {
		list[i] = k.text
	}
	return list
}

func (t *chunkTable) order(direction string) string {
	list := make([]string, len(t.keys))
	for i, k := range t.keys {
		list[i] = k.expression + direction
	}
	return strings.Join(list, ", ")
}

func (t *chunkTable) from(conditions ...string) string {
	text := " FROM " + quote(t.definition.id.Catalog) + "." + quote(t.definition.id.Table)
	if t.condition != "" {
		conditions = append(conditions, "("+t.condition+")")
	}
	if len(conditions) == 0 {
		return text
	}
	return text + " WHERE " + strings.Join(conditions, " AND ")
}

// compare the keys with others, column by column, which indexes can be used for as rows cannot.
func (t *chunkTable) compare(key incremental.Key, operator string, orEqual bool) string {
	var alternatives []string
	equal := ""
	for i, k := range t.keys {
		if i >= len(key) {
			break
		}
		literal := k.literal(key[i])
		alternatives = append(alternatives, "("+equal+k.expression+" "+operator+" "+literal+")")
		equal += k.expression + " = " + literal + " AND "
	}
	if orEqual {
		alternatives = append(alternatives, "("+strings.TrimSuffix(equal, " AND ")+")")
	}
	return "(" + strings.Join(alternatives, " OR ") + ")"
}

// row of a chunk: the record's columns, and the keys behind them.
func (t *chunkTable) row(s *schemas, from []driver.FieldValue) (r incremental.Row, err error) {
	columns, keys := from[:len(t.table.columns)], from[len(t.table.columns):]
	out, size, err := s.query(t.table, columns)
	if err != nil {
		return r, err
	}
	r = incremental.Row{ID: rowID(t.table, t.surrogate, out), Values: []any{&chunkRow{t.table, out}}, Bytes: 800 + size}
	for i := range keys {
		text, err := fieldText(&keys[i])
		if err != nil {
			return r, err
		}
		r.Key = append(r.Key, text)
	}
	return r, nil
}

func fieldText(f *driver.FieldValue) (string, error) {
	switch v := f.Value().(type) {
	case nil:
		return "", nil
	case []byte:
		return string(v), nil
	case int64, uint64, float64:
		return fmt.Sprint(v), nil
	default:
		return "", fmt.Errorf("a key of the type %T", v)
	}
}

// rowID is the same for all versions of a row. A table without a key is known by the column that a
// signal names as its surrogate-key.
func rowID(t *table, surrogate string, row []any) string {
	if len(t.key) > 0 {
		return incremental.RowID(row, t.key)
	}
	for i := range t.columns {
		if t.columns[i].name == surrogate {
			return incremental.RowID(row, []int{i})
		}
	}
	return ""
}
