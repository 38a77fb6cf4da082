package mongodb_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"github.com/pabal-dev/pabal/storage/storagetest"
	"go.mongodb.org/mongo-driver/v2/bson"
)

var databases atomic.Int64

// newName is a database of the test's own, which it drops.
func newName(t testing.TB, url string) string {
	t.Helper()
	name := fmt.Sprintf("%s%d", testenv.Prefix(t), databases.Add(1))
	if len(name) > 60 {
		name = name[len(name)-60:]
	}
	return name
}

func open(t testing.TB, url string, config mongodb.Config) *mongodb.DB {
	t.Helper()
	db, err := mongodb.Open(t.Context(), url, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// openNew opens an empty database and drops it in the end.
func openNew(t testing.TB) *mongodb.DB {
	t.Helper()
	url := testenv.MongoDB(t)
	db := open(t, url, mongodb.Config{Database: newName(t, url)})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := db.Database().Drop(ctx); err != nil {
			t.Error(err)
		}
	})
	return db
}

// TestConformance empties one database for each case: to make one takes longer than
// most of them.
func TestConformance(t *testing.T) {
	db := openNew(t)
	t.Run("Outbox", func(t *testing.T) {
		storagetest.Outbox(t, func(t *testing.T) storagetest.OutboxDB[*mongodb.Tx] { return reopen(t, db) })
	})
	t.Run("Inbox", func(t *testing.T) {
		storagetest.Inbox(t, func(t *testing.T) inbox.Store[*mongodb.Tx] { return reopen(t, db) })
	})
	t.Run("Saga", func(t *testing.T) {
		storagetest.Saga(t, func(t *testing.T) saga.Store[*mongodb.Tx] { return reopen(t, db) })
	})
}

// reopen empties all collections; opening makes the state's documents anew.
func reopen(t testing.TB, db *mongodb.DB) *mongodb.DB {
	t.Helper()
	names, err := db.Database().ListCollectionNames(t.Context(), bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := db.Database().Collection(name).DeleteMany(t.Context(), bson.D{}); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, testenv.MongoDB(t), mongodb.Config{Database: db.Database().Name()})
}
