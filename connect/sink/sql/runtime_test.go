package sql_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	sink "github.com/pabal-dev/pabal/connect/sink/sql"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestRuntime: a worker feeds the sink; a record that it refuses goes to the topic of dead letters.
func TestRuntime(t *testing.T) {
	db := newDatabase(t)
	k := kafkatest.Start(t)
	w, err := connect.New(connect.Config{
		Kafka: k.Config, ID: "one", Logger: slog.New(slog.DiscardHandler),
		Plugins: plugin.Set{Sinks: []plugin.Sink{sink.Sink{}}, Converters: converters.Plugins(), Headers: converters.Headers()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	const schema = `{"type":"struct","fields":[{"field":"id","type":"int32"}`
	key := func(id string) []byte { return []byte(`{"schema":` + schema + `]},"payload":{"id":` + id + `}}`) }
	value := func(id, v string) []byte {
		return []byte(`{"schema":` + schema + `,{"field":"v","type":"string","optional":true}]},"payload":{"id":` + id + `,"v":"` + v + `"}}`)
	}
	k.Topics(t, "rows")
	c := k.Client(t)
	err = c.ProduceSync(t.Context(),
		&kgo.Record{Topic: "rows", Key: key("1"), Value: value("1", "a")}, &kgo.Record{Topic: "rows", Key: key("2"), Value: value("2", `\u0000`)},
		&kgo.Record{Topic: "rows", Key: key("1"), Value: value("1", "b")}, &kgo.Record{Topic: "rows", Key: key("3"), Value: value("3", "c")},
		&kgo.Record{Topic: "rows", Key: key("3")},
	).FirstErr()
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]string{"connector.class": sink.Class, "topics": "rows", "connection.url": "jdbc:" + db.url, "errors.tolerance": "all", "errors.deadletterqueue.topic.name": "dead", "errors.deadletterqueue.topic.replication.factor": "1"}
	for i := 0; i < len(upsert); i += 2 {
		given[upsert[i]] = upsert[i+1]
	}
	for _, which := range []string{"key.converter", "value.converter"} {
		given[which] = "org.apache.kafka.connect.json.JsonConverter"
	}
	testenv.Wait(t, "the worker to be in its group", 30*time.Second, func() bool {
		return w.Ready() == nil
	})
	if _, err := w.Create(t.Context(), "sink", given, connect.Started); err != nil {
		t.Fatal(err)
	}
	dead := k.Client(t, kgo.ConsumeTopics("dead"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	fetches := dead.PollFetches(ctx)
	for fetches.NumRecords() == 0 && ctx.Err() == nil {
		fetches = dead.PollFetches(ctx)
	}
	if fetches.NumRecords() != 1 || string(fetches.Records()[0].Key) != string(key("2")) {
		t.Fatalf("%d dead letters", fetches.NumRecords())
	}
	testenv.Wait(t, "the rows", 30*time.Second, func() bool {
		last, _ := db.ask(t, "SELECT id FROM rows WHERE v = 'b'")
		all, _ := db.ask(t, "SELECT id FROM rows")
		return len(last) == 1 && len(all) == 1
	})
	db.has(t, "SELECT * FROM rows", "(1,b)")
}
