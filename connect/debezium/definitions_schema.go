package debezium

import "github.com/pabal-dev/pabal/connect/data"

// definitionSchemas are those of a column, a table and a change of one.
func definitionSchemas(a Adjuster) (column, table, change *data.Schema) {
	text, optional := data.Of(data.String), data.OptionalOf(data.String)
	number, optionalNumber := data.Of(data.Int32), data.OptionalOf(data.Int32)
	flag := data.OptionalOf(data.Boolean)
	list := &data.Schema{Type: data.Array, Optional: true, Value: text}
	column = versioned(data.StructOf(a.Adjust("io.debezium.connector.schema.Column"),
		data.Field{Name: "name", Schema: text},
		data.Field{Name: "jdbcType", Schema: number},
		data.Field{Name: "nativeType", Schema: optionalNumber},
		data.Field{Name: "typeName", Schema: text},
		data.Field{Name: "typeExpression", Schema: optional},
		data.Field{Name: "charsetName", Schema: optional},
		data.Field{Name: "length", Schema: optionalNumber},
		data.Field{Name: "scale", Schema: optionalNumber},
		data.Field{Name: "position", Schema: number},
		data.Field{Name: "optional", Schema: flag},
		data.Field{Name: "autoIncremented", Schema: flag},
		data.Field{Name: "generated", Schema: flag},
		data.Field{Name: "comment", Schema: optional},
		data.Field{Name: "defaultValueExpression", Schema: optional},
		data.Field{Name: "enumValues", Schema: list}))
	table = versioned(data.StructOf(a.Adjust("io.debezium.connector.schema.Table"),
		data.Field{Name: "defaultCharsetName", Schema: optional},
		data.Field{Name: "primaryKeyColumnNames", Schema: list},
		data.Field{Name: "columns", Schema: &data.Schema{Type: data.Array, Value: column}},
		data.Field{Name: "comment", Schema: optional}))
	table.Optional = true
	change = versioned(data.StructOf(a.Adjust("io.debezium.connector.schema.Change"),
		data.Field{Name: "type", Schema: text},
		data.Field{Name: "id", Schema: text},
		data.Field{Name: "table", Schema: table}))
	return column, table, change
}
