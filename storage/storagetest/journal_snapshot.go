package storagetest

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// snapshotCases are those of Pekko's SnapshotStoreSpec for stores that keep one
// snapshot of an entity, and ours after them.
func snapshotCases[T JournalTx]() map[string]func(journalCase[T], *testing.T) {
	// latest saves 10 to 15, of which the last is kept.
	latest := func(c journalCase[T], t *testing.T) {
		t.Helper()
		for i := range int64(6) {
			c.saveSnapshot(t, "s|1", 10+i, "s-"+string(rune('0'+i)))
		}
	}
	return map[string]func(journalCase[T], *testing.T){
		"none of an unknown id": func(c journalCase[T], t *testing.T) {
			latest(c, t)
			c.noSnapshot(t, "s|2", 0)
			c.noSnapshot(t, "nul\x00", 0)
		},
		"only the latest, by sequence number": func(c journalCase[T], t *testing.T) {
			latest(c, t)
			c.noSnapshot(t, "s|1", 13)
			c.noSnapshot(t, "s|1", 9)
			c.hasSnapshot(t, "s|1", 15, 15, "s-5")
			c.hasSnapshot(t, "s|1", 100, 15, "s-5")
			c.hasSnapshot(t, "s|1", 0, 15, "s-5")
		},
		"delete": func(c journalCase[T], t *testing.T) {
			latest(c, t)
			must(t, c.db.DeleteSnapshot(t.Context(), "s|1", 15))
			c.noSnapshot(t, "s|1", 0)
			must(t, c.db.DeleteSnapshot(t.Context(), "s|1", 15))
			must(t, c.db.DeleteSnapshot(t.Context(), "none", 0))
		},
		"delete below the bound only": func(c journalCase[T], t *testing.T) {
			latest(c, t)
			must(t, c.db.DeleteSnapshot(t.Context(), "s|1", 14))
			c.hasSnapshot(t, "s|1", 0, 15, "s-5")
		},
		"overwrite the same sequence number": func(c journalCase[T], t *testing.T) {
			c.saveSnapshot(t, "s|1", 15, "one")
			c.saveSnapshot(t, "s|1", 15, "two")
			c.hasSnapshot(t, "s|1", 0, 15, "two")
		},
		"an older one does not replace": func(c journalCase[T], t *testing.T) {
			c.saveSnapshot(t, "s|1", 15, "new")
			c.saveSnapshot(t, "s|1", 14, "old")
			c.hasSnapshot(t, "s|1", 0, 15, "new")
		},
		"as it was": func(c journalCase[T], t *testing.T) {
			want := journal.Snapshot{PersistenceID: "s|1", SeqNr: 7, Time: time.UnixMilli(1_700_000_000_123).UTC(),
				Payload:  journal.Payload{Serializer: 31, Manifest: "com.example.장바구니", Data: bytes.Repeat([]byte{0, 1, 255}, 1<<19)},
				Metadata: &journal.Payload{Serializer: 20, Manifest: "meta", Data: []byte("m")}}
			must(t, c.db.SaveSnapshot(t.Context(), want))
			got, ok, err := c.db.LoadSnapshot(t.Context(), "s|1", 0)
			must(t, err)
			if !ok || !reflect.DeepEqual(got, want) {
				t.Fatalf("it came back otherwise: %v, %v, metadata %v", got.SeqNr, got.Time, got.Metadata)
			}
			// The next one has neither metadata nor a time of its own.
			must(t, c.db.SaveSnapshot(t.Context(), journal.Snapshot{PersistenceID: "s|1", SeqNr: 8}))
			got, _, err = c.db.LoadSnapshot(t.Context(), "s|1", 0)
			must(t, err)
			if got.Metadata != nil || len(got.Payload.Data) > 0 || time.Since(got.Time).Abs() > time.Hour {
				t.Fatalf("the next one: %+v", got)
			}
		},
		"in a transaction": func(c journalCase[T], t *testing.T) {
			rollback := errors.New("rolled back on purpose")
			err := c.db.Update(t.Context(), func(tx T) error {
				must(t, tx.SaveSnapshot(t.Context(), journal.Snapshot{PersistenceID: "s|1", SeqNr: 1, Payload: text("gone")}))
				return rollback
			})
			if !errors.Is(err, rollback) {
				t.Fatal(err)
			}
			c.noSnapshot(t, "s|1", 0)
			must(t, c.db.Update(t.Context(), func(tx T) error {
				return tx.SaveSnapshot(t.Context(), journal.Snapshot{PersistenceID: "s|1", SeqNr: 1, Payload: text("kept")})
			}))
			c.hasSnapshot(t, "s|1", 0, 1, "kept")
		},
		"of no id": func(c journalCase[T], t *testing.T) {
			err := c.db.SaveSnapshot(t.Context(), journal.Snapshot{SeqNr: 1})
			if !errors.Is(err, journal.ErrPersistenceID) || c.db.Transient(err) {
				t.Fatalf("%v, want ErrPersistenceID", err)
			}
		},
	}
}

func (c journalCase[T]) saveSnapshot(t *testing.T, persistenceID string, seqNr int64, state string) {
	t.Helper()
	must(t, c.db.SaveSnapshot(t.Context(), journal.Snapshot{PersistenceID: persistenceID, SeqNr: seqNr, Payload: text(state)}))
}

func (c journalCase[T]) hasSnapshot(t *testing.T, persistenceID string, max, seqNr int64, state string) {
	t.Helper()
	s, ok, err := c.db.LoadSnapshot(t.Context(), persistenceID, max)
	must(t, err)
	equal(t, "there is a snapshot", ok, true)
	equal(t, "its sequence number", s.SeqNr, seqNr)
	equal(t, "its state", string(s.Payload.Data), state)
	equal(t, "its id", s.PersistenceID, persistenceID)
}

func (c journalCase[T]) noSnapshot(t *testing.T, persistenceID string, max int64) {
	t.Helper()
	_, ok, err := c.db.LoadSnapshot(t.Context(), persistenceID, max)
	must(t, err)
	equal(t, "there is a snapshot", ok, false)
}
