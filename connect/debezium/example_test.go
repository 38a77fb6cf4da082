package debezium_test

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// What a source does with an update that it read from its database.
func ExampleEmitter() {
	keys := config.Definition{Keys: append(debezium.CommonKeys(), debezium.RelationalKeys()...)}
	values, err := keys.Must(map[string]string{"topic.prefix": "shop", "column.exclude.list": "public.orders.secret"})
	if err != nil {
		panic(err)
	}
	settings, err := debezium.NewRelational(values, debezium.Database{Schemas: true})
	if err != nil {
		panic(err)
	}
	source := debezium.SourceSchema("io.debezium.connector.postgresql.Source", data.Field{Name: "table", Schema: data.Of(data.String)})
	id := debezium.TableID{Schema: "public", Table: "orders"}
	table := settings.Table(id, []debezium.Column{
		{Name: "id", Schema: data.Of(data.Int32), TypeName: "int4", Length: debezium.Unset, Scale: debezium.Unset},
		{Name: "secret", Schema: data.OptionalOf(data.String), TypeName: "text", Length: debezium.Unset, Scale: debezium.Unset, Text: true},
		{Name: "state", Schema: data.OptionalOf(data.String), TypeName: "text", Length: debezium.Unset, Scale: debezium.Unset, Text: true},
	}, []string{"id"}, source)

	at := time.UnixMilli(1700000000000)
	block := debezium.NewSourceBlocks(source, "postgresql", "shop").New(at, debezium.NoSnapshot, "shop")
	block.Values[debezium.SourceOwn] = "orders"
	emitter := debezium.NewEmitter(settings.Settings, nil, nil)
	emitter.Now(at)
	records := emitter.Append(nil, &debezium.Change{
		Op: debezium.Update, Table: table, Source: block,
		Before: []any{int32(7), "x", "new"}, After: []any{int32(7), "y", "paid"},
	})
	var json converter.JSON
	for _, r := range records {
		key, _ := json.Encode(r.Topic, r.KeySchema, r.Key)
		value, _ := json.Encode(r.Topic, r.ValueSchema, r.Value)
		fmt.Printf("%s %s\n%s\n", r.Topic, key, value)
	}
	// Output:
	// shop.public.orders {"id":7}
	// {"before":{"id":7,"state":"new"},"after":{"id":7,"state":"paid"},"source":{"version":"3.6.1.Final","connector":"postgresql","name":"shop","ts_ms":1700000000000,"snapshot":"false","db":"shop","sequence":null,"ts_us":1700000000000000,"ts_ns":1700000000000000000,"table":"orders"},"transaction":null,"op":"u","ts_ms":1700000000000,"ts_us":1700000000000000,"ts_ns":1700000000000000000}
}
