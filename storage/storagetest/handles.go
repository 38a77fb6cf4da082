package storagetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
)

// TwoHandles tests two handles, opened at the same time, of one database, as
// two processes have them. open returns handles of a new, empty database at
// each call, and closes them when the test ends.
func TwoHandles(t *testing.T, open func(t *testing.T) (a, b storage.DB)) {
	t.Run("migrate at once", func(t *testing.T) {
		a, b := open(t)
		migrateAtOnce(t, a, b)
	})
	t.Run("write in turns", func(t *testing.T) {
		a, b := open(t)
		writeInTurns(t, a, b)
	})
	t.Run("one lease", func(t *testing.T) {
		a, b := open(t)
		oneLease(t, a, b)
	})
	t.Run("a claim fences the other's", func(t *testing.T) {
		a, b := open(t)
		claimAcross(t, a, b)
	})
}

func writeInTurns(t *testing.T, handles ...storage.DB) {
	sqlCase{handles[0]}.exec(t, createThing, "INSERT INTO thing (id) VALUES (1)")
	const callers, each = 3, 20
	var all sync.WaitGroup
	for _, db := range handles {
		for range callers {
			all.Go(func() {
				for range each {
					if err := incrementAndEnqueue(t.Context(), db); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	want := len(handles) * callers * each
	for _, db := range handles {
		var n int
		must(t, db.View(t.Context(), func(q storage.Querier) error {
			return q.QueryRow(t.Context(), "SELECT n FROM thing").Scan(&n)
		}))
		equal(t, "the counter", n, want)
		rows, err := db.Pending(t.Context(), 0, outbox.Exclusion{}, everything, everything)
		must(t, err)
		equal(t, "messages", len(rows), want)
	}
}

// incrementAndEnqueue repeats what the database asks to repeat.
func incrementAndEnqueue(ctx context.Context, db storage.DB) error {
	for {
		err := db.Update(ctx, func(tx storage.Tx) error {
			if _, err := tx.Exec(ctx, "UPDATE thing SET n = n + 1 WHERE id = 1"); err != nil {
				return err
			}
			return outbox.Enqueue(ctx, tx, event.New("t", "k", 1))
		})
		if err == nil || !db.Transient(err) || ctx.Err() != nil {
			return err
		}
	}
}

func oneLease(t *testing.T, a, b storage.DB) {
	ctx := t.Context()
	lease, ok, err := a.AcquireLease(ctx, "a", time.Hour)
	must(t, err)
	equal(t, "the first acquires", ok, true)
	_, ok, err = b.AcquireLease(ctx, "b", time.Hour)
	must(t, err)
	equal(t, "the second acquires", ok, false)
	must(t, a.ReleaseLease(ctx, lease))
	_, ok, err = b.AcquireLease(ctx, "b", time.Hour)
	must(t, err)
	equal(t, "the second acquires after the release", ok, true)
	isLeaseLost(t, "completing", a.Complete(ctx, lease, nil, []byte("p"), false))
}

func claimAcross(t *testing.T, a, b storage.DB) {
	ctx := t.Context()
	claim, err := a.Claim(ctx, "payment", partition(0), 1)
	must(t, err)
	must(t, a.Update(ctx, func(tx storage.Tx) error { return tx.AdvanceInbox(ctx, claim, 0, 5) }))
	later, err := b.Claim(ctx, "payment", partition(0), 1)
	must(t, err)
	nextIs(t, "the other handle's claim", later, 5)
	err = a.Update(ctx, func(tx storage.Tx) error { return tx.AdvanceInbox(ctx, claim, 0, 6) })
	if !errors.Is(err, inbox.ErrFenced) {
		t.Fatalf("the first handle's transaction: %v, want ErrFenced", err)
	}
}
