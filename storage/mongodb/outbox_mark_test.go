package mongodb_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// TestMarksAreInTheLogOnly: who reads the collection meanwhile, as a snapshot does, never sees one, and who
// reads the log sees all, each after the rows that were there before it.
func TestMarksAreInTheLogOnly(t *testing.T) {
	db := openNew(t)
	rows := db.Database().Collection("pabal_outbox")
	log, err := rows.Watch(t.Context(), mongo.Pipeline{{{Key: "$match", Value: bson.M{"operationType": "insert"}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close(t.Context())
	const n = 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range n {
			row := event.Event{ID: "row", Type: "x", Key: "k", Time: time.UnixMicro(int64(i))}
			if err := db.Update(t.Context(), func(tx *mongodb.Tx) error { return outbox.EnqueueTo(t.Context(), tx, "orders", row) }); err != nil {
				t.Error(err)
				return
			}
			mark := outbox.Message{Topic: "marks", Event: event.Event{ID: "mark", Type: "x", Key: "k", Time: time.UnixMicro(int64(i))}}
			if err := db.Mark(t.Context(), mark); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		if seen, err := rows.CountDocuments(t.Context(), bson.M{"topic": "marks"}); err != nil || seen > 0 {
			t.Fatalf("%d marks are seen, %v", seen, err)
		}
	}
	var got, want []string
	for range n {
		want = append(want, "row", "mark")
	}
	for len(got) < len(want) && log.Next(t.Context()) {
		var change struct {
			FullDocument struct {
				EventID string `bson:"eventId"`
			} `bson:"fullDocument"`
		}
		if err := log.Decode(&change); err != nil {
			t.Fatal(err)
		}
		got = append(got, change.FullDocument.EventID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log has %q, %v", got, log.Err())
	}
}

// TestWaitingRows are counted from below, and those set aside are not among them.
func TestWaitingRows(t *testing.T) {
	db := openNew(t)
	for range 5 {
		e := event.New("x", "k", nil)
		if err := db.Update(t.Context(), func(tx *mongodb.Tx) error { return outbox.EnqueueTo(t.Context(), tx, "orders", e) }); err != nil {
			t.Fatal(err)
		}
	}
	all, err := db.Waiting(t.Context(), 10)
	if err != nil || len(all) != 5 || !slices.IsSorted(all) {
		t.Fatalf("%v %v", all, err)
	}
	if some, err := db.Waiting(t.Context(), 2); err != nil || !slices.Equal(some, all[:2]) {
		t.Errorf("%v of %v, %v", some, all, err)
	}
	lease, ok, err := db.AcquireLease(t.Context(), "me", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := db.Refuse(t.Context(), lease, []outbox.Refusal{{ID: all[1], Attempts: 1, Next: time.Now(), Reason: "no"}}); err != nil {
		t.Fatal(err)
	}
	if err := db.Complete(t.Context(), lease, all[:1], nil, false); err != nil {
		t.Fatal(err)
	}
	if left, err := db.Waiting(t.Context(), 10); err != nil || !slices.Equal(left, all[2:]) {
		t.Errorf("%v of %v, %v", left, all, err)
	}
}
