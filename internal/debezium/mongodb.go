package debezium

import (
	"context"
	"crypto/rand"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// mongoModes are the configurations that are compared, as postgresModes are.
var mongoModes = map[string]map[string]string{
	// json.serialization.mode is not here: Debezium 3.6 does not have it yet.
	"plain":    {},
	"schemas":  {"key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"},
	"deltas":   {"capture.mode": "change_streams", "snapshot.mode": "no_data"},
	"images":   {"capture.mode": "change_streams_with_pre_image", "tombstones.on.delete": "false"},
	"both":     {"capture.mode": "change_streams_update_full_with_pre_image", "provide.transaction.metadata": "true"},
	"required": {"capture.mode": "change_streams_update_full", "capture.mode.full.update.type": "post_image", "collection.include.list": ".*\\.(imaged|done|probe)"},
	"outbox":   routed(collectionRouter, "outbox", mongoRouters, map[string]string{"collection.include.list": `.*\.(box_.*|done|probe)`, "key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"}),
	// Options that leave fields out make Debezium 3.6.1 fail at the first update here.
	"adjusted": {"skipped.operations": "d", "schema.name.adjustment.mode": "avro", "value.converter.schemas.enable": "true"},
	late:       lateSettings(map[string]string{"collection.include.list": `.*\.(done|snapped|stopped|big|probe)`, "signal.data.collection": "$DB.signals_$SIDE", "value.converter.schemas.enable": "true"}),
}

// CompareMongoDB runs each mode on both sides, on the same changes of the same database.
func CompareMongoDB(t *testing.T, reference, ours Side) {
	where := testenv.MongoDB(t)
	client, err := mongo.Connect(options.Client().ApplyURI(where))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(t.Context())) }()
	db := client.Database("equal_" + strings.ToLower(rand.Text()[:8]))
	defer func() { _ = db.Drop(context.WithoutCancel(t.Context())) }()
	w := &mongoWorkload{db: db, sides: map[string]Side{"reference": reference, "ours": ours}, modes: mongoModes}
	w.prepare(t)
	for mode, settings := range w.modes {
		for name, side := range w.sides {
			side.Start(t, mode, mongoConfig(where, db.Name(), mode, name, settings))
		}
	}
	w.awaitStreams(t)
	w.run(t)
	var others []string
	w.modes, others = leftLate(w.modes)
	for _, mode := range others {
		t.Run(mode, func(t *testing.T) {
			a, b := reference.Stop(t, mode), ours.Stop(t, mode)
			delete(a, w.topic(mode, probes))
			delete(b, w.topic(mode, probes))
			Compare(t, a, b)
			if mode == "outbox" {
				compareTimes(t, a, b)
			}
		})
	}
	t.Run(late, func(t *testing.T) {
		w.late(t).run(t, w.sides)
		compareLate(t, w.chunksInOrder(reference.Stop(t, late)), w.chunksInOrder(ours.Stop(t, late)))
	})
}

func mongoConfig(where, db, prefix, side string, settings map[string]string) map[string]string {
	config := map[string]string{
		"connector.class":                "io.debezium.connector.mongodb.MongoDbConnector",
		"tasks.max":                      "1",
		"mongodb.connection.string":      where,
		"database.include.list":          db,
		"topic.prefix":                   prefix,
		"key.converter":                  "org.apache.kafka.connect.json.JsonConverter",
		"value.converter":                "org.apache.kafka.connect.json.JsonConverter",
		"key.converter.schemas.enable":   "false",
		"value.converter.schemas.enable": "false",
		"poll.interval.ms":               "50",
	}
	maps.Copy(config, settings)
	ofSide(config, db, side)
	return config
}

// mongoWorkload changes the database and knows how far the sides are.
type mongoWorkload struct {
	db       *mongo.Database
	sides    map[string]Side
	modes    map[string]map[string]string
	barriers int
}

const (
	probes = "probe"
	ends   = "done"
)

func (w *mongoWorkload) topic(mode, collection string) string {
	return mode + "." + w.db.Name() + "." + collection
}

// prepare makes what snapshots find.
func (w *mongoWorkload) prepare(t testing.TB) {
	t.Helper()
	images := options.CreateCollection().SetChangeStreamPreAndPostImages(bson.M{"enabled": true})
	for _, name := range []string{"things", "types", "imaged", "ids", ends, probes} {
		if err := w.db.CreateCollection(t.Context(), name, images); err != nil {
			t.Fatal(err)
		}
	}
	w.insert(t, ends, bson.D{{Key: "_id", Value: 0}})
	w.insert(t, "things", bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "there before"}, {Key: "secret", Value: "x"}})
	w.insert(t, "types", everyType("before"))
	w.insert(t, "box_plain", message("e0", "Plain", "p-0", bson.D{{Key: "there", Value: "before"}}))
}

// awaitStreams returns when all have read their snapshots and follow the log: where there is
// no snapshot, only a change tells.
func (w *mongoWorkload) awaitStreams(t testing.TB) {
	t.Helper()
	w.await(t, true, func(side Side, mode string) bool { return has(t, side, w.topic(mode, ends), 1) })
	// Only now: a snapshot that sees a probe ends with it, or with another record.
	w.await(t, false, func(side Side, mode string) bool {
		w.insert(t, probes, bson.D{{Key: "x", Value: 1}})
		return has(t, side, w.topic(mode, probes), 1)
	})
	w.barrier(t)
}

// await both sides in the modes with a snapshot, or in those without.
func (w *mongoWorkload) await(t testing.TB, snapshot bool, is func(Side, string) bool) {
	t.Helper()
	for name, side := range w.sides {
		for mode, settings := range w.modes {
			if snapshot == (settings["snapshot.mode"] != "no_data") {
				testenv.Wait(t, name+" to follow the log in "+mode, patience, func() bool { return is(side, mode) })
			}
		}
	}
}

// barrier waits until both sides have sent all that was done so far: they look documents up
// as these are when they read of a change.
func (w *mongoWorkload) barrier(t testing.TB) { w.wait(t, patience) }

func (w *mongoWorkload) wait(t testing.TB, patience time.Duration) {
	t.Helper()
	w.barriers++
	w.insert(t, ends, bson.D{{Key: "_id", Value: w.barriers}})
	for name, side := range w.sides {
		for mode, settings := range w.modes {
			want := w.barriers
			if settings["snapshot.mode"] != "no_data" {
				want++
			}
			testenv.Wait(t, name+" to have sent all of "+mode, patience, func() bool { return has(t, side, w.topic(mode, ends), want) })
		}
	}
}

func (w *mongoWorkload) insert(t testing.TB, collection string, documents ...any) {
	t.Helper()
	w.insertIn(t.Context(), t, collection, documents...)
}

func (w *mongoWorkload) insertIn(ctx context.Context, t testing.TB, collection string, documents ...any) {
	t.Helper()
	if _, err := w.db.Collection(collection).InsertMany(ctx, documents); err != nil {
		t.Fatal(err)
	}
}
