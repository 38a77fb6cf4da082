package mongodb_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func aSaga(n int, begin time.Time) saga.Record {
	at := begin.Add(time.Duration(n) * time.Second)
	return saga.Record{
		Name: "order", ID: fmt.Sprintf("s-%06d", n), Version: 1, Revision: 1, Status: saga.Running, CorrelationID: fmt.Sprint("c-", n),
		State: json.RawMessage(`{"total": 32000}`), Progress: json.RawMessage(`{}`), Started: at, Changed: at, Due: at.Add(time.Hour),
		Entries: []saga.Entry{{At: at, Kind: saga.EntryStarted}},
	}
}

func insertSagas(t *testing.T, db *mongodb.DB, all []saga.Record) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *mongodb.Tx) error {
		_, err := tx.InsertSagas(t.Context(), all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSagasAreFoundByIndex: the server's profile of each operation says how many documents
// it looked at.
func TestSagasAreFoundByIndex(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	begin := time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC)
	const sagas = 3000
	all := make([]saga.Record, sagas)
	for n := range all {
		all[n] = aSaga(n, begin)
		all[n].Name = []string{"order", "rent"}[n%2]
		if n%3 == 0 {
			all[n].Status, all[n].Ended, all[n].Due = saga.Completed, all[n].Due, time.Time{}
		}
	}
	insertSagas(t, db, all)
	profile := func(level int) {
		if err := db.Database().RunCommand(ctx, bson.D{{Key: "profile", Value: level}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	profile(2)
	err := db.Update(ctx, func(tx *mongodb.Tx) error {
		if due, err := tx.DueSagas(ctx, "order", begin.Add(24*time.Hour), 5); err != nil || len(due) != 5 {
			return fmt.Errorf("%d due: %w", len(due), err)
		}
		loaded, err := tx.LoadSagas(ctx, "rent", []string{"s-000001", "s-000005", "unknown"})
		if err != nil || len(loaded) != 2 {
			return fmt.Errorf("%d loaded: %w", len(loaded), err)
		}
		for i := range loaded {
			loaded[i].Revision++
		}
		return tx.SaveSagas(ctx, loaded)
	})
	if err != nil {
		t.Fatal(err)
	}
	if next, err := db.NextDue(ctx, "rent"); err != nil || next.IsZero() {
		t.Fatal(next, err)
	}
	place := &saga.Place{Started: all[1000].Started, Name: all[1000].Name, ID: all[1000].ID}
	for _, q := range []saga.Query{{Limit: 5}, {Limit: 5, After: place}, {Name: "rent", Status: []saga.Status{saga.Completed}, Limit: 5},
		{CorrelationID: "c-77"}, {ID: "s-000077"}} {
		if found, err := db.Sagas(ctx, q); err != nil || len(found) == 0 {
			t.Fatalf("%+v: %d, %v", q, len(found), err)
		}
	}
	if n, err := db.TrimSagas(ctx, "order", begin.Add(24*time.Hour), 4); err != nil || n != 4 {
		t.Fatal(n, err)
	}
	profile(0)
	cursor, err := db.Database().Collection("system.profile").Find(ctx, bson.M{"ns": bson.M{"$regex": "pabal_saga"}})
	if err != nil {
		t.Fatal(err)
	}
	var operations []struct {
		Op           string
		PlanSummary  string `bson:"planSummary"`
		KeysExamined int    `bson:"keysExamined"`
		DocsExamined int    `bson:"docsExamined"`
		Command      bson.Raw
	}
	if err := cursor.All(ctx, &operations); err != nil {
		t.Fatal(err)
	}
	if len(operations) < 12 {
		t.Errorf("%d operations were seen", len(operations))
	}
	for _, o := range operations {
		if o.DocsExamined+o.KeysExamined > 150 || strings.Contains(o.PlanSummary, "COLLSCAN") {
			t.Errorf("%s, %s: looked at %d keys and %d documents: %s", o.Op, o.PlanSummary, o.KeysExamined, o.DocsExamined, o.Command)
		}
	}
	counts, err := db.SagaCounts(ctx)
	if err != nil || len(counts) != 4 {
		t.Fatal(counts, err)
	}
}

// TestOlderCollections: a database of a program without sagas gets their collections.
func TestOlderCollections(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	state := db.Database().Collection("pabal_outbox_state")
	if _, err := state.UpdateByID(ctx, "relay", bson.M{"$set": bson.M{"schema": 1}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pabal_saga", "pabal_saga_entry"} {
		if err := db.Database().Collection(name).Drop(ctx); err != nil {
			t.Fatal(err)
		}
	}
	before, err := db.Identity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	newer := open(t, testenv.MongoDB(t), mongodb.Config{Database: db.Database().Name()})
	insertSagas(t, newer, []saga.Record{aSaga(1, time.Now())})
	indexes, err := newer.Database().Collection("pabal_saga").Indexes().ListSpecifications(ctx)
	if err != nil || len(indexes) != 5 {
		t.Errorf("%d indexes, %v", len(indexes), err)
	}
	if after, err := newer.Identity(ctx); err != nil || after.Outbox != before.Outbox || after.System != before.System {
		t.Errorf("the outbox was %+v and is %+v (%v)", before, after, err)
	}
	if _, err := state.UpdateByID(ctx, "relay", bson.M{"$set": bson.M{"schema": 3}}); err != nil {
		t.Fatal(err)
	}
	if _, err := mongodb.Open(ctx, testenv.MongoDB(t), mongodb.Config{Database: db.Database().Name()}); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("a schema of the future: %v", err)
	}
}

// TestDueBesideManyLocked: what is due and not locked is found beside more locked ones than
// are told apart.
func TestDueBesideManyLocked(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	begin := time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC)
	all := make([]saga.Record, 400)
	for n := range all {
		all[n] = aSaga(n, begin)
	}
	insertSagas(t, db, all)
	later := begin.Add(24 * time.Hour)
	err := db.Update(ctx, func(first *mongodb.Tx) error {
		mine, err := first.DueSagas(ctx, "order", later, 300)
		if err != nil || len(mine) != 300 {
			return fmt.Errorf("%d due: %w", len(mine), err)
		}
		return db.Update(ctx, func(second *mongodb.Tx) error {
			others, err := second.DueSagas(ctx, "order", later, 300)
			if err != nil || len(others) == 0 || len(others) > 100 || others[0].ID < all[300].ID {
				return fmt.Errorf("%d beside the locked ones: %w", len(others), err)
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
