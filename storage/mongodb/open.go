package mongodb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/event"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"
)

// Open connects to a replica set, makes or updates Pabal's collections in the database
// and returns once both is done. url is "mongodb://user:password@host:port/database"
// with the driver's options, or "mongodb+srv://…"; its read and write concerns count for
// nothing: all that is read or written here is a majority's. ctx bounds the opening only; where no
// primary is found it gives up after 10 s (the URL's serverSelectionTimeoutMS). Its
// errors never show the password.
func Open(ctx context.Context, url string, config Config) (*DB, error) {
	settings, config, err := settingsOf(url, config)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("mongodb: the connection string cannot be used: %w", err)
	}
	db := newDB(client, config)
	if err := db.prepare(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

const (
	defaultSelectionTimeout = 10 * time.Second
	defaultPatience         = 10 * time.Second
)

func settingsOf(url string, config Config) (*options.ClientOptions, Config, error) {
	parsed, err := connstring.ParseAndValidate(url)
	if err != nil {
		return nil, config, fmt.Errorf("mongodb: the connection string cannot be read (expected mongodb://user:password@host:port/database): %s", oneLine(err))
	}
	if config.Database == "" {
		config.Database = parsed.Database
	}
	switch {
	case config.Database == "":
		return nil, config, errors.New("mongodb: no database is named: mongodb://host:port/database, or Config.Database")
	case strings.ContainsAny(config.Database, "/\\. \"$*<>:|?\x00") || len(config.Database) > 63:
		return nil, config, fmt.Errorf("mongodb: %.70q is no name for a database", config.Database)
	case config.ConflictPatience < 0:
		return nil, config, fmt.Errorf("mongodb: ConflictPatience is %s, it cannot be negative", config.ConflictPatience)
	case config.ConflictPatience == 0:
		config.ConflictPatience = defaultPatience
	}
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	// What is published must not be taken back by a change of the primary, so nothing is
	// read or believed written that a majority does not have.
	settings := options.Client().ApplyURI(url).
		SetReadConcern(readconcern.Majority()).SetWriteConcern(writeconcern.Majority()).SetReadPreference(readpref.Primary())
	if !parsed.ServerSelectionTimeoutSet {
		settings.SetServerSelectionTimeout(defaultSelectionTimeout)
	}
	if parsed.AppName == "" {
		settings.SetAppName("pabal")
	}
	return settings, config, nil
}

// oneLine leaves out what could be the password: the driver quotes parts of the URL.
func oneLine(err error) string {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if at := strings.LastIndex(text, "@"); at >= 0 {
		return "a part of it is not as it must be"
	}
	return text
}

func newDB(client *mongo.Client, config Config) *DB {
	d := client.Database(config.Database)
	return &DB{
		client: client, database: d, config: config, log: config.Logger,
		outbox: d.Collection("pabal_outbox"), history: d.Collection("pabal_outbox_history"), state: d.Collection("pabal_outbox_state"),
		marks: d.Collection("pabal_inbox"), lanes: d.Collection("pabal_inbox_lane"), waiting: d.Collection("pabal_inbox_waiting"),
		sagas: d.Collection("pabal_saga"), entries: d.Collection("pabal_saga_entry"),
	}
}

// oldestWire is that of MongoDB 5.0.
const oldestWire = 13

func (db *DB) prepare(ctx context.Context) error {
	var hello struct {
		SetName        string `bson:"setName"`
		Msg            string `bson:"msg"`
		MaxWireVersion int    `bson:"maxWireVersion"`
	}
	err := db.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello)
	switch {
	case err != nil:
		return failed("connect", err)
	case hello.SetName == "" && hello.Msg != "isdbgrid":
		return errors.New("mongodb: the server is not a member of a replica set, and only those have transactions; " +
			"start it with --replSet and run rs.initiate(), one member is enough")
	case hello.MaxWireVersion < oldestWire:
		return errors.New("mongodb: the server is older than MongoDB 5.0, which is needed")
	}
	return db.makeCollections(ctx)
}

// schemaVersion of the collections; see makeCollections. 2 has sagas.
const schemaVersion = 2

// sagasByAge is the index for lists and counts.
var sagasByAge = ascending("name", "status", "started", "_id")

// makeCollections can run in many processes at a time, and again. The document of the
// relay's state says last of which version they are, so that all is there where that is.
func (db *DB) makeCollections(ctx context.Context) error {
	there, err := db.checkSchema(ctx)
	if there || err != nil {
		return err
	}
	for c, indexes := range map[*mongo.Collection][]mongo.IndexModel{
		db.outbox: {
			// Rows without an id yet are found under 0, in the order they get one.
			{Keys: ascending("id", "stamp")},
			{Keys: ascending("aside", "id"), Options: options.Index().SetPartialFilterExpression(bson.D{{Key: "aside", Value: true}})},
		},
		db.history: {{Keys: ascending("publishedAt", "id")}, {Keys: ascending("id")}},
		db.marks:   {{Keys: ascending("markedAt")}},
		db.waiting: {{Keys: ascending("consumer", "topic", "key")}},
		db.lanes:   nil,
		db.sagas: {
			{Keys: ascending("name", "due"), Options: where("due")},
			{Keys: sagasByAge},
			{Keys: ascending("correlationId")},
			{Keys: ascending("name", "ended"), Options: where("ended")},
		},
		db.entries: nil,
		db.state:   nil,
	} {
		if err := db.database.CreateCollection(ctx, c.Name()); err != nil && !hasCode(err, namespaceExists) {
			return failed("create collection "+c.Name(), err)
		}
		if len(indexes) == 0 {
			continue
		}
		if _, err := c.Indexes().CreateMany(ctx, indexes); err != nil {
			return failed("create the indexes of "+c.Name(), err)
		}
	}
	if err := db.makeState(ctx); err != nil {
		return err
	}
	_, err = db.state.UpdateByID(ctx, relayState, bson.D{{Key: "$max", Value: bson.D{{Key: "schema", Value: schemaVersion}}}})
	if err == nil {
		_, err = db.checkSchema(ctx)
	}
	return failed("note the collections' version", err)
}

// where is an index of the documents that have a field.
func where(field string) *options.IndexOptionsBuilder {
	return options.Index().SetPartialFilterExpression(bson.D{{Key: field, Value: bson.D{{Key: "$exists", Value: true}}}})
}

func ascending(fields ...string) (keys bson.D) {
	for _, f := range fields {
		keys = append(keys, bson.E{Key: f, Value: 1})
	}
	return keys
}

func (db *DB) checkSchema(ctx context.Context) (there bool, err error) {
	var stored struct {
		Schema int `bson:"schema"`
	}
	err = db.state.FindOne(ctx, byID(relayState)).Decode(&stored)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return false, nil
	case err != nil:
		return false, failed("read the outbox's state", err)
	case stored.Schema > schemaVersion:
		return true, fmt.Errorf("mongodb: the collections in %s are of version %d, this program knows %d: use a newer one", db.database.Name(), stored.Schema, schemaVersion)
	}
	return stored.Schema == schemaVersion, nil
}

const namespaceExists = 48

// makeState makes the two documents of the state: the counter of ids, and the relay's.
func (db *DB) makeState(ctx context.Context) error {
	for _, d := range []struct {
		id     string
		fields bson.D
	}{
		{idState, bson.D{{Key: "last", Value: int64(0)}}},
		{relayState, bson.D{
			{Key: "schema", Value: schemaVersion}, {Key: "outbox", Value: event.NewID()}, {Key: "boundSystem", Value: ""},
			{Key: "boundCluster", Value: ""}, {Key: "leaseHolder", Value: ""}, {Key: "leaseToken", Value: int64(0)},
			{Key: "leaseUntil", Value: time.Unix(0, 0)}, {Key: "lastReplay", Value: int64(0)}, {Key: "position", Value: nil},
		}},
	} {
		_, err := db.state.UpdateByID(ctx, d.id, bson.D{{Key: "$setOnInsert", Value: d.fields}}, options.UpdateOne().SetUpsert(true))
		if err != nil && !mongo.IsDuplicateKeyError(err) {
			return failed("make the outbox's state", err)
		}
	}
	return nil
}

// The documents of pabal_outbox_state.
const (
	relayState = "relay"
	idState    = "ids"
)

func byID(id any) bson.D { return bson.D{{Key: "_id", Value: id}} }
