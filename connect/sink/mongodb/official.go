package mongodb

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/mongouri"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// OfficialClass is the sink connector that MongoDB itself publishes.
const OfficialClass = "com.mongodb.kafka.connect.MongoSinkConnector"

// OfficialSink is MongoDB's own sink connector, as far as its documents are replaced or deleted by
// their _id. Its other strategies are refused by name.
type OfficialSink struct{}

var _ plugin.Sink = OfficialSink{}

const (
	sinkPackage = "com.mongodb.kafka.connect.sink."
	ids         = sinkPackage + "processor.id.strategy."
	writes      = sinkPackage + "writemodel.strategy."
	handlers    = sinkPackage + "cdc.debezium."
	projections = "fields are left out or renamed by transforms here, such as ReplaceField"
)

var officialDefinition = config.Definition{
	Keys: []config.Key{
		{Name: "connection.uri", Type: config.Password, Default: "mongodb://localhost:27017,localhost:27018,localhost:27019", Importance: config.High, Check: mongouri.Check, Doc: "Where the database is, with the driver's options."},
		{Name: "database", Type: config.String, Required: true, Importance: config.High, Check: checkDatabase, Doc: "The database to write to."},
		{Name: "collection", Type: config.String, Importance: config.High, Doc: "The collection to write to; by default the one with the topic's name."},
		{Name: "change.data.capture.handler", Type: config.String, Check: known(handlers, "rdbms.RdbmsHandler", "rdbms.postgres.PostgresHandler", "rdbms.mysql.MysqlHandler", "mongodb.MongoDbHandler", "mongodb.ChangeStreamHandler"),
			Doc: "What understands changes of databases; by default values are documents."},
		{Name: "document.id.strategy", Type: config.String, Default: ids + "BsonOidStrategy", Check: known(ids, "BsonOidStrategy", "FullKeyStrategy", "ProvidedInKeyStrategy", "ProvidedInValueStrategy", "KafkaMetaDataStrategy"),
			Doc: "Where a document's _id comes from. The ObjectId of BsonOidStrategy is made of the record's place in its topic, so that it is the same when the record comes again."},
		{Name: "document.id.strategy.overwrite.existing", Type: config.Boolean, Default: "false", Doc: "Whether an _id that the value has is replaced."},
		{Name: "writemodel.strategy", Type: config.String, Default: writes + "DefaultWriteModelStrategy", Check: known(writes, "DefaultWriteModelStrategy", "ReplaceOneDefaultStrategy"), Doc: "How documents are written: they replace those with the same _id."},
		{Name: "delete.on.null.values", Type: config.Boolean, Default: "false", Doc: "Whether a record without a value deletes the document of its key."},
		{Name: "delete.writemodel.strategy", Type: config.String, Default: writes + "DeleteOneDefaultStrategy", Check: known(writes, "DeleteOneDefaultStrategy"), Doc: "How documents are deleted: by _id."},
		{Name: "max.batch.size", Type: config.Int, Default: "0", Check: config.AtLeast(0), Doc: "How many records are written with one request at most; 0 is as many as there are."},
		{Name: "bulk.write.ordered", Type: config.Boolean, Default: "true", Unsupported: "records are written in their order", Doc: "Whether a batch is written in its order."},
		{Name: "post.processor.chain", Type: config.String, Default: sinkPackage + "processor.DocumentIdAdder", Unsupported: projections, Doc: "What changes documents before they are written."},
		{Name: "namespace.mapper", Type: config.String, Default: sinkPackage + "namespace.mapping.DefaultNamespaceMapper", Unsupported: "collections are named by collection, or by the topic", Doc: "What names databases and collections."},
		{Name: "key.projection.type", Type: config.String, Default: "none", Unsupported: projections, Doc: "Which fields of keys are left out."},
		{Name: "value.projection.type", Type: config.String, Default: "none", Unsupported: projections, Doc: "Which fields of values are left out."},
		{Name: "field.renamer.mapping", Type: config.String, Default: "[]", Unsupported: projections, Doc: "Fields to rename."},
		{Name: "field.renamer.regexp", Type: config.String, Default: "[]", Unsupported: projections, Doc: "Fields to rename."},
		{Name: "timeseries.timefield", Type: config.String, Unsupported: "collections of time series are not made; make them before, with an _id per record", Doc: "The field of a time series' time."},
		{Name: "mongo.errors.tolerance", Type: config.String, Default: "none", Unsupported: "errors.tolerance says it for all errors", Doc: "Whether records that are refused are passed over."},
		{Name: "mongo.errors.log.enable", Type: config.Boolean, Default: "false", Doc: "Has no effect: errors are logged."},
		{Name: "max.num.retries", Type: config.Int, Default: "1", Doc: "Has no effect: what may pass is waited out."},
		{Name: "retries.defer.timeout", Type: config.Int, Default: "5000", Doc: "Has no effect: what may pass is waited out."},
		{Name: "rate.limiting.timeout", Type: config.Int, Default: "0", Unsupported: "there is no rate limit", Doc: "How long to wait after so many batches."},
		{Name: "rate.limiting.every.n", Type: config.Int, Default: "0", Unsupported: "there is no rate limit", Doc: "After how many batches to wait."},
	},
}

// known names, with or without a package before them.
func known(prefix string, names ...string) func(any) error {
	return func(v any) error {
		text, _ := v.(string)
		if text == "" || slices.Contains(names, strings.TrimPrefix(text, prefix)) {
			return nil
		}
		return fmt.Errorf("it is not supported; there are %s%s", prefix, strings.Join(names, ", "+prefix))
	}
}

// Info implements plugin.Connector.
func (OfficialSink) Info() plugin.Info {
	return plugin.Info{Class: OfficialClass, Version: "2.0.1", Config: officialDefinition}
}

// Check implements plugin.Connector: it connects, too.
func (OfficialSink) Check(ctx context.Context, v config.Values, wrong []config.Problem) (problems []config.Problem) {
	for name := range v.All() {
		if strings.HasPrefix(name, "topic.override.") {
			problems = append(problems, config.Problem{Key: name, Message: name + ": this option is not supported: make a connector for each topic"})
		}
	}
	if slices.ContainsFunc(wrong, func(p config.Problem) bool { return p.Key == "connection.uri" }) {
		return problems
	}
	if err := ping(ctx, officialOptions(v)); err != nil {
		problems = append(problems, config.Problem{Key: "connection.uri", Message: "Unable to connect to the server: " + hidden(err, v.String("connection.uri"))})
	}
	return problems
}

func officialOptions(v config.Values) *options.ClientOptions {
	return options.Client().SetAppName("pabal").ApplyURI(mongouri.Complete(v.String("connection.uri")))
}

// Tasks implements plugin.Connector: all do the same for other partitions.
func (OfficialSink) Tasks(v config.Values, most int) ([]map[string]string, error) {
	return Sink{}.Tasks(v, most)
}

// Open implements plugin.Sink.
func (OfficialSink) Open(_ context.Context, c plugin.SinkContext) (plugin.SinkTask, error) {
	v := c.Config
	client, err := mongo.Connect(officialOptions(v))
	if err != nil {
		return nil, fmt.Errorf("mongodb: connection.uri cannot be used: %s", hidden(err, v.String("connection.uri")))
	}
	most := int(v.Int("max.batch.size"))
	if most == 0 {
		most = maxBatch
	}
	rules := &officialRules{
		into: v.String("collection"), id: strings.TrimPrefix(v.String("document.id.strategy"), ids), overwrite: v.Bool("document.id.strategy.overwrite.existing"),
		changes: v.String("change.data.capture.handler") != "", deletes: v.Bool("delete.on.null.values"),
	}
	return newTask(client, v.String("database"), most, rules), nil
}

// maxBatch bounds what one request has in memory twice.
const maxBatch = 1000

// officialRules are those of the options.
type officialRules struct {
	into             string // the collection; "" is the topic's
	id               string // a strategy
	overwrite        bool
	changes, deletes bool
	envelopes        settings // without any filter
}

func (o *officialRules) collection(r *plugin.SinkRecord) (string, error) {
	if o.into != "" {
		return o.into, nil
	}
	return r.Topic, nil
}

func (o *officialRules) modelOf(r *plugin.SinkRecord) (mongo.WriteModel, error) {
	switch {
	case r.Value == nil && o.deletes && r.Key != nil && !o.changes:
		id, err := o.keyID(r)
		return deletion(id), err
	case r.Value == nil:
		return nil, nil
	case o.changes:
		return o.envelopes.modelOf(r)
	}
	doc, err := plainDocument(r)
	if err != nil {
		return nil, err
	}
	at := index(doc, idField)
	if at >= 0 && !o.overwrite {
		return replacement(byID(doc[at].Value), doc), nil
	}
	id, err := o.newID(r, doc)
	if err != nil {
		return nil, err
	}
	if at >= 0 {
		doc[at].Value = id
		return replacement(byID(id), doc), nil
	}
	return replacement(byID(id), append(doc, bson.E{Key: idField, Value: id})), nil
}

func (o *officialRules) newID(r *plugin.SinkRecord, doc bson.D) (any, error) {
	switch o.id {
	case "FullKeyStrategy", "ProvidedInKeyStrategy":
		return o.keyID(r)
	case "ProvidedInValueStrategy":
		if at := index(doc, idField); at >= 0 {
			return doc[at].Value, nil
		}
		return nil, errors.New("the value has no _id, which ProvidedInValueStrategy takes")
	case "KafkaMetaDataStrategy":
		return fmt.Sprintf("%s#%d#%d", r.From.Topic, r.From.Partition, r.Offset), nil
	}
	return objectIDOf(r), nil
}

// keyID of a key that is a document.
func (o *officialRules) keyID(r *plugin.SinkRecord) (any, error) {
	key, err := keyDocument(r.Key)
	if err != nil {
		return nil, fmt.Errorf("the key: %w", err)
	}
	at := index(key, idField)
	switch {
	case o.id == "ProvidedInKeyStrategy" && at < 0:
		return nil, errors.New("the key has no _id, which ProvidedInKeyStrategy takes")
	case o.id != "FullKeyStrategy" && at >= 0:
		return key[at].Value, nil
	}
	return key, nil
}

func keyDocument(key any) (bson.D, error) {
	switch key := key.(type) {
	case nil:
		return bson.D{}, nil
	case string:
		return parseDocument(key)
	default:
		return documentOf(key)
	}
}

// objectIDOf has the record's time, as ObjectIds have, and its place.
func objectIDOf(r *plugin.SinkRecord) (id bson.ObjectID) {
	hash := sha256.Sum256(fmt.Appendf(nil, "%s#%d#%d", r.From.Topic, r.From.Partition, r.Offset))
	binary.BigEndian.PutUint32(id[:], uint32(max(r.Timestamp, 0)/1000)) //nolint:gosec // seconds until 2106
	copy(id[4:], hash[:])
	return id
}
