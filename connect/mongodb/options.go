package mongodb

import (
	"errors"
	"strings"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/internal/mongouri"
	"go.mongodb.org/mongo-driver/v2/bson"
)

const (
	connectionGroup = "Connection"
	connectorGroup  = "Connector"
	eventsGroup     = "Events"
	pemHint         = "keys and certificates are PEM files here: use tlsCAFile and tlsCertificateKeyFile in mongodb.connection.string"
)

var connectionKeys = []config.Key{
	{Name: "mongodb.connection.string", Type: config.Password, Required: true, Importance: config.High, Group: connectionGroup, Label: "Connection String",
		Check: mongouri.Check, Doc: "Where the database is: mongodb://host:port/?replicaSet=name or mongodb+srv://host, with the driver's options."},
	{Name: "mongodb.user", Type: config.String, Importance: config.High, Group: connectionGroup, Label: "User", Doc: "Name to log in with, where the connection string has none."},
	{Name: "mongodb.password", Type: config.Password, Importance: config.High, Group: connectionGroup, Label: "Password", Doc: "Password of mongodb.user."},
	{Name: "mongodb.authsource", Type: config.String, Default: "admin", Group: connectionGroup, Label: "Credentials Database", Doc: "Database that knows mongodb.user."},
	{Name: "mongodb.connect.timeout.ms", Type: config.Int, Default: "10000", Importance: config.Low, Group: connectionGroup, Check: config.AtLeast(0), Doc: "How long to wait for a connection."},
	{Name: "mongodb.heartbeat.frequency.ms", Type: config.Int, Default: "10000", Importance: config.Low, Group: connectionGroup, Check: config.AtLeast(500), Doc: "How often the driver asks each server how it is."},
	{Name: "mongodb.socket.timeout.ms", Type: config.Int, Default: "0", Importance: config.Low, Group: connectionGroup,
		Unsupported: "requests end with their task, not with a socket's time limit", Doc: "Debezium's time limit of a read from a socket."},
	{Name: "mongodb.server.selection.timeout.ms", Type: config.Int, Default: "30000", Importance: config.Low, Group: connectionGroup, Check: config.AtLeast(0), Doc: "How long to look for a server that can be used."},
	{Name: "mongodb.poll.interval.ms", Type: config.Long, Default: "30000", Group: connectionGroup, Check: config.AtLeast(1), Doc: "Has no effect: the driver watches the replica set by itself."},
	{Name: "mongodb.allow.offset.invalidation", Type: config.Boolean, Default: "false", Importance: config.Low,
		Unsupported: "offsets per shard of old Debezium versions are not read", Doc: "Debezium's way to begin at the oldest of several shards' offsets."},
	{Name: "mongodb.ssl.enabled", Type: config.Boolean, Default: "false", Group: connectionGroup, Label: "Enable SSL connection to MongoDB", Doc: "Whether connections are encrypted."},
	{Name: "mongodb.ssl.invalid.hostname.allowed", Type: config.Boolean, Default: "false", Group: connectionGroup, Doc: "Whether a certificate may be of another host, which lets others listen."},
	{Name: "mongodb.ssl.keystore", Type: config.String, Group: connectionGroup, Unsupported: pemHint, Doc: "A Java key store."},
	{Name: "mongodb.ssl.keystore.password", Type: config.Password, Group: connectionGroup, Unsupported: pemHint, Doc: "Password of the key store."},
	{Name: "mongodb.ssl.keystore.type", Type: config.String, Default: "PKCS12", Group: connectionGroup, Unsupported: pemHint, Doc: "Type of the key store."},
	{Name: "mongodb.ssl.truststore", Type: config.String, Group: connectionGroup, Unsupported: pemHint, Doc: "A Java trust store."},
	{Name: "mongodb.ssl.truststore.password", Type: config.Password, Group: connectionGroup, Unsupported: pemHint, Doc: "Password of the trust store."},
	{Name: "mongodb.ssl.truststore.type", Type: config.String, Default: "PKCS12", Group: connectionGroup, Unsupported: pemHint, Doc: "Type of the trust store."},
	{Name: "mongodb.authentication.class", Type: config.Class, Default: "io.debezium.connector.mongodb.connection.DefaultMongoDbAuthProvider", Importance: config.Low,
		Unsupported: "Java classes cannot be loaded; the connection string names the mechanism with authMechanism", Doc: "Where credentials come from."},
}

var captureKeys = []config.Key{
	{Name: "database.include.list", Type: config.List, Importance: config.High, Group: eventsGroup, Label: "Include Databases", Doc: "Regular expressions of the databases to capture; each must match a whole name."},
	{Name: "database.exclude.list", Type: config.List, Importance: config.High, Group: eventsGroup, Label: "Exclude Databases", Doc: "Regular expressions of the databases not to capture."},
	{Name: "collection.include.list", Type: config.List, Importance: config.High, Group: eventsGroup, Label: "Include Collections", Doc: "Regular expressions of the collections to capture, by names such as inventory.products."},
	{Name: "collection.exclude.list", Type: config.List, Importance: config.High, Group: eventsGroup, Label: "Exclude Collections", Doc: "Regular expressions of the collections not to capture."},
	choice("filters.match.mode", "regex", "Whether the lists are regular expressions or names.", "regex", "literal"),
	{Name: "field.exclude.list", Type: config.String, Group: eventsGroup, Label: "Exclude Fields", Check: checkFields(func(v string) error { _, err := parseFields(v, ""); return err }),
		Doc: "Fields to leave out, as database.collection.field.nested; * stands for any characters of the first two."},
	{Name: "field.renames", Type: config.String, Group: eventsGroup, Label: "Rename Fields", Check: checkFields(func(v string) error { _, err := parseFields("", v); return err }),
		Doc: "Fields to show under another name, as database.collection.field.nested:name."},
	choice("capture.mode", "change_streams_update_full", "Whether updates carry the document after them, and before.",
		"change_streams", "change_streams_update_full", "change_streams_with_pre_image", "change_streams_update_full_with_pre_image"),
	choice("capture.mode.full.update.type", "lookup", "Whether the document after an update is looked up, and may be newer, or is the stored post-image.", "lookup", "post_image"),
	choice("capture.scope", "deployment", "How much one change stream covers.", "deployment", "database", "collection"),
	{Name: "capture.target", Type: config.String, Group: connectorGroup, Label: "Capture target", Doc: "The database, or the collection as database.collection, that capture.scope is about."},
	{Name: "capture.start.op.time", Type: config.Long, Default: "-1", Importance: config.Low, Group: connectorGroup, Doc: "Where to begin when there is no offset and no snapshot: a BSON timestamp as one number."},
	choice("json.serialization.mode", "legacy", "The dialect of Extended JSON of documents and updated fields.", "legacy", "strict", "extended", "relaxed"),
}

var snapshotKeys = []config.Key{
	{Name: "snapshot.mode", Type: config.String, Default: "initial", Group: connectorGroup, Label: "Snapshot mode", Check: checkSnapshotMode,
		Recommended: []string{"always", "initial", "initial_only", "no_data", "when_needed"}, Doc: "When a snapshot is taken; never is an old name of no_data."},
	{Name: "snapshot.collection.filter.overrides", Type: config.String, Group: connectorGroup, Doc: "Collections of which the snapshot takes a part; snapshot.collection.filter.overrides.<database>.<collection> is the query."},
}

var cursorKeys = []config.Key{
	{Name: "cursor.max.await.time.ms", Type: config.Int, Importance: config.Low, Group: connectorGroup, Check: config.AtLeast(0), Doc: "How long the server waits for a change before it answers that there is none."},
	{Name: "cursor.pipeline", Type: config.String, Importance: config.Low, Group: connectorGroup, Check: checkPipeline, Doc: "Stages of an aggregation that change events go through, as a JSON array."},
	choice("cursor.pipeline.order", "internal_first", "Whether cursor.pipeline comes after the connector's own stages, before them or in their place.", "internal_first", "user_first", "user_only"),
	choice("cursor.oversize.handling.mode", "fail", "What becomes of events beyond 16 MB: the task fails, documents beyond a size are skipped, or events are split (MongoDB 6.0.9 and later).", "fail", "skip", "split"),
	{Name: "cursor.oversize.skip.threshold", Type: config.Int, Default: "0", Importance: config.Low, Group: connectorGroup, Check: config.AtLeast(0), Doc: "Size in bytes of documents to skip; for cursor.oversize.handling.mode=skip."},
}

// refusedKeys are common ones that do not work here.
var refusedKeys = []config.Key{
	{Name: "skip.messages.without.change", Type: config.Boolean, Default: "false", Unsupported: "documents are not compared with those before them", Doc: "Whether updates that change nothing are left out."},
}

func choice(name, standard, doc string, values ...string) config.Key {
	return config.Key{Name: name, Type: config.String, Default: standard, Group: connectorGroup, Check: config.OneOf(values...), Recommended: values, Doc: doc}
}

func checkSnapshotMode(v any) error {
	switch mode, _ := v.(string); strings.ToLower(mode) {
	case "configuration_based", "custom":
		return errors.New("this mode is not supported: choose one of always, initial, initial_only, no_data, when_needed")
	}
	return config.OneOf("always", "initial", "initial_only", "no_data", "never", "when_needed")(v)
}

func checkFields(parse func(string) error) func(any) error {
	return func(v any) error {
		text, _ := v.(string)
		return parse(text)
	}
}

func checkPipeline(v any) error {
	text, _ := v.(string)
	_, err := parsePipeline(text)
	return err
}

// parsePipeline of Extended JSON; "" is none.
func parsePipeline(text string) (stages bson.A, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var wrapped struct {
		Stages []bson.D `bson:"stages"`
	}
	if err := bson.UnmarshalExtJSON([]byte(`{"stages": `+text+`}`), false, &wrapped); err != nil {
		return nil, errors.New("Change stream pipeline JSON is invalid: " + err.Error()) //nolint:staticcheck // Debezium's own words
	}
	for _, stage := range wrapped.Stages {
		stages = append(stages, stage)
	}
	return stages, nil
}
