package mongodb

import (
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/debezium"
)

// Fields of the connector's own in a source block, after debezium.SourceOwn.
const (
	sourceCollection = debezium.SourceOwn + iota
	sourceOrd
	sourceLSID
	sourceTxnNumber
	sourceWallTime
)

// Fields of an envelope, by their places.
const (
	envelopeBefore = iota
	envelopeAfter
	envelopeUpdate
	envelopeSource
	envelopeOp
	envelopeMillis
	envelopeTransaction
	envelopeFields
)

// Fields of an update's description.
const (
	updateRemoved = iota
	updateUpdated
	updateTruncated
	updateFields
)

var (
	jsonText = &data.Schema{Type: data.String, Optional: true, Name: "io.debezium.data.Json", Version: 1}

	truncatedArray = &data.Schema{Type: data.StructType, Name: "io.debezium.connector.mongodb.changestream.truncatedarray", Version: 1, Fields: []data.Field{
		{Name: "field", Schema: data.Of(data.String)},
		{Name: "size", Schema: data.Of(data.Int32)},
	}}

	updateDescription = &data.Schema{Type: data.StructType, Optional: true, Name: "io.debezium.connector.mongodb.changestream.updatedescription", Version: 1, Fields: []data.Field{
		{Name: "removedFields", Schema: &data.Schema{Type: data.Array, Optional: true, Value: data.Of(data.String)}},
		{Name: "updatedFields", Schema: jsonText},
		{Name: "truncatedArrays", Schema: &data.Schema{Type: data.Array, Optional: true, Value: truncatedArray}},
	}}
)

func sourceSchema(s *settings) *data.Schema {
	return debezium.SourceSchema(s.SchemaNames.Adjust("io.debezium.connector.mongo.Source"),
		data.Field{Name: "collection", Schema: data.Of(data.String)},
		data.Field{Name: "ord", Schema: data.Of(data.Int32)},
		data.Field{Name: "lsid", Schema: data.OptionalOf(data.String)},
		data.Field{Name: "txnNumber", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "wallTime", Schema: data.OptionalOf(data.Int64)},
	)
}

// collection is how the changes of one are shown. It does not change.
type collection struct {
	ns         namespace
	name       string // in full
	topic      string
	key, value *data.Schema
	fields     fieldRules
	captured   bool
}

func newCollection(s *settings, ns namespace, source *data.Schema) *collection {
	c := &collection{ns: ns, name: ns.String(), fields: s.fields.of(ns), captured: s.captured(ns) && s.inScope(ns)}
	c.topic = s.Naming.Changes(debezium.TableID{Catalog: ns.db, Table: ns.coll})
	c.key = data.StructOf(s.SchemaNames.Adjust(c.topic+".Key"), data.Field{Name: "id", Schema: data.Of(data.String)})
	c.value = data.StructOf(s.SchemaNames.Adjust(c.topic+".Envelope"),
		data.Field{Name: "before", Schema: jsonText},
		data.Field{Name: "after", Schema: jsonText},
		data.Field{Name: "updateDescription", Schema: updateDescription},
		data.Field{Name: "source", Schema: source},
		data.Field{Name: "op", Schema: data.OptionalOf(data.String)},
		data.Field{Name: "ts_ms", Schema: data.OptionalOf(data.Int64)},
		data.Field{Name: "transaction", Schema: debezium.TransactionBlock},
	)
	return c
}
