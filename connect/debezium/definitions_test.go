package debezium_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
)

func TestDefinitions(t *testing.T) {
	d := debezium.NewDefinitions(relational(t).Settings, "mysql", sourceSchema, nil)
	null := "NULL"
	r := d.Record(debezium.DefinitionChange{
		Source: debezium.NewSourceBlocks(sourceSchema, "mysql", "shop").New(time.UnixMilli(5), debezium.NoSnapshot, "db"),
		At:     time.UnixMilli(7), Database: "db", Statement: "CREATE TABLE t (id INT)",
		Tables: []debezium.TableChange{
			{Type: "CREATE", ID: debezium.TableID{Catalog: "db", Table: `t"x`}, Table: &debezium.TableDefinition{
				Charset: "utf8mb4", PrimaryKey: []string{"id"},
				Columns: []debezium.ColumnDefinition{{
					Name: "id", JDBCType: 4, NativeType: debezium.Unset, TypeName: "INT", TypeExpression: "INT",
					Length: debezium.Unset, Scale: debezium.Unset, AutoIncremented: true, Default: &null,
				}},
			}},
			{Type: "DROP", ID: debezium.TableID{Catalog: "db", Table: "old"}},
		},
	}, place("a"))
	if err := data.Validate(r.ValueSchema, r.Value); err != nil {
		t.Fatal(err)
	}
	const want = `{"source":{"version":"3.6.1.Final","connector":"mysql","name":"shop","ts_ms":5,"snapshot":"false","db":"db","sequence":null,"ts_us":5000,"ts_ns":5000000},"ts_ms":7,"databaseName":"db","schemaName":null,"ddl":"CREATE TABLE t (id INT)","tableChanges":[` +
		`{"type":"CREATE","id":"\"db\".\"t\"\"x\"","table":{"defaultCharsetName":"utf8mb4","primaryKeyColumnNames":["id"],"columns":[{"name":"id","jdbcType":4,"nativeType":null,"typeName":"INT","typeExpression":"INT","charsetName":null,"length":null,"scale":null,"position":1,"optional":false,"autoIncremented":true,"generated":false,"comment":null,"defaultValueExpression":"NULL","enumValues":null}],"comment":null}},` +
		`{"type":"DROP","id":"\"db\".\"old\"","table":null}]}`
	var json converter.JSON
	if got, err := json.Encode("", r.ValueSchema, r.Value); err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	if got, err := json.Encode("", r.KeySchema, r.Key); err != nil || string(got) != `{"databaseName":"db"}` || r.Topic != "shop" || r.Partition != 0 {
		t.Errorf("key %s, %v in %s", got, err, r.Topic)
	}
	if r.ValueSchema.Name != "io.debezium.connector.mysql.SchemaChangeValue" || r.KeySchema.Name != "io.debezium.connector.mysql.SchemaChangeKey" {
		t.Errorf("schemas %s, %s", r.KeySchema.Name, r.ValueSchema.Name)
	}
	changes := r.ValueSchema.Fields[r.ValueSchema.Field("tableChanges")].Schema.Value
	// The JSON of Debezium 3.6.1's own.
	const wantSchema = `{"type":"struct","fields":[{"type":"string","optional":false,"field":"type"},{"type":"string","optional":false,"field":"id"},{"type":"struct","fields":[{"type":"string","optional":true,"field":"defaultCharsetName"},{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"primaryKeyColumnNames"},{"type":"array","items":{"type":"struct","fields":[{"type":"string","optional":false,"field":"name"},{"type":"int32","optional":false,"field":"jdbcType"},{"type":"int32","optional":true,"field":"nativeType"},{"type":"string","optional":false,"field":"typeName"},{"type":"string","optional":true,"field":"typeExpression"},{"type":"string","optional":true,"field":"charsetName"},{"type":"int32","optional":true,"field":"length"},{"type":"int32","optional":true,"field":"scale"},{"type":"int32","optional":false,"field":"position"},{"type":"boolean","optional":true,"field":"optional"},{"type":"boolean","optional":true,"field":"autoIncremented"},{"type":"boolean","optional":true,"field":"generated"},{"type":"string","optional":true,"field":"comment"},{"type":"string","optional":true,"field":"defaultValueExpression"},{"type":"array","items":{"type":"string","optional":false},"optional":true,"field":"enumValues"}],"optional":false,"name":"io.debezium.connector.schema.Column","version":1},"optional":false,"field":"columns"},{"type":"string","optional":true,"field":"comment"}],"optional":true,"name":"io.debezium.connector.schema.Table","version":1,"field":"table"}],"optional":false,"name":"io.debezium.connector.schema.Change","version":1}`
	if got := schemaJSON(t, changes); got != wantSchema {
		t.Errorf("got %s\nwant %s", got, wantSchema)
	}
}
