package mongodb_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/mongodb"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// TestSource holds the source block and the envelope to their fields, in order.
func TestSource(t *testing.T) {
	db := newDatabase(t)
	r := open(t, settingsFor(t, db, "snapshot.mode", "no_data"), nil)
	r.streaming()
	insert(t, db.Collection("c"), bson.D{{Key: "_id", Value: 1}})
	record := r.next()
	b, err := plain.Encode("", record.ValueSchema, record.Value)
	if err != nil {
		t.Fatal(err)
	}
	place := -1
	for _, field := range []string{"before", "after", "updateDescription", "source", "version", "connector", "name", "ts_ms", "snapshot", "db", "sequence", "ts_us", "ts_ns", "collection", "ord", "lsid", "txnNumber", "wallTime", "op", "ts_ms", "transaction"} {
		at := strings.Index(string(b[place+1:]), `"`+field+`":`)
		if at < 0 {
			t.Fatalf("%s has no %s after %d", b, field, place)
		}
		place += at + 1
	}
	source := envelope(t, &record)["source"].(map[string]any)
	offset := record.At.Offset()
	if source["connector"] != "mongodb" || source["name"] != "p" || source["db"] != db.Name() || source["ts_ms"] != source["wallTime"] || source["ord"] != float64(offset["ord"].(int64)) {
		t.Errorf("source %v, offset %v", source, offset)
	}
	if record.KeySchema.Name != "p."+db.Name()+".c.Key" || record.ValueSchema.Name != "p."+db.Name()+".c.Envelope" || record.Timestamp != plugin.NoTimestamp {
		t.Errorf("schemas %s, %s", record.KeySchema.Name, record.ValueSchema.Name)
	}
	if err := (mongodb.Source{}).CheckOffset(record.At.Partition(), offset); err != nil {
		t.Error(err)
	}
}

func TestCaptureModes(t *testing.T) {
	db := newDatabase(t)
	images := bson.D{{Key: "enabled", Value: true}}
	if err := db.CreateCollection(t.Context(), "c", options.CreateCollection().SetChangeStreamPreAndPostImages(images)); err != nil {
		t.Fatal(err)
	}
	insert(t, db.Collection("c"), bson.D{{Key: "_id", Value: 1}, {Key: "secret", Value: 1}, {Key: "old", Value: bson.D{{Key: "in", Value: 2}}}, {Key: "list", Value: bson.A{1, 2, 3}}, {Key: "at", Value: bson.DateTime(1000)}})
	full := `{"_id": 1,"old": {"inner": 2},"list": [1,2],"at": {"$date": 2000}}`
	before := `{"_id": 1,"old": {"inner": 2},"list": [1,2,3],"at": {"$date": 1000}}`
	var runners []*runner
	modes := []string{"change_streams", "change_streams_update_full", "change_streams_with_pre_image", "change_streams_update_full_with_pre_image"}
	for _, mode := range modes {
		r := open(t, settingsFor(t, db, "snapshot.mode", "no_data", "capture.mode", mode, "capture.mode.full.update.type", "post_image",
			"field.exclude.list", "*.c.secret,*.c.gone", "field.renames", "*.c.old.in:inner"), nil)
		r.streaming()
		runners = append(runners, r)
	}
	update := bson.A{bson.D{{Key: "$set", Value: bson.D{{Key: "secret", Value: 3}, {Key: "at", Value: bson.DateTime(2000)}, {Key: "list", Value: bson.A{1, 2}}}}}}
	if _, err := db.Collection("c").UpdateByID(t.Context(), 1, update); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("c").DeleteOne(t.Context(), bson.D{}); err != nil {
		t.Fatal(err)
	}
	for i, r := range runners {
		record := r.next()
		v := envelope(t, &record)
		var wantAfter, wantBefore any
		if strings.Contains(modes[i], "update_full") {
			wantAfter = full
		}
		if strings.Contains(modes[i], "pre_image") {
			wantBefore = before
		}
		if v["after"] != wantAfter || v["before"] != wantBefore {
			t.Errorf("%s: before %v after %v", modes[i], v["before"], v["after"])
		}
		if got, want := fmt.Sprint(v["updateDescription"]), `map[removedFields:<nil> truncatedArrays:[map[field:list size:2]] updatedFields:{"at": {"$date": "1970-01-01T00:00:02Z"}}]`; got != want {
			t.Errorf("%s: %s, want %s", modes[i], got, want)
		}
		record = r.next()
		if v := envelope(t, &record); v["op"] != "d" || (v["before"] != nil) != (wantBefore != nil) || v["after"] != nil {
			t.Errorf("%s: %v", modes[i], v)
		}
	}
}

// TestLostPosition: tokens that the server does not find are named, or a new snapshot is taken. A
// log that has rolled over answers the same way, with another code.
func TestLostPosition(t *testing.T) {
	db := newDatabase(t)
	insert(t, db.Collection("c"), bson.D{{Key: "_id", Value: 1}})
	r := open(t, settingsFor(t, db), nil)
	r.next()
	stored := maps.Clone(r.stored)
	token := func(data string) map[string]any {
		b, err := bson.Marshal(bson.D{{Key: "_data", Value: data}})
		if err != nil {
			t.Fatal(err)
		}
		lost := maps.Clone(stored)
		lost["resume_token"] = base64.StdEncoding.EncodeToString(b)
		return lost
	}
	for name, offset := range map[string]map[string]any{
		"of nowhere": token("826553F100000000022B022C0100296E5A1004AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA461E5F6964002BC8000004"),
		"damaged":    token("00FF"),
	} {
		_, err := open(t, settingsFor(t, db), offset).tryNext()
		if err == nil || errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), "no longer available on the server") {
			t.Errorf("%s: %v", name, err)
		}
		again := open(t, settingsFor(t, db, "snapshot.mode", "when_needed"), offset)
		if record := again.next(); envelope(t, &record)["op"] != "r" {
			t.Errorf("%s: %s", name, text(t, &record))
		}
	}
	if _, err := open(t, settingsFor(t, db, "snapshot.mode", "never"), map[string]any{"initsync": true, "sec": 1.0, "ord": 1.0}).tryNext(); err == nil || !strings.Contains(err.Error(), "never takes one") {
		t.Errorf("an interrupted snapshot where none is allowed: %v", err)
	}
}

// TestSnapshotUnderWrites: whoever applies the records in their order has the collection in the
// end, whatever was written while the snapshot was read, and interrupted.
func TestSnapshotUnderWrites(t *testing.T) {
	db := newDatabase(t)
	c := db.Collection("c")
	random := testenv.Rand(t)
	var docs []any
	for i := range 4000 {
		docs = append(docs, bson.D{{Key: "_id", Value: i * 2}, {Key: "v", Value: 0}, {Key: "pad", Value: strings.Repeat("x", 500)}})
	}
	insert(t, c, docs...)
	var writer sync.WaitGroup
	stop := make(chan struct{})
	writer.Go(func() { writeUntil(t, c, random, stop) })
	model := map[string]string{}
	cfg := settingsFor(t, db, "snapshot.max.threads", "2", "capture.mode", "change_streams_update_full")
	r := open(t, cfg, nil)
	r.memory = 4 << 20
	for read := 0; read < 5000; read++ {
		record := r.next()
		apply(t, model, &record)
		if read%1300 == 1299 {
			stored := r.stored
			r.close()
			r = open(t, cfg, stored)
		}
	}
	close(stop)
	writer.Wait()
	insert(t, c, bson.D{{Key: "_id", Value: "end"}})
	for model[`{"id":"\"end\""}`] == "" {
		record := r.next()
		apply(t, model, &record)
	}
	compare(t, c, model)
}

// compare the collection with what the records made of the model.
func compare(t *testing.T, c *mongo.Collection, model map[string]string) {
	t.Helper()
	cursor, err := c.Find(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		ID any `bson:"_id"`
		V  int `bson:"v"`
	}
	if err := cursor.All(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	for _, doc := range all {
		key := fmt.Sprintf(`{"id":"%v"}`, doc.ID)
		if id, ok := doc.ID.(string); ok {
			key = fmt.Sprintf(`{"id":"\"%s\""}`, id)
		}
		if doc.ID != "end" && !strings.Contains(model[key], fmt.Sprintf(`"v": %d,`, doc.V)) && !strings.Contains(model[key], fmt.Sprintf(`"v": %d}`, doc.V)) {
			t.Errorf("%s is %.60q, the collection has %d", key, model[key], doc.V)
		}
	}
	if len(model) != len(all) {
		t.Errorf("there are %d documents, the records have %d", len(all), len(model))
	}
}

func apply(t *testing.T, model map[string]string, r *plugin.SourceRecord) {
	t.Helper()
	v := envelope(t, r)
	switch {
	case v == nil || v["op"] == "d":
		delete(model, keyOf(t, r))
	case v["after"] != nil: // an update of a document that is deleted by now has none
		model[keyOf(t, r)] = v["after"].(string)
	}
}

func writeUntil(t *testing.T, c *mongo.Collection, random *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		id := bson.D{{Key: "_id", Value: random.IntN(8000)}}
		var err error
		if random.IntN(4) == 0 {
			_, err = c.DeleteOne(t.Context(), id)
		} else {
			_, err = c.UpdateOne(t.Context(), id, bson.D{{Key: "$inc", Value: bson.D{{Key: "v", Value: 1}}}}, options.UpdateOne().SetUpsert(true))
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

// TestInvalidated: a stream of one collection goes on after that was dropped.
func TestInvalidated(t *testing.T) {
	db := newDatabase(t)
	c := db.Collection("c")
	cfg := settingsFor(t, db, "snapshot.mode", "no_data", "capture.scope", "collection", "capture.target", db.Name()+".c")
	r := open(t, cfg, nil)
	r.streaming()
	insert(t, c, bson.D{{Key: "_id", Value: 1}})
	r.next()
	stored := r.stored
	if err := c.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, c, bson.D{{Key: "_id", Value: 2}})
	for name, r := range map[string]*runner{"running": r, "started again": open(t, cfg, stored)} {
		if record := r.next(); keyOf(t, &record) != `{"id":"2"}` {
			t.Errorf("%s: %s", name, text(t, &record))
		}
	}
}

// TestServerAway: what fails meanwhile may pass, and nothing is lost or comes twice.
func TestServerAway(t *testing.T) {
	server := testenv.StartMongoDB(t)
	client, err := mongo.Connect(options.Client().ApplyURI(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) }()
	c := client.Database("away").Collection("c")
	insert(t, c, bson.D{{Key: "_id", Value: 0}})
	r := open(t, map[string]string{"mongodb.connection.string": server.URL, "topic.prefix": "p", "database.include.list": "away",
		"mongodb.server.selection.timeout.ms": "5000", "mongodb.connect.timeout.ms": "5000"}, nil)
	r.next()
	insert(t, c, bson.D{{Key: "_id", Value: 1}})
	r.next()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.tryNext(); !errors.Is(err, plugin.ErrRetry) {
		t.Fatalf("the server is away, and the error is %v", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	insert(t, c, bson.D{{Key: "_id", Value: 2}})
	for end := time.Now().Add(deadline); ; {
		record, err := r.tryNext()
		if err == nil {
			if keyOf(t, &record) != `{"id":"2"}` {
				t.Error(text(t, &record))
			}
			return
		}
		if !errors.Is(err, plugin.ErrRetry) || time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// TestCloseWhilePolling: a Poll under way returns, and later ones have nothing.
func TestCloseWhilePolling(t *testing.T) {
	db := newDatabase(t)
	r := open(t, settingsFor(t, db, "snapshot.mode", "no_data", "cursor.max.await.time.ms", "10000"), nil)
	r.streaming()
	task := r.task
	r.task = nil
	polled := make(chan error, 1)
	go func() {
		var err error
		for range 3 {
			if records, failed := task.Poll(context.WithoutCancel(t.Context())); failed != nil || len(records) > 0 {
				err = fmt.Errorf("%d records, %w", len(records), failed)
			}
		}
		polled <- err
	}()
	if err := task.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-polled; err != nil {
		t.Error(err)
	}
}
