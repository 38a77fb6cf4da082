package cdc

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/pabal-dev/pabal/internal/testservers"
)

type mongoDB struct {
	server *testservers.Server
	client *mongo.Client
	db     *mongo.Database // of the round
}

func startMongoDB(ctx context.Context) (database, error) {
	server, err := testservers.StartMongoDB(ctx, "--oplogSize", "2000")
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(options.Client().ApplyURI(server.URL))
	if err != nil {
		return nil, err
	}
	return &mongoDB{server: server, client: client}, nil
}

func (m *mongoDB) title() string { return m.server.Name }

func (m *mongoDB) close() error {
	_ = m.client.Disconnect(context.Background())
	return m.server.Close()
}

func (m *mongoDB) begin(ctx context.Context) error {
	if m.db != nil {
		if err := m.db.Drop(ctx); err != nil {
			return err
		}
	}
	m.db = m.client.Database(unique("bench_"))
	for _, name := range []string{"orders", "probes"} {
		if err := m.db.CreateCollection(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (m *mongoDB) config(prefix string) map[string]string {
	return map[string]string{
		"connector.class": "io.debezium.connector.mongodb.MongoDbConnector", "mongodb.connection.string": m.server.URL,
		"topic.prefix": prefix, "database.include.list": m.db.Name(),
		"collection.include.list": strings.Join([]string{m.capture("orders"), m.capture("probes")}, ","), "snapshot.mode": "no_data",
	}
}

func (m *mongoDB) capture(table string) string { return m.db.Name() + "." + table }

func (m *mongoDB) probe(ctx context.Context) error {
	_, err := m.db.Collection("probes").InsertOne(ctx, bson.D{{Key: "at", Value: time.Now()}})
	return err
}

// change in ordered bulk writes of as many changes as the other databases' transactions have.
func (m *mongoDB) change(ctx context.Context, changes int) (int, error) {
	const updates = perTransaction - inserts - deletions
	models := make([]mongo.WriteModel, 0, perTransaction)
	for last := 0; last < changes/perTransaction*inserts; last += inserts {
		models = models[:0]
		for i := last; i < last+inserts; i++ {
			models = append(models, mongo.NewInsertOneModel().SetDocument(order(i)))
		}
		for i := last; i < last+updates; i++ {
			models = append(models, mongo.NewUpdateOneModel().SetFilter(bson.D{{Key: "_id", Value: i}}).
				SetUpdate(bson.D{{Key: "$set", Value: bson.D{{Key: "status", Value: "paid"}, {Key: "paid", Value: true}}}, {Key: "$inc", Value: bson.D{{Key: "amount", Value: 1}}}}))
		}
		for i := last + inserts - deletions; i < last+inserts; i++ {
			models = append(models, mongo.NewDeleteOneModel().SetFilter(bson.D{{Key: "_id", Value: i}}))
		}
		if _, err := m.db.Collection("orders").BulkWrite(ctx, models); err != nil {
			return 0, err
		}
	}
	return changes / perTransaction * deletions, nil
}

func order(i int) bson.D {
	return bson.D{
		{Key: "_id", Value: i}, {Key: "customer", Value: fmt.Sprint("customer-", i%1000)}, {Key: "status", Value: "new"},
		{Key: "amount", Value: float64(i%100_000) / 100}, {Key: "items", Value: int32(i%10 + 1)}, {Key: "paid", Value: i%2 == 0},
		{Key: "note", Value: fmt.Sprint("please leave the parcel at the door of number ", i)}, {Key: "ordered", Value: time.Now()},
		{Key: "detail", Value: bson.D{{Key: "sku", Value: fmt.Sprint("sku-", i%500)}, {Key: "quantity", Value: i % 10}}},
	}
}

// forget nothing: the server keeps nothing for a connector.
func (m *mongoDB) forget(context.Context, string) error { return nil }
