package mongodb_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/mongodb"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// TestOpenAtOnce: several processes make the collections of one database.
func TestOpenAtOnce(t *testing.T) {
	name := openNew(t).Database().Name() // dropped by its test
	url := testenv.MongoDB(t)
	if err := open(t, url, mongodb.Config{Database: name}).Database().Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	outboxes := make(chan string, 6)
	for range cap(outboxes) {
		all.Go(func() {
			db, err := mongodb.Open(t.Context(), url, mongodb.Config{Database: name})
			if err != nil {
				t.Error(err)
				return
			}
			defer db.Close()
			id, err := db.Identity(t.Context())
			if err != nil {
				t.Error(err)
			}
			outboxes <- id.Outbox + id.System
		})
	}
	all.Wait()
	close(outboxes)
	first := <-outboxes
	for other := range outboxes {
		if other != first {
			t.Errorf("two outboxes: %s and %s", first, other)
		}
	}
}

// TestTwoHandles: writers in turns, one lease, claims that fence.
func TestTwoHandles(t *testing.T) {
	both := handles(t, 2)
	a, b := both[0], both[1]
	ctx := t.Context()
	const callers, each = 3, 20
	var all sync.WaitGroup
	for _, db := range both {
		for range callers {
			all.Go(func() {
				for range each {
					if err := countUp(ctx, db, "k"); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if n := counterOf(t, b, "counters", "k").N; n != len(both)*callers*each {
		t.Errorf("counted to %d", n)
	}
	rows, err := b.Pending(ctx, 0, outbox.Exclusion{}, 10_000, 1<<30)
	if err != nil || len(rows) != len(both)*callers*each {
		t.Errorf("%d messages, %v", len(rows), err)
	}

	lease, ok, err := a.AcquireLease(ctx, "a", time.Hour)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := b.AcquireLease(ctx, "b", time.Hour); ok || err != nil {
		t.Errorf("a second lease: %v, %v", ok, err)
	}
	if err := a.ReleaseLease(ctx, lease); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := b.AcquireLease(ctx, "b", time.Hour); !ok || err != nil {
		t.Errorf("a lease after the release: %v, %v", ok, err)
	}
	if err := a.Complete(ctx, lease, nil, []byte("p"), false); !errors.Is(err, outbox.ErrLeaseLost) {
		t.Errorf("completing without the lease: %v", err)
	}

	p := inbox.Partition{Cluster: "c", TopicID: "id", Topic: "t"}
	old, err := a.Claim(ctx, "consumer", p, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Claim(ctx, "consumer", p, 1); err != nil {
		t.Fatal(err)
	}
	if err := a.Update(ctx, func(tx *mongodb.Tx) error { return tx.AdvanceInbox(ctx, old, 0, 5) }); !errors.Is(err, inbox.ErrFenced) {
		t.Errorf("advancing under an old claim: %v", err)
	}
}

// TestClaimOfABusyPartition: an owner that commits without a pause cannot keep others
// from claiming.
func TestClaimOfABusyPartition(t *testing.T) {
	both := handles(t, 2)
	ctx := t.Context()
	p := inbox.Partition{Cluster: "c", TopicID: "id", Topic: "t"}
	claim, err := both[0].Claim(ctx, "consumer", p, 4)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	busy := make(chan struct{}, 4)
	for lane := range 4 {
		all.Go(func() {
			for next := int64(1); ; next++ {
				err := both[0].Update(ctx, func(tx *mongodb.Tx) error {
					if err := tx.AdvanceInbox(ctx, claim, lane, next); err != nil {
						return err
					}
					return outbox.Enqueue(ctx, tx, event.New("t", "k", next))
				})
				if next == 5 {
					busy <- struct{}{}
				}
				if err != nil {
					if !errors.Is(err, inbox.ErrFenced) {
						t.Errorf("lane %d: %v", lane, err)
					}
					return
				}
			}
		})
	}
	for range 4 {
		<-busy
	}
	later, err := both[1].Claim(ctx, "consumer", p, 4)
	if err != nil {
		t.Fatal(err)
	}
	all.Wait() // all were fenced
	again, err := both[1].Claim(ctx, "consumer", p, 4)
	if err != nil || fmt.Sprint(again.Next) != fmt.Sprint(later.Next) {
		t.Errorf("offsets moved after the claim: %v, then %v (%v)", later.Next, again.Next, err)
	}
}

// TestJoin: the user's own transaction takes messages.
func TestJoin(t *testing.T) {
	db := openNew(t)
	ctx := t.Context()
	if _, err := db.Join(ctx); !errors.Is(err, mongodb.ErrNoTransaction) {
		t.Errorf("without a session: %v", err)
	}
	wake, _ := db.Wakeups(ctx)
	session, err := db.Database().Client().StartSession()
	if err != nil {
		t.Fatal(err)
	}
	defer session.EndSession(ctx)
	for _, commit := range []bool{false, true} {
		if err := session.StartTransaction(); err != nil {
			t.Fatal(err)
		}
		inSession := sessionContext(ctx, session)
		tx, err := db.Join(inSession)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Database().Collection("orders").InsertOne(inSession, bson.M{"_id": "1"}); err != nil {
			t.Fatal(err)
		}
		if err := outbox.Enqueue(ctx, tx, event.New("t", "k", 1)); err != nil {
			t.Fatal(err)
		}
		end := session.AbortTransaction
		if commit {
			end = session.CommitTransaction
		}
		if err := end(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Join(inSession); !errors.Is(err, mongodb.ErrNoTransaction) {
			t.Errorf("after the end: %v", err)
		}
	}
	rows, err := db.Pending(ctx, 0, outbox.Exclusion{}, 10, 1000)
	if err != nil || len(rows) != 1 {
		t.Errorf("%d messages, %v", len(rows), err)
	}
	db.Wake()
	select {
	case <-wake:
	case <-time.After(time.Minute):
		t.Error("Wake woke nobody")
	}
}

// TestCopyIsToldApart: documents restored into another database are not the outbox
// that they were copied from, and neither are those of a collection made anew.
func TestCopyIsToldApart(t *testing.T) {
	original, copied := openNew(t), openNew(t)
	ctx := t.Context()
	from, to := original.Database().Collection("pabal_outbox_state"), copied.Database().Collection("pabal_outbox_state")
	cursor, err := from.Find(ctx, bson.D{})
	if err != nil {
		t.Fatal(err)
	}
	for cursor.Next(ctx) {
		if _, err := to.ReplaceOne(ctx, bson.M{"_id": cursor.Current.Lookup("_id")}, cursor.Current); err != nil {
			t.Fatal(err)
		}
	}
	a, err := original.Identity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := copied.Identity(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if a.Outbox != b.Outbox || a.System == b.System || a.System == "" {
		t.Errorf("original %+v, copy %+v", a, b)
	}
	if again, err := original.Identity(ctx); err != nil || again.System != a.System {
		t.Errorf("the original's system changed from %s to %s (%v)", a.System, again.System, err)
	}
}
