package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"
)

// Class is the name that configurations give in connector.class.
const Class = "io.debezium.connector.mongodb.MongoDbSinkConnector"

// Sink is Debezium's sink connector for MongoDB.
type Sink struct{}

var _ plugin.Sink = Sink{}

// Info implements plugin.Connector.
func (Sink) Info() plugin.Info {
	return plugin.Info{Class: Class, Version: debezium.Version, Config: definition}
}

// checkTimeout bounds a check, closeTimeout the good-bye.
const (
	checkTimeout = 20 * time.Second
	closeTimeout = 5 * time.Second
)

// Check implements plugin.Connector: it connects, too.
func (Sink) Check(ctx context.Context, v config.Values, wrong []config.Problem) []config.Problem {
	_, problems := newSettings(v)
	if slices.ContainsFunc(wrong, func(p config.Problem) bool { return strings.HasPrefix(p.Key, "mongodb.") }) {
		return problems
	}
	if err := ping(ctx, clientOptions(v)); err != nil {
		problems = append(problems, config.Problem{Key: "mongodb.connection.string", Message: "Unable to connect: " + hidden(err, v.String("mongodb.connection.string"), v.String("mongodb.password"))})
	}
	return problems
}

func ping(ctx context.Context, o *options.ClientOptions) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	client, err := mongo.Connect(o)
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	return client.Database("admin").RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}).Err()
}

// hidden leaves out what the driver quotes of secrets.
func hidden(err error, secrets ...string) string {
	text := err.Error()
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	return text
}

// Tasks implements plugin.Connector: all do the same for other partitions.
func (Sink) Tasks(v config.Values, most int) ([]map[string]string, error) {
	all := make([]map[string]string, max(most, 1))
	for i := range all {
		all[i] = v.All()
	}
	return all, nil
}

// Open implements plugin.Sink.
func (Sink) Open(_ context.Context, c plugin.SinkContext) (plugin.SinkTask, error) {
	s, problems := newSettings(c.Config)
	if len(problems) > 0 {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, problems[0])
	}
	client, err := mongo.Connect(clientOptions(c.Config))
	if err != nil {
		return nil, fmt.Errorf("mongodb: mongodb.connection.string cannot be used: %s", hidden(err, c.Config.String("mongodb.connection.string"), c.Config.String("mongodb.password")))
	}
	return newTask(client, s.database, s.batch, s), nil
}

// rules are what a connector makes of records.
type rules interface {
	// modelOf is what a record does; nil is nothing.
	modelOf(r *plugin.SinkRecord) (mongo.WriteModel, error)
	// collection of a record that does something; "" is none after all.
	collection(r *plugin.SinkRecord) (string, error)
}

type task struct {
	rules
	client   *mongo.Client
	database *mongo.Database
	most     int // records of one request
}

func newTask(client *mongo.Client, database string, most int, r rules) *task {
	// What was answered as stored must not be taken back by a change of the primary.
	db := client.Database(database, options.Database().SetWriteConcern(writeconcern.Majority()))
	return &task{rules: r, client: client, database: db, most: most}
}

// Close implements plugin.SinkTask.
func (t *task) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	return t.client.Disconnect(ctx)
}

// batch is what one request writes. at has the place of each record in those given to Put.
type batch struct {
	collection string
	models     []mongo.WriteModel
	at         []int
}

// Put implements plugin.SinkTask. Records that follow one another into one collection are one
// request.
func (t *task) Put(ctx context.Context, records []plugin.SinkRecord) error {
	var b batch
	for i := range records {
		collection, model, err := t.prepare(&records[i])
		if err == nil && collection == "" {
			continue
		}
		if len(b.models) > 0 && (err != nil || collection != b.collection || len(b.models) >= t.most) {
			if err := t.write(ctx, &b); err != nil {
				return err
			}
			b = batch{}
		}
		if err != nil {
			return &plugin.RecordError{Index: i, Err: fmt.Errorf("mongodb: %w", err)}
		}
		b.collection, b.models, b.at = collection, append(b.models, model), append(b.at, i)
	}
	return t.write(ctx, &b)
}

func (t *task) prepare(r *plugin.SinkRecord) (collection string, model mongo.WriteModel, err error) {
	if model, err = t.modelOf(r); err != nil || model == nil {
		return "", nil, err
	}
	collection, err = t.collection(r)
	return collection, model, err
}

func (t *task) write(ctx context.Context, b *batch) error {
	if len(b.models) == 0 {
		return nil
	}
	_, err := t.database.Collection(b.collection).BulkWrite(ctx, b.models, options.BulkWrite().SetOrdered(true))
	var bulk mongo.BulkWriteException
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case mayPass(err):
		return fmt.Errorf("mongodb: write to %s: %w: %w", b.collection, plugin.ErrRetry, err)
	case errors.As(err, &bulk) && len(bulk.WriteErrors) > 0 && bulk.WriteErrors[0].Index < len(b.at):
		return &plugin.RecordError{Index: b.at[bulk.WriteErrors[0].Index], Err: fmt.Errorf("mongodb: write to %s: %w", b.collection, bulk.WriteErrors[0])}
	}
	return fmt.Errorf("mongodb: write to %s: %w", b.collection, err)
}

// passing are codes of what passes: elections, shutdowns, overload, and concerns that were not met
// in time.
var passing = []int{6, 7, 24, 64, 89, 91, 100, 112, 133, 189, 202, 262, 317, 358, 384, 9001, 10058, 10107, 11600, 11602, 13435, 13436}

func mayPass(err error) bool {
	var labelled mongo.LabeledError
	if errors.As(err, &labelled) && slices.ContainsFunc([]string{"NetworkError", "TransientTransactionError", "RetryableWriteError"}, labelled.HasErrorLabel) {
		return true
	}
	var selection topology.ServerSelectionError
	if mongo.IsNetworkError(err) || mongo.IsTimeout(err) || errors.As(err, &selection) {
		return true
	}
	var server mongo.ServerError
	return errors.As(err, &server) && slices.ContainsFunc(passing, server.HasErrorCode)
}
