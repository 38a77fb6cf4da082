package sqlite_test

import (
	"context"
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// TestFaulty: a transaction is tried with every call failing in turn; it is
// there as a whole or not at all, and repeating it after a lost answer changes
// nothing.
func TestFaulty(t *testing.T) {
	for name, after := range map[string]bool{"before": false, "after": true} {
		t.Run(name, func(t *testing.T) {
			methods := map[string]bool{}
			for at := 1; ; at++ {
				db := storage.Any(open(t, newPath(t)))
				faulty := storagetest.Faulty(db, storagetest.Fault{At: at, After: after})
				err := handleOnce(t.Context(), faulty)
				method, happened := faulty.Happened()
				if !happened {
					if err != nil {
						t.Fatal(err)
					}
					break
				}
				methods[method] = true
				if !errors.Is(err, storagetest.ErrFault) || !faulty.Transient(err) {
					t.Fatalf("call %d, %s: %v", at, method, err)
				}
				want := 0
				if after && method == "Update" {
					want = 1
				}
				messagesAre(t, db, want)
				if err := handleOnce(t.Context(), faulty); err != nil {
					t.Fatal(err)
				}
				messagesAre(t, db, 1)
			}
			for _, method := range []string{"Update", "Claim", "Tx.AdvanceInbox", "Tx.MarkInbox", "Tx.InsertOutbox"} {
				if !methods[method] {
					t.Errorf("%s never failed", method)
				}
			}
		})
	}
}

// handleOnce is what a consumer does for one message.
func handleOnce(ctx context.Context, db storage.DB) error {
	claim, err := db.Claim(ctx, "payment", inbox.Partition{Cluster: "c", TopicID: "t", Topic: "orders"}, 1)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx storage.Tx) error {
		if err := tx.AdvanceInbox(ctx, claim, 0, 1); err != nil {
			return err
		}
		unseen, err := tx.MarkInbox(ctx, "payment", []inbox.Mark{{ID: "a", Outcome: inbox.Handled}})
		if err != nil || !unseen[0] {
			return err
		}
		return outbox.Enqueue(ctx, tx, event.New("t", "k", 1))
	})
}

func messagesAre(t *testing.T, db storage.DB, want int) {
	t.Helper()
	rows, err := db.Pending(t.Context(), 0, outbox.Exclusion{}, 10, 1<<20)
	if err != nil || len(rows) != want {
		t.Fatalf("%d messages, %v; want %d", len(rows), err, want)
	}
}
