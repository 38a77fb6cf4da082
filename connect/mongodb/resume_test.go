package mongodb_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// changes of all kinds; no document changes twice, as looking one up shows the latest.
func makeChanges(t *testing.T, db *mongo.Database) {
	t.Helper()
	a, b := db.Collection("a"), db.Collection("b")
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(a.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "new"}}))
	must(a.UpdateByID(t.Context(), 1, bson.D{{Key: "$set", Value: bson.D{{Key: "x", Value: 7}}}, {Key: "$unset", Value: bson.D{{Key: "y", Value: 1}}}}))
	must(a.DeleteOne(t.Context(), bson.D{{Key: "_id", Value: 2}}))
	must(b.ReplaceOne(t.Context(), bson.D{{Key: "_id", Value: 3}}, bson.D{{Key: "z", Value: 1.5}}))
	must(db.Collection("other").InsertOne(t.Context(), bson.D{}))
	must(nil, db.Client().UseSession(t.Context(), func(ctx context.Context) error {
		_, err := mongo.SessionFromContext(ctx).WithTransaction(ctx, func(ctx context.Context) (any, error) {
			for i := range 3 {
				if _, err := a.InsertOne(ctx, bson.D{{Key: "_id", Value: 100 + i}}); err != nil {
					return nil, err
				}
			}
			_, err := b.DeleteOne(ctx, bson.D{{Key: "_id", Value: 4}})
			return nil, err
		})
		return err
	}))
	must(b.InsertOne(t.Context(), bson.D{{Key: "_id", Value: "end"}}))
}

// TestResumeAtEveryRecord: what a task makes that starts at the position of any record is what
// came after that record, in a snapshot, within transactions, between a deletion and its tombstone.
func TestResumeAtEveryRecord(t *testing.T) {
	for _, threads := range []string{"1", "3"} {
		t.Run(threads+" threads", func(t *testing.T) { resumeAtEveryRecord(t, threads) })
	}
}

func resumeAtEveryRecord(t *testing.T, threads string) {
	db := newDatabase(t)
	for i := range 6 {
		insert(t, db.Collection("a"), bson.D{{Key: "_id", Value: i}, {Key: "y", Value: "y"}})
		insert(t, db.Collection("b"), bson.D{{Key: "_id", Value: i}})
	}
	insert(t, db.Collection("b"), bson.D{{Key: "_id", Value: "text"}}, bson.D{{Key: "_id", Value: bson.NewObjectID()}}, bson.D{{Key: "_id", Value: 2.5}})
	c := settingsFor(t, db, "snapshot.max.threads", threads, "collection.exclude.list", db.Name()+".other", "provide.transaction.metadata", "true")
	const snapshot = 15
	reference := open(t, c, nil)
	texts, offsets := read(reference, snapshot)
	compareAll(t, c, texts, offsets)
	makeChanges(t, db)
	const changes = 4 + 1 + 2 + 4 + 1 + 1 // with tombstones, BEGIN and END
	more, moreOffsets := read(reference, changes)
	if !strings.Contains(more[changes-1], "end") {
		t.Errorf("the last change is not the last record:\n%s", strings.Join(more, "\n"))
	}
	compareAll(t, c, append(texts[snapshot-1:], more...), append(offsets[snapshot-1:], moreOffsets...))
}

func read(r *runner, n int) (texts []string, offsets []map[string]any) {
	for range n {
		record := r.next()
		texts, offsets = append(texts, withPlace(r.t, &record)), append(offsets, r.stored)
	}
	return texts, offsets
}

// compareAll opens a task at each of the positions.
func compareAll(t *testing.T, c map[string]string, texts []string, offsets []map[string]any) {
	t.Helper()
	for i := range texts {
		again := open(t, c, offsets[i])
		for _, want := range texts[i+1:] {
			record := again.next()
			if got := withPlace(t, &record); got != want {
				t.Errorf("after record %d (%v):\ngot  %s\nwant %s", i, offsets[i], got, want)
				break
			}
		}
		again.close()
	}
}

// withPlace is a record with its place in its transaction.
func withPlace(t testing.TB, r *plugin.SourceRecord) string {
	t.Helper()
	v := envelope(t, r)
	if v == nil || v["source"] == nil {
		return fmt.Sprint(r.Topic, " ", keyOf(t, r), " ", v["status"], " ", v["event_count"], " ", v["data_collections"])
	}
	return fmt.Sprint(text(t, r), " in ", v["transaction"])
}
