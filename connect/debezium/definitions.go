package debezium

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// DefinitionChange is a statement that changed definitions of tables, for connectors with
// include.schema.changes.
type DefinitionChange struct {
	Source *data.Struct
	At     time.Time
	// Database and Schema that it was made in; the database "" is that of the whole server, the schema none.
	Database, Schema string
	// Statement is the SQL; "" where a snapshot found the tables.
	Statement string
	Tables    []TableChange
}

// TableChange is what became of one table.
type TableChange struct {
	// Type is CREATE, ALTER or DROP.
	Type string
	ID   TableID
	// Table is nil of a dropped one.
	Table *TableDefinition
}

// TableDefinition is a table as the database defines it. Texts that are "" are not there.
type TableDefinition struct {
	Charset, Comment string
	PrimaryKey       []string
	Columns          []ColumnDefinition
}

// ColumnDefinition is a column as the database defines it. Lengths and scales may be Unset, texts
// that are "" are not there.
type ColumnDefinition struct {
	Name string
	// JDBCType is the number that java.sql.Types has for the type.
	JDBCType                            int
	NativeType                          int
	TypeName, TypeExpression            string
	Charset                             string
	Length, Scale                       int
	Optional, AutoIncremented, Computed bool
	Comment                             string
	// Default is the expression; nil is none.
	Default    *string
	EnumValues []string
}

// Definitions makes the records of changes of tables' definitions, in the topic that topic.prefix
// names.
type Definitions struct {
	topic                 string
	key, value            *data.Schema
	change, table, column *data.Schema
	context               []plugin.Header
}

// NewDefinitions of a connector such as "mysql". source is the schema of its source blocks, context
// what ContextHeaders made.
func NewDefinitions(s *Settings, connector string, source *data.Schema, context []plugin.Header) *Definitions {
	d := &Definitions{topic: s.Naming.SchemaChanges(), context: context}
	d.column, d.table, d.change = definitionSchemas(s.SchemaNames)
	name := func(suffix string) string { return s.SchemaNames.Adjust("io.debezium.connector." + connector + suffix) }
	optional := data.OptionalOf(data.String)
	d.key = versioned(data.StructOf(name(".SchemaChangeKey"), data.Field{Name: "databaseName", Schema: data.Of(data.String)}))
	d.value = versioned(data.StructOf(name(".SchemaChangeValue"),
		data.Field{Name: "source", Schema: source},
		data.Field{Name: "ts_ms", Schema: data.Of(data.Int64)},
		data.Field{Name: "databaseName", Schema: optional},
		data.Field{Name: "schemaName", Schema: optional},
		data.Field{Name: "ddl", Schema: optional},
		data.Field{Name: "tableChanges", Schema: &data.Schema{Type: data.Array, Value: d.change}}))
	return d
}

// Record of a change.
func (d *Definitions) Record(c DefinitionChange, at plugin.Position) plugin.SourceRecord {
	changes := make([]any, len(c.Tables))
	for i, t := range c.Tables {
		values := []any{t.Type, t.ID.quoted(), nil}
		if t.Table != nil {
			values[2] = d.definition(t.Table)
		}
		changes[i] = &data.Struct{Schema: d.change, Values: values}
	}
	value := []any{c.Source, c.At.UnixMilli(), c.Database, textOrNil(c.Schema), textOrNil(c.Statement), changes}
	return plugin.SourceRecord{At: at, Record: plugin.Record{
		Topic: d.topic, Partition: 0, Timestamp: plugin.NoTimestamp, Headers: d.context,
		KeySchema: d.key, Key: &data.Struct{Schema: d.key, Values: []any{c.Database}},
		ValueSchema: d.value, Value: &data.Struct{Schema: d.value, Values: value},
	}}
}

func (d *Definitions) definition(t *TableDefinition) *data.Struct {
	columns := make([]any, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = &data.Struct{Schema: d.column, Values: []any{
			c.Name, int32(c.JDBCType), numberOrNil(c.NativeType), c.TypeName, textOrNil(c.TypeExpression), textOrNil(c.Charset),
			numberOrNil(c.Length), numberOrNil(c.Scale), int32(i + 1), c.Optional, c.AutoIncremented, c.Computed,
			textOrNil(c.Comment), pointed(c.Default), texts(c.EnumValues),
		}}
	}
	key := texts(t.PrimaryKey)
	if key == nil {
		key = []any{}
	}
	return &data.Struct{Schema: d.table, Values: []any{textOrNil(t.Charset), key, columns, textOrNil(t.Comment)}}
}

// quoted has double quotes around each part.
func (t TableID) quoted() string {
	var parts []string
	for _, part := range []string{t.Catalog, t.Schema, t.Table} {
		if part != "" {
			parts = append(parts, `"`+strings.ReplaceAll(part, `"`, `""`)+`"`)
		}
	}
	return strings.Join(parts, ".")
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func numberOrNil(n int) any {
	if n == Unset {
		return nil
	}
	return int32(n)
}

func pointed(text *string) any {
	if text == nil {
		return nil
	}
	return *text
}

// texts is nil of none.
func texts(all []string) any {
	if len(all) == 0 {
		return nil
	}
	out := make([]any, len(all))
	for i, text := range all {
		out[i] = text
	}
	return out
}
