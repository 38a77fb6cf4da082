package debezium

import (
	"errors"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium/types"
)

// Database is how a relational database names things.
type Database struct {
	// Schemas says whether tables are named by schema, as PostgreSQL's, or by catalog.
	Schemas bool
	// System says which tables are the database's own; nil is none.
	System func(TableID) bool
}

// name of a table in lists.
func (d Database) name(id TableID) string {
	if d.Schemas {
		return TableID{Schema: id.Schema, Table: id.Table}.String()
	}
	return id.String()
}

// Relational is the options of connectors of relational databases, ready for use.
type Relational struct {
	*Settings
	Tables  *TableFilter
	Columns *ColumnFilter
	// Decimal, Time and Binary say how columns of such types are written.
	Decimal types.DecimalMode
	Time    types.TimeMode
	Binary  types.BinaryMode
	// Unavailable stands for values that the database did not tell.
	Unavailable string
	// Signals are the tables that signals are read from; at most one so far.
	Signals []TableID

	mappers mappers
	keys    keyColumns
}

// NewRelational of a configuration that a definition with CommonKeys and RelationalKeys parsed.
func NewRelational(v config.Values, d Database) (*Relational, error) {
	strategy := DefaultStrategy
	if d.Schemas {
		strategy = SchemaStrategy
	}
	settings, err := NewSettings(v, strategy)
	if err != nil {
		return nil, err
	}
	r := &Relational{
		Settings:    settings,
		Decimal:     types.DecimalModeOf(v.String("decimal.handling.mode")),
		Time:        types.TimeModeOf(v.String("time.precision.mode")),
		Binary:      types.BinaryModeOf(v.String("binary.handling.mode")),
		Unavailable: v.String("unavailable.value.placeholder"),
	}
	if r.Tables, err = newTableFilter(v, d); err != nil {
		return nil, err
	}
	for _, name := range v.List("signal.data.collection") {
		if id, ok := ParseTableID(name, !d.Schemas); ok {
			if d.Schemas {
				id.Catalog = "" // as the tables that are read have none
			}
			r.Signals = append(r.Signals, id)
		}
	}
	columns, err := readLists(v, "column.include.list", "column.exclude.list")
	if err != nil {
		return nil, err
	}
	r.Columns = &ColumnFilter{lists: columns, bySchema: d.Schemas}
	if r.keys, err = readKeyColumns(v.String("message.key.columns")); err != nil {
		return nil, config.Problem{Key: "message.key.columns", Message: err.Error()}
	}
	var problems []config.Problem
	if r.mappers, problems = readMappers(v.All()); len(problems) > 0 {
		return nil, errors.Join(asErrors(problems)...)
	}
	return r, nil
}

func asErrors(problems []config.Problem) []error {
	out := make([]error, len(problems))
	for i, p := range problems {
		out[i] = p
	}
	return out
}

func newTableFilter(v config.Values, d Database) (f *TableFilter, err error) {
	f = &TableFilter{name: d.name, seen: map[TableID]bool{}}
	if v.Bool("table.ignore.builtin") {
		f.system = d.System
	}
	if f.databases, err = readLists(v, "database.include.list", "database.exclude.list"); err != nil {
		return nil, err
	}
	if f.schemas, err = readLists(v, "schema.include.list", "schema.exclude.list"); err != nil {
		return nil, err
	}
	if f.tables, err = readLists(v, "table.include.list", "table.exclude.list"); err != nil {
		return nil, err
	}
	f.signals = map[string]bool{}
	for _, name := range v.List("signal.data.collection") {
		if id, ok := ParseTableID(name, !d.Schemas); ok {
			f.signals[d.name(id)] = true
		}
	}
	return f, nil
}
