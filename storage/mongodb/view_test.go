package mongodb_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/projection"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"github.com/pabal-dev/pabal/storage/storagetest"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

func newView(t testing.TB, db *mongodb.DB, collection string, config mongodb.ViewConfig) *mongodb.View {
	t.Helper()
	v, err := db.View(t.Context(), collection, config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestView(t *testing.T) {
	db := openNew(t)
	n := 0
	storagetest.Target(t, func(t *testing.T) storagetest.ReadModel {
		n++
		return newView(t, db, fmt.Sprint("things", n), mongodb.ViewConfig{})
	})
}

// TestViewIsACollection: documents are found by their own fields, deleted ones are not.
func TestViewIsACollection(t *testing.T) {
	v := newView(t, openNew(t), "orders", mongodb.ViewConfig{})
	for id, customer := range map[string]string{"1": "jenny", "2": "joe", "3": "jenny"} {
		if err := v.Put(t.Context(), id, 1, bson.M{"customer": customer, "_id": "not mine", "_version": 99, "_deletedAt": 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Delete(t.Context(), "3", 2); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		filter bson.D
		want   int64
	}{{bson.D{{Key: "customer", Value: "jenny"}}, 1}, {bson.D{mongodb.Live()}, 2}, {bson.D{}, 3}, {bson.D{{Key: "_version", Value: 1}}, 2}} {
		n, err := v.Collection().CountDocuments(t.Context(), x.filter)
		if err != nil || n != x.want {
			t.Errorf("%v: %d documents, %v; want %d", x.filter, n, err, x.want)
		}
	}
}

// TestTombstonesExpire by an index, whose time can be changed.
func TestTombstonesExpire(t *testing.T) {
	db := openNew(t)
	for _, want := range []time.Duration{24 * time.Hour, time.Minute, time.Minute} {
		config := mongodb.ViewConfig{Tombstones: want}
		if want == 24*time.Hour {
			config.Tombstones = 0
		}
		specs, err := newView(t, db, "orders", config).Collection().Indexes().ListSpecifications(t.Context())
		if err != nil || len(specs) != 2 {
			t.Fatalf("indexes %v, %v", specs, err)
		}
		if got := specs[1].ExpireAfterSeconds; got == nil || time.Duration(*got)*time.Second != want {
			t.Errorf("tombstones expire after %v s, want %s", got, want)
		}
	}
	if _, err := db.View(t.Context(), "orders", mongodb.ViewConfig{Tombstones: 1}); err == nil {
		t.Error("tombstones of 1 ns were taken")
	}
	if _, err := db.View(t.Context(), "", mongodb.ViewConfig{}); err == nil {
		t.Error("an empty name was taken")
	}
}

// TestViewInATransaction: it commits with the rest.
func TestViewInATransaction(t *testing.T) {
	db := openNew(t)
	v := newView(t, db, "orders", mongodb.ViewConfig{})
	for _, failure := range []error{errors.New("no"), nil} {
		err := db.Update(t.Context(), func(tx *mongodb.Tx) error {
			if err := v.Put(tx.Context(t.Context()), "1", 1, bson.M{"a": 1}); err != nil {
				return err
			}
			return failure
		})
		if !errors.Is(err, failure) {
			t.Fatal(err)
		}
		if _, ok, err := v.Get(t.Context(), "1", &bson.M{}); ok != (failure == nil) || err != nil {
			t.Fatalf("after %v: %v, %v", failure, ok, err)
		}
	}
}

// TestViewErrors: what is the document's fault is told from what is the database's.
func TestViewErrors(t *testing.T) {
	db := openNew(t)
	v := newView(t, db, "orders", mongodb.ViewConfig{})
	unique := mongo.IndexModel{Keys: bson.D{{Key: "number", Value: 1}}, Options: options.Index().SetUnique(true)}
	if _, err := v.Collection().Indexes().CreateOne(t.Context(), unique); err != nil {
		t.Fatal(err)
	}
	if err := v.Put(t.Context(), "1", 1, bson.M{"number": 1}); err != nil {
		t.Fatal(err)
	}
	if err := v.Put(t.Context(), "2", 1, bson.M{"number": 1}); !db.IsDuplicate(err) || errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("a violated unique index: %v", err)
	}
	if err := v.Put(t.Context(), "3", 1, bson.M{"large": make([]byte, 17<<20)}); err == nil || errors.Is(err, projection.ErrUnavailable) {
		t.Errorf("a document that is too large: %v", err)
	}
}
