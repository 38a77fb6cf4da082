package mongodb_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestIncrementalSnapshot: with writes beside it, and restarts within, whoever applies the records
// in their order has the collection in the end.
func TestIncrementalSnapshot(t *testing.T) {
	for _, strategy := range []string{"INSERT_INSERT", "INSERT_DELETE"} {
		t.Run(strategy, func(t *testing.T) { incrementalSnapshot(t, strategy) })
	}
}

func incrementalSnapshot(t *testing.T, strategy string) {
	db := newDatabase(t)
	c, signals := db.Collection("c"), db.Collection("signals")
	random := testenv.Rand(t)
	var docs []any
	for i := range 1000 {
		docs = append(docs, bson.D{{Key: "_id", Value: i * 2}, {Key: "v", Value: 0}})
	}
	docs = append(docs, bson.D{{Key: "_id", Value: "text"}, {Key: "v", Value: 0}}, bson.D{{Key: "_id", Value: 1.5}, {Key: "v", Value: 0}})
	insert(t, c, docs...)
	cfg := settingsFor(t, db, "snapshot.mode", "no_data", "signal.data.collection", db.Name()+".signals", "incremental.snapshot.chunk.size", "70",
		"incremental.snapshot.watermarking.strategy", strategy, "notification.enabled.channels", "sink", "notification.sink.topic.name", "notes")
	r := open(t, cfg, nil)
	r.streaming()
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() { writeUntil(t, c, random, stop) })
	insert(t, signals, bson.D{{Key: "_id", Value: "one"}, {Key: "type", Value: "execute-snapshot"},
		{Key: "payload", Value: bson.D{{Key: "data-collections", Value: bson.A{db.Name() + ".c"}}, {Key: "type", Value: "incremental"}}}})
	model := map[string]string{}
	read, restarts, completed := 0, 0, false
	for end := time.Now().Add(deadline); !completed; {
		record := r.next()
		switch {
		case time.Now().After(end):
			t.Fatal("it takes too long")
		case record.Topic == "notes":
			completed = strings.Contains(noteOf(t, &record), "COMPLETED") && !strings.Contains(noteOf(t, &record), "SCAN")
		case strings.HasSuffix(record.Topic, ".c"):
			apply(t, model, &record)
			if v := envelope(t, &record); v != nil && v["op"] == "r" {
				if source := v["source"].(map[string]any); source["snapshot"] != "incremental" {
					t.Fatalf("the source is %v", source)
				}
				read++
			}
		}
		if read == 300*(restarts+1) && restarts < 2 {
			restarts++
			stored := r.stored
			r.close()
			r = open(t, cfg, stored)
		}
	}
	close(stop)
	writer.Wait()
	insert(t, c, bson.D{{Key: "_id", Value: "end"}})
	for model[`{"id":"\"end\""}`] == "" {
		if record := r.next(); strings.HasSuffix(record.Topic, ".c") {
			apply(t, model, &record)
		}
	}
	compare(t, c, model)
	if read < 700 || restarts != 2 {
		t.Errorf("%d documents were read, with %d restarts", read, restarts)
	}
}

func noteOf(t *testing.T, r *plugin.SourceRecord) string {
	t.Helper()
	b, err := plain.Encode("", r.ValueSchema, r.Value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
