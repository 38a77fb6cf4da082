package mongodb_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/internal/sourcetest"
	"github.com/pabal-dev/pabal/connect/mongodb"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const deadline = sourcetest.Deadline

var databases atomic.Int64

// newDatabase is an empty one, dropped with the test.
func newDatabase(t testing.TB) *mongo.Database {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(testenv.MongoDB(t)))
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("%s%d", testenv.Prefix(t), databases.Add(1))
	db := client.Database(name[max(0, len(name)-60):])
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := db.Drop(ctx); err != nil {
			t.Error(err)
		}
		_ = client.Disconnect(ctx)
	})
	return db
}

// settingsFor capture one database.
func settingsFor(t testing.TB, db *mongo.Database, more ...string) map[string]string {
	t.Helper()
	c := map[string]string{
		"connector.class": mongodb.Class, "mongodb.connection.string": testenv.MongoDB(t), "topic.prefix": "p",
		"database.include.list": db.Name(), "cursor.max.await.time.ms": "20",
	}
	for i := 0; i < len(more); i += 2 {
		c[more[i]] = more[i+1]
	}
	return c
}

// runner is a task and what the runtime stores for it.
type runner struct {
	t      testing.TB
	config map[string]string
	stored map[string]any
	task   plugin.SourceTask
	ready  []plugin.SourceRecord
	memory int64
	kafka  kafka.Config // for signals
}

func open(t testing.TB, c map[string]string, stored map[string]any) *runner {
	t.Helper()
	return openWith(t, c, stored, kafka.Config{})
}

// openWith the worker's Kafka.
func openWith(t testing.TB, c map[string]string, stored map[string]any, cluster kafka.Config) *runner {
	t.Helper()
	r := &runner{t: t, config: c, stored: stored, memory: 8 << 20, kafka: cluster}
	r.open()
	t.Cleanup(r.close)
	return r
}

func (r *runner) open() {
	r.t.Helper()
	values, problems := mongodb.Source{}.Info().Config.Parse(r.config)
	if len(problems) > 0 {
		r.t.Fatal(problems)
	}
	task, err := mongodb.Source{}.Open(r.t.Context(), plugin.SourceContext{
		Common: plugin.Common{Connector: "c", Config: values, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Memory: r.memory, Kafka: r.kafka},
		Offset: func(_ context.Context, partition map[string]any) (map[string]any, error) {
			if len(partition) != 1 || partition["server_id"] != "p" {
				return nil, nil
			}
			return r.stored, nil
		},
		Positions: true,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.task = task
}

func (r *runner) close() {
	if r.task == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := r.task.Close(ctx); err != nil {
		r.t.Error(err)
	}
	r.task, r.ready = nil, nil
}

// next waits for one record; those without a topic only move the stored position.
func (r *runner) next() plugin.SourceRecord {
	r.t.Helper()
	record, err := r.tryNext()
	if err != nil {
		r.t.Fatal(err)
	}
	return record
}

func (r *runner) tryNext() (plugin.SourceRecord, error) {
	r.t.Helper()
	for end := time.Now().Add(deadline); ; {
		for len(r.ready) > 0 {
			record := r.ready[0]
			r.ready = r.ready[1:]
			r.stored = throughJSON(r.t, record.At.Offset())
			if record.Topic != "" {
				return record, nil
			}
		}
		var err error
		if r.ready, err = r.task.Poll(r.t.Context()); err != nil {
			return plugin.SourceRecord{}, err
		}
		if time.Now().After(end) {
			return plugin.SourceRecord{}, fmt.Errorf("no record in %s", deadline)
		}
	}
}

// streaming waits until changes from now on are captured.
func (r *runner) streaming() {
	r.t.Helper()
	for end := time.Now().Add(deadline); r.stored == nil; {
		records, err := r.task.Poll(r.t.Context())
		if err != nil || time.Now().After(end) {
			r.t.Fatal("it does not stream: ", err)
		}
		for _, record := range records {
			if record.Topic != "" && record.Topic != "notes" {
				r.t.Fatal("a record came already")
			}
			r.stored = throughJSON(r.t, record.At.Offset())
		}
	}
}

// throughJSON is what the runtime makes of an offset that it stores and reads again.
func throughJSON(t testing.TB, offset map[string]any) map[string]any {
	t.Helper()
	b, err := json.Marshal(offset)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// text is a record as the JSON converter writes it, without what differs between runs.
func text(t testing.TB, r *plugin.SourceRecord) string {
	t.Helper()
	v := envelope(t, r)
	if v == nil {
		return r.Topic + " " + keyOf(t, r) + " tombstone"
	}
	source := v["source"].(map[string]any)
	return fmt.Sprintf("%s %s %s %s before=%v after=%v update=%v", r.Topic, keyOf(t, r), v["op"], source["snapshot"], v["before"], v["after"], v["updateDescription"])
}

func keyOf(t testing.TB, r *plugin.SourceRecord) string {
	t.Helper()
	b, err := plain.Encode(r.Topic, r.KeySchema, r.Key)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func envelope(t testing.TB, r *plugin.SourceRecord) (v map[string]any) {
	t.Helper()
	b, err := plain.Encode(r.Topic, r.ValueSchema, r.Value)
	if err != nil {
		t.Fatal(err)
	}
	if b == nil {
		return nil
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

var plain = &converter.JSON{}

func insert(t testing.TB, c *mongo.Collection, docs ...any) {
	t.Helper()
	if _, err := c.InsertMany(t.Context(), docs); err != nil {
		t.Fatal(err)
	}
}

// TestOrderConnector posts the connector of the order service as it stands, but for the
// connection string.
func TestOrderConnector(t *testing.T) {
	db := newDatabase(t)
	outbox := db.Collection("payment_outboxes")
	id, customer := bson.NewObjectID(), bson.NewObjectID()
	created := time.UnixMilli(1783101585729)
	insert(t, outbox, bson.D{
		{Key: "_id", Value: id}, {Key: "type", Value: "payment"},
		{Key: "payload", Value: bson.D{{Key: "orderId", Value: "o1"}, {Key: "customerId", Value: customer}, {Key: "price", Value: int64(1200)}, {Key: "createdAt", Value: created}, {Key: "paymentOrderStatus", Value: "PENDING"}}},
		{Key: "orderStatus", Value: "PENDING"}, {Key: "outboxStatus", Value: "STARTED"}, {Key: "createdAt", Value: created}, {Key: "processedAt", Value: nil},
	})
	var posted struct{ Config map[string]string }
	if err := json.Unmarshal([]byte(`{"name": "order-payment-request-connector",
     "config": {"connector.class": "io.debezium.connector.mongodb.MongoDbConnector",
      "tasks.max": "1", "mongodb.connection.string": "",
      "mongodb.authSource": "admin",
      "collection.include.list": "orders.payment_outboxes",
      "topic.prefix": "debezium", "tombstones.on.delete": "false"}}`), &posted); err != nil {
		t.Fatal(err)
	}
	definition := mongodb.Source{}.Info().Config
	if _, problems := definition.Parse(posted.Config); len(problems) != 1 || problems[0].Key != "mongodb.connection.string" {
		t.Errorf("the empty connection string: %v", problems)
	}
	common := config.Definition{Keys: []config.Key{{Name: "connector.class"}, {Name: "tasks.max"}}}
	if unknown := config.Unknown(posted.Config, definition, common); len(unknown) != 1 || unknown[0] != "mongodb.authSource" {
		t.Errorf("unknown keys: %v", unknown)
	}
	maps.Copy(posted.Config, map[string]string{
		"mongodb.connection.string": testenv.MongoDB(t), "collection.include.list": db.Name() + ".payment_outboxes", "topic.prefix": "p"})
	values, problems := definition.Parse(posted.Config)
	if problems = append(problems, (mongodb.Source{}).Check(t.Context(), values, nil)...); len(problems) > 0 {
		t.Fatal(problems)
	}
	r := open(t, posted.Config, nil)
	want := fmt.Sprintf(`{"_id": {"$oid": "%s"},"type": "payment","payload": {"orderId": "o1","customerId": {"$oid": "%s"},"price": {"$numberLong": "1200"},"createdAt": {"$date": 1783101585729},"paymentOrderStatus": "PENDING"},"orderStatus": "PENDING","outboxStatus": "STARTED","createdAt": {"$date": 1783101585729},"processedAt": null}`, id.Hex(), customer.Hex())
	record := r.next()
	v := envelope(t, &record)
	if record.Topic != "p."+db.Name()+".payment_outboxes" || v["op"] != "r" || v["after"] != want || keyOf(t, &record) != fmt.Sprintf(`{"id":"{\"$oid\": \"%s\"}"}`, id.Hex()) {
		t.Errorf("got %s %s %v\nwant %s", record.Topic, keyOf(t, &record), v, want)
	}
	insert(t, outbox, bson.D{{Key: "_id", Value: 1}})
	if record := r.next(); !strings.HasSuffix(text(t, &record), `{"id":"1"} c false before=<nil> after={"_id": 1} update=<nil>`) {
		t.Error(text(t, &record))
	}
	if _, err := outbox.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: 1}}); err != nil {
		t.Fatal(err)
	}
	insert(t, outbox, bson.D{{Key: "_id", Value: "two"}})
	if record := r.next(); envelope(t, &record)["op"] != "d" {
		t.Error(text(t, &record))
	}
	if record := r.next(); keyOf(t, &record) != `{"id":"\"two\""}` || envelope(t, &record)["op"] != "c" {
		t.Errorf("there is no tombstone: %s", text(t, &record))
	}
}
