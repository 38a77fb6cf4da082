package mongodb_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// handles of one new database, as processes have them.
func handles(t testing.TB, n int) (all []*mongodb.DB) {
	first := openNew(t)
	all = append(all, first)
	for len(all) < n {
		all = append(all, open(t, testenv.MongoDB(t), mongodb.Config{Database: first.Database().Name()}))
	}
	return all
}

// count increments the number of a key and enqueues it, before or after it did so.
func count(ctx context.Context, db *mongodb.DB, key string, early bool, dawdle func()) error {
	return db.Update(ctx, func(tx *mongodb.Tx) error {
		dawdle()
		counters := tx.Database().Collection("counters")
		var counter struct{ N int }
		if early { // the message comes first, its number is known from a read
			err := counters.FindOne(tx.Context(ctx), bson.M{"_id": key}).Decode(&counter)
			if err == nil {
				err = outbox.Enqueue(ctx, tx, event.New("t", key, counter.N+1))
			}
			if err != nil {
				return err
			}
			dawdle()
		}
		err := counters.FindOneAndUpdate(tx.Context(ctx), bson.M{"_id": key}, bson.M{"$inc": bson.M{"n": 1}},
			options.FindOneAndUpdate().SetReturnDocument(options.After)).Decode(&counter)
		if err != nil || early {
			return err
		}
		dawdle()
		return outbox.Enqueue(ctx, tx, event.New("t", key, counter.N))
	})
}

// TestIDsAreInCommitOrder: writers of several processes count keys, several readers give
// ids all the while; each key's messages have ascending ids, and none appears below
// what a reader had seen as the last id.
func TestIDsAreInCommitOrder(t *testing.T) {
	random := testenv.Rand(t)
	seed := random.Uint64()
	const keys, writers, each = 3, 6, 25
	all := handles(t, 3)
	var counters []any
	for k := range keys {
		counters = append(counters, bson.M{"_id": fmt.Sprint("k", k), "n": 0})
	}
	if _, err := all[0].Database().Collection("counters").InsertMany(t.Context(), counters); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers, working sync.WaitGroup
	for _, db := range all[:2] {
		readers.Go(func() { watch(ctx, t, db) })
	}
	for w := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		working.Go(func() {
			dawdle := func() {
				if random.IntN(3) == 0 {
					time.Sleep(time.Duration(random.IntN(3000)) * time.Microsecond) // part of the load
				}
			}
			for range each {
				if err := count(t.Context(), all[w%len(all)], fmt.Sprint("k", random.IntN(keys)), random.IntN(2) == 0, dawdle); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	working.Wait()
	stop()
	readers.Wait()
	rows, err := all[0].Pending(t.Context(), 0, outbox.Exclusion{}, 10_000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for i, r := range rows {
		next[r.Key]++
		if got := string(r.Payload); got != strconv.Itoa(next[r.Key]) {
			t.Fatalf("message %s of key %s has id %d, in place %d", got, r.Key, r.ID, next[r.Key])
		}
		if r.ID != int64(i+1) {
			t.Fatalf("row %d has id %d: ids have gaps", i+1, r.ID)
		}
	}
	if len(rows) != writers*each {
		t.Fatalf("%d messages, want %d", len(rows), writers*each)
	}
	t.Logf("conflicts: %d, %d, %d", all[0].Repeats(), all[1].Repeats(), all[2].Repeats())
}

// watch reads until ctx ends: up to the last id of the horizon nothing may come later.
func watch(ctx context.Context, t *testing.T, db *mongodb.DB) {
	known := map[int64]bool{}
	for ctx.Err() == nil {
		h, err := db.Horizon(ctx)
		if err != nil {
			return
		}
		rows, err := db.Pending(ctx, 0, outbox.Exclusion{}, 10_000, 1<<30)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		for _, r := range rows {
			known[r.ID] = true
		}
		for id := int64(1); id <= h.LastID; id++ {
			if !known[id] {
				t.Errorf("id %d was given, and its row is not there", id)
				return
			}
		}
	}
}
