package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	sink "github.com/pabal-dev/pabal/connect/sink/mongodb"
	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

var databases atomic.Int64

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

func open(t testing.TB, db *mongo.Database, more ...string) plugin.SinkTask {
	t.Helper()
	c := map[string]string{"mongodb.connection.string": testenv.MongoDB(t), "sink.database": db.Name()}
	for i := 0; i < len(more); i += 2 {
		c[more[i]] = more[i+1]
	}
	values, problems := sink.Sink{}.Info().Config.Parse(c)
	if problems = append(problems, (sink.Sink{}).Check(t.Context(), values, nil)...); len(problems) > 0 {
		t.Fatal(problems)
	}
	task, err := sink.Sink{}.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := task.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return task
}

// records of lines of a key and a value in JSON; "-" is none.
func records(t testing.TB, topic string, lines ...string) (all []plugin.SinkRecord) {
	t.Helper()
	for i, line := range lines {
		key, value, _ := strings.Cut(line, " ")
		r := plugin.SinkRecord{Record: plugin.Record{Topic: topic}, From: plugin.TopicPartition{Topic: topic, Partition: 3}, Offset: int64(i)}
		r.KeySchema, r.Key = decode(t, key)
		r.ValueSchema, r.Value = decode(t, value)
		all = append(all, r)
	}
	return all
}

func decode(t testing.TB, text string) (*data.Schema, any) {
	t.Helper()
	if text == "-" {
		return nil, nil
	}
	s, v, err := (&converter.JSON{}).Decode("", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

// has compares a collection with documents in relaxed Extended JSON.
func has(t testing.TB, c *mongo.Collection, want ...string) {
	t.Helper()
	cursor, err := c.Find(t.Context(), bson.D{}, options.Find().SetSort(bson.D{{Key: "_id", Value: 1}}))
	if err != nil {
		t.Fatal(err)
	}
	var docs []bson.D
	if err := cursor.All(t.Context(), &docs); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, doc := range docs {
		b, err := bson.MarshalExtJSON(doc, false, false)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(b))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the collection has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// twice puts the records, and again as after a failure.
func twice(t testing.TB, task plugin.SinkTask, all []plugin.SinkRecord) {
	t.Helper()
	for range 2 {
		if err := task.Put(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRelational(t *testing.T) {
	db := newDatabase(t)
	task := open(t, db, "field.exclude.list", ".*:secret")
	twice(t, task, records(t, "p.public.users",
		`{"id":1} {"before":null,"after":{"id":1,"name":"a","secret":"s"},"op":"c","source":{}}`,
		`{"id":2} {"before":null,"after":{"id":2,"name":"b","secret":"s"},"op":"r","source":{}}`,
		`{"id":1} {"before":{"id":1},"after":{"id":1,"name":"changed","at":1.5},"op":"u","source":{}}`,
		`{"id":2} {"before":{"id":2},"after":null,"op":"d","source":{}}`,
		`{"id":2} -`,
		`- {"before":null,"after":{"name":"no key"},"op":"c","source":{}}`,
		`{"x":1} {"op":"m","before":null,"message":{}}`,
	))
	has(t, db.Collection("p_public_users"), `{"_id":{"id":1},"name":"changed","at":1.5}`, `{"_id":{"topic":"p.public.users","partition":3,"offset":5},"name":"no key"}`)
}

func TestChangesOfMongoDB(t *testing.T) {
	db := newDatabase(t)
	task := open(t, db, "collection.name.format", "copy_${source.collection}")
	const source = `"source":{"db":"d","collection":"c"}`
	twice(t, task, records(t, "p.d.c",
		`{"id":"{\"$oid\":\"65f000000000000000000001\"}"} {"before":null,"after":"{\"_id\": {\"$oid\": \"65f000000000000000000001\"},\"n\": {\"$numberLong\": \"5\"},\"at\": {\"$date\": 1000},\"re\": {\"$regex\": \"a\",\"$options\": \"i\"},\"bin\": {\"$binary\": \"AQI=\",\"$type\": \"00\"}}","updateDescription":null,`+source+`,"op":"r"}`,
		`{"id":"\"two\""} {"before":null,"after":"{\"_id\":\"two\",\"a\":1,\"b\":2}","updateDescription":null,`+source+`,"op":"c"}`,
		`{"id":"3"} {"before":null,"after":"{\"_id\":3}","updateDescription":null,`+source+`,"op":"c"}`,
		`{"id":"\"two\""} {"before":null,"after":null,"updateDescription":{"removedFields":["b"],"updatedFields":"{\"a\":7,\"n.x\":1}","truncatedArrays":null},`+source+`,"op":"u"}`,
		`{"id":"3"} {"before":null,"after":null,"updateDescription":null,`+source+`,"op":"d"}`,
		`{"id":"3"} -`,
	))
	has(t, db.Collection("copy_c"), `{"_id":"two","a":7,"n":{"x":1}}`,
		`{"_id":{"$oid":"65f000000000000000000001"},"n":5,"at":{"$date":"1970-01-01T00:00:01Z"},"re":{"$regularExpression":{"pattern":"a","options":"i"}},"bin":{"$binary":{"base64":"AQI=","subType":"00"}}}`)
}

func TestPlainDocuments(t *testing.T) {
	db := newDatabase(t)
	task := open(t, db, "collection.name.format", "docs", "batch.size", "2")
	twice(t, task, records(t, "docs",
		`"k" {"a":1,"list":[1,{"x":null}]}`, `7 {"a":2}`, `- {"_id":"own","a":3}`, `- {"a":4}`, `"k" {"a":5}`, `7 -`, `- -`,
	))
	has(t, db.Collection("docs"), `{"_id":"k","a":5}`, `{"_id":"own","a":3}`, `{"_id":{"topic":"docs","partition":3,"offset":3},"a":4}`)
}

// TestRefused: the record that is wrong is named, and those before it are stored.
func TestRefused(t *testing.T) {
	db := newDatabase(t)
	task := open(t, db, "collection.name.format", "c")
	for _, wrong := range []string{`1 "text"`, `1 {"op":"x","after":{"a":1}}`, `1 {"op":"u","after":{},"before":null}`, `[1] {"a":1}`, `{"id":"{"} {"op":"d","before":null,"updateDescription":null}`} {
		err := task.Put(t.Context(), records(t, "c", `"before" {"a":1}`, wrong, `"after" {"a":1}`))
		var record *plugin.RecordError
		if !errors.As(err, &record) || record.Index != 1 {
			t.Errorf("%s: %v", wrong, err)
		}
		has(t, db.Collection("c"), `{"_id":"before","a":1}`)
	}
	if _, err := db.Collection("c").Indexes().CreateOne(t.Context(), mongo.IndexModel{Keys: bson.D{{Key: "a", Value: 1}}, Options: options.Index().SetUnique(true)}); err != nil {
		t.Fatal(err)
	}
	err := task.Put(t.Context(), records(t, "c", `"x" {"a":2}`, `"y" {"a":2}`, `"z" {"a":3}`))
	var record *plugin.RecordError
	if !errors.As(err, &record) || record.Index != 1 {
		t.Errorf("a document that the server refuses: %v", err)
	}
}

func TestServerAway(t *testing.T) {
	values, problems := sink.Sink{}.Info().Config.Parse(map[string]string{"mongodb.connection.string": "mongodb://127.0.0.1:1/", "sink.database": "d", "mongodb.server.selection.timeout.ms": "100"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if problems := (sink.Sink{}).Check(t.Context(), values, nil); len(problems) != 1 || problems[0].Key != "mongodb.connection.string" {
		t.Errorf("%v", problems)
	}
	task, err := sink.Sink{}.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = task.Close(context.WithoutCancel(t.Context())) }()
	if err := task.Put(t.Context(), records(t, "c", `1 {"a":1}`)); !errors.Is(err, plugin.ErrRetry) {
		t.Errorf("%v", err)
	}
	if _, problems := (sink.Sink{}).Info().Config.Parse(map[string]string{"mongodb.connection.string": ""}); len(problems) != 2 {
		t.Errorf("an empty connection string and no database: %v", []config.Problem(problems))
	}
}
