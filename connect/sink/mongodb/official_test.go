package mongodb_test

import (
	"context"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	sink "github.com/pabal-dev/pabal/connect/sink/mongodb"
	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

func openOfficial(t *testing.T, db *mongo.Database, more ...string) plugin.SinkTask {
	t.Helper()
	c := map[string]string{"connection.uri": testenv.MongoDB(t), "database": db.Name()}
	for i := 0; i < len(more); i += 2 {
		c[more[i]] = more[i+1]
	}
	values, problems := sink.OfficialSink{}.Info().Config.Parse(c)
	if problems = append(problems, (sink.OfficialSink{}).Check(t.Context(), values, nil)...); len(problems) > 0 {
		t.Fatal(problems)
	}
	task, err := sink.OfficialSink{}.Open(t.Context(), plugin.SinkContext{Common: plugin.Common{Config: values}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = task.Close(context.Background()) })
	return task
}

func TestOfficialStrategies(t *testing.T) {
	const ids = "com.mongodb.kafka.connect.sink.processor.id.strategy."
	db := newDatabase(t)
	tests := []struct {
		collection string
		options    []string
		lines      []string
		want       []string
	}{
		{"own.topic", nil, []string{`- {"_id":1,"a":1}`, `- {"_id":1,"a":2}`, `{"k":1} -`}, []string{`{"_id":1,"a":2}`}},
		{"full", []string{"document.id.strategy", ids + "FullKeyStrategy", "delete.on.null.values", "true"}, []string{`{"k":1} {"a":1}`, `{"k":2} {"a":2}`, `{"k":1} -`}, []string{`{"_id":{"k":2},"a":2}`}},
		{"key", []string{"document.id.strategy", ids + "ProvidedInKeyStrategy", "document.id.strategy.overwrite.existing", "true"}, []string{`{"_id":"x"} {"_id":5,"a":1}`}, []string{`{"_id":"x","a":1}`}},
		{"meta", []string{"document.id.strategy", ids + "KafkaMetaDataStrategy"}, []string{`- {"a":1}`}, []string{`{"_id":"meta#3#0","a":1}`}},
		{"cdc", []string{"change.data.capture.handler", "com.mongodb.kafka.connect.sink.cdc.debezium.rdbms.postgres.PostgresHandler"},
			[]string{`{"id":1} {"before":null,"after":{"id":1,"n":"a"},"op":"c"}`, `{"id":2} {"before":null,"after":{"id":2,"n":"b"},"op":"c"}`, `{"id":1} {"before":{"id":1},"after":null,"op":"d"}`, `{"id":1} -`},
			[]string{`{"_id":{"id":2},"n":"b"}`}},
	}
	for _, test := range tests {
		twice(t, openOfficial(t, db, test.options...), records(t, test.collection, test.lines...))
		has(t, db.Collection(test.collection), test.want...)
	}
	twice(t, openOfficial(t, db, "collection", "oid"), records(t, "t", `- {"a":1}`, `- {"a":1}`))
	if n, err := db.Collection("oid").CountDocuments(t.Context(), bson.D{{Key: "_id", Value: bson.D{{Key: "$type", Value: "objectId"}}}}); err != nil || n != 2 {
		t.Errorf("%d documents with an ObjectId of their own: %v", n, err)
	}
}

func TestOfficialRefused(t *testing.T) {
	for key, value := range map[string]string{
		"writemodel.strategy": "com.mongodb.kafka.connect.sink.writemodel.strategy.InsertOneDefaultStrategy", "document.id.strategy": "UuidStrategy",
		"post.processor.chain": "x", "connection.uri": "", "change.data.capture.handler": "x", "database": "a b",
	} {
		c := map[string]string{"database": "d", key: value}
		if _, problems := (sink.OfficialSink{}).Info().Config.Parse(c); len(problems) != 1 || problems[0].Key != key {
			t.Errorf("%s=%s: %v", key, value, problems)
		}
	}
}
