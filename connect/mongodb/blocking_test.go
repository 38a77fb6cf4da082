package mongodb_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func blockingSignal(id string, more bson.D, collections ...string) bson.D {
	return bson.D{{Key: "_id", Value: id}, {Key: "type", Value: "execute-snapshot"},
		{Key: "payload", Value: append(bson.D{{Key: "data-collections", Value: collections}, {Key: "type", Value: "blocking"}}, more...)}}
}

func TestBlockingSnapshot(t *testing.T) {
	db := newDatabase(t)
	a, b, signals := db.Collection("a"), db.Collection("b"), db.Collection("signals")
	insert(t, a, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "_id", Value: 2}})
	insert(t, b, bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "_id", Value: 2}})
	cfg := settingsFor(t, db, "snapshot.mode", "no_data", "signal.data.collection", db.Name()+".signals")
	r := open(t, cfg, nil)
	r.streaming()
	filter := bson.D{{Key: "additional-conditions", Value: bson.A{bson.D{{Key: "data-collection", Value: db.Name() + ".b"}, {Key: "filter", Value: `{"_id": 2}`}}}}}
	insert(t, signals, blockingSignal("1", filter, db.Name()+"\\.[ab]"))
	var texts []string
	var offsets []map[string]any
	for i, want := range []string{`signals c false {"id":"\"1\""}`, `a r true {"id":"1"}`, `a r true {"id":"2"}`, `b r last {"id":"2"}`} {
		record := r.next()
		texts, offsets = append(texts, withPlace(t, &record)), append(offsets, r.stored)
		v := envelope(t, &record)
		got := fmt.Sprint(record.Topic[strings.LastIndex(record.Topic, ".")+1:], " ", v["op"], " ", v["source"].(map[string]any)["snapshot"], " ", keyOf(t, &record))
		if got != want {
			t.Errorf("record %d is %s, want %s", i, got, want)
		}
	}
	r.close()
	if offsets[2]["snapshot_collection"] != db.Name()+".a" || offsets[2]["initsync"] != nil || offsets[2]["blocking_snapshots"] == nil {
		t.Errorf("the offset within is %v", offsets[2])
	}
	if offsets[3]["snapshot_collection"] != nil || offsets[3]["blocking_snapshots"] != nil {
		t.Errorf("the offset at the end is %v", offsets[3])
	}
	for i := range 3 {
		again := open(t, cfg, offsets[i])
		got, _ := read(again, 3-i)
		for j := range got {
			if got[j] != texts[i+1+j] {
				t.Errorf("after a restart at %d\n%s comes, want\n%s", i, got[j], texts[i+1+j])
			}
		}
		again.close()
	}
	r = open(t, cfg, offsets[3])
	// One that cannot be read is given up; of collections without documents there is nothing to see.
	filter = bson.D{{Key: "additional-conditions", Value: bson.A{bson.D{{Key: "data-collection", Value: db.Name() + ".a"}, {Key: "filter", Value: `no query`}}}}}
	insert(t, signals, blockingSignal("2", filter, db.Name()+".a"), blockingSignal("3", nil, db.Name()+".none"))
	insert(t, a, bson.D{{Key: "_id", Value: 3}})
	record := r.next()
	for strings.HasSuffix(record.Topic, ".signals") {
		record = r.next()
	}
	if v := envelope(t, &record); !strings.HasSuffix(record.Topic, ".a") || v["op"] != "c" {
		t.Errorf("the stream goes on with %s %v", record.Topic, v)
	}
	for end := time.Now().Add(deadline); r.stored["blocking_snapshots"] != nil; {
		records, err := r.task.Poll(t.Context())
		if err != nil || time.Now().After(end) {
			t.Fatalf("the offset is %v, %v", r.stored, err)
		}
		for _, one := range records {
			if r.stored = throughJSON(t, one.At.Offset()); one.Topic != "" {
				t.Fatalf("a record came: %s", text(t, &one))
			}
		}
	}
}

// TestBlockingSnapshotInterrupted: with writes beside it, and restarts within, each document is read
// once, and whoever applies the records in their order has the collection in the end.
func TestBlockingSnapshotInterrupted(t *testing.T) {
	db := newDatabase(t)
	c := db.Collection("c")
	random := testenv.Rand(t)
	var docs []any
	for i := range 1500 {
		docs = append(docs, bson.D{{Key: "_id", Value: i}, {Key: "v", Value: 0}})
	}
	insert(t, c, docs...)
	cfg := settingsFor(t, db, "snapshot.mode", "no_data", "signal.data.collection", db.Name()+".signals",
		"snapshot.max.threads", "2", "max.batch.size", "50", "max.queue.size", "100")
	r := open(t, cfg, nil)
	r.streaming()
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() { writeUntil(t, c, random, stop) })
	insert(t, db.Collection("signals"), blockingSignal("1", nil, db.Name()+".c"))
	model, reads := map[string]string{}, map[string]int{}
	for n, begun := 0, false; !begun || r.stored["blocking_snapshots"] != nil; {
		record := r.next()
		if begun = begun || r.stored["blocking_snapshots"] != nil; !strings.HasSuffix(record.Topic, ".c") {
			continue
		}
		apply(t, model, &record)
		if v := envelope(t, &record); v == nil || v["op"] != "r" {
			continue
		}
		key := keyOf(t, &record)
		if reads[key]++; reads[key] > 1 {
			t.Fatalf("%s is read twice", key)
		}
		if n++; n%300 == 0 && n < 1200 {
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
	if len(reads) < 1000 {
		t.Errorf("only %d documents were read", len(reads))
	}
}
