package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

const (
	crashEntities = 6
	// crashEvents is how many events a write has.
	crashEvents = 3
	// crashSeqNrs is above every sequence number of the test.
	crashSeqNrs = 1_000_000_000
)

// TestJournalCrash kills a process that appends, again and again: what it
// acknowledged is there, no write in part, and a reader that goes on through all
// the crashes gets every event once.
func TestJournalCrash(t *testing.T) {
	random := testenv.Rand(t)
	path := newPath(t)
	rounds := testenv.Sized(5, 100)
	var reader journal.Cursor
	read := map[string]int64{}
	acknowledged := map[int64]bool{}
	for range rounds {
		crashOnce(t, "TestJournalCrashChild", path, time.Duration(random.IntN(60))*time.Millisecond, acknowledged)
		reader = checkJournalAfterCrash(t, path, acknowledged, reader, read)
	}
	t.Logf("%d acknowledged writes", len(acknowledged))
}

func checkJournalAfterCrash(t *testing.T, path string, acknowledged map[int64]bool, reader journal.Cursor, read map[string]int64) journal.Cursor {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, db)
	last := map[string]int64{}
	for id := range acknowledged {
		entity := crashEntity(id / crashSeqNrs)
		last[entity] = max(last[entity], id%crashSeqNrs)
	}
	for {
		page, err := db.Page(t.Context(), journal.Query{Slices: journal.AllSlices(), After: reader})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if read[e.PersistenceID]++; e.SeqNr != read[e.PersistenceID] {
				t.Fatalf("%s: event %d was read, %d was next", e.PersistenceID, e.SeqNr, read[e.PersistenceID])
			}
		}
		if reader = page.Cursor; !page.More {
			break
		}
	}
	writes := int64(0)
	for entity, seqNr := range read {
		if seqNr%crashEvents != 0 || seqNr < last[entity] {
			t.Fatalf("%s: %d events, %d were acknowledged, a write has %d", entity, seqNr, last[entity], crashEvents)
		}
		writes += seqNr / crashEvents
	}
	backlog, err := db.Backlog(t.Context())
	if err != nil || backlog.Started != writes || len(read) == 0 {
		t.Fatalf("%d writes with %d messages, %v", writes, backlog.Started, err)
	}
	return reader
}

func crashEntity(n int64) string { return fmt.Sprintf("crash|%d", n) }

// TestJournalCrashChild is the process that is killed; by itself it does nothing.
func TestJournalCrashChild(t *testing.T) {
	path := os.Getenv(childPath)
	if path == "" {
		return
	}
	db := open(t, path)
	var all sync.WaitGroup
	var print sync.Mutex
	for n := range int64(crashEntities) {
		all.Go(func() {
			if err := appendForEver(context.Background(), db, n, func(seqNr int64) {
				print.Lock()
				defer print.Unlock()
				_, _ = fmt.Fprintf(os.Stdout, "%d\n", n*crashSeqNrs+seqNr)
			}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func appendForEver(ctx context.Context, db *sqlite.DB, n int64, acknowledge func(int64)) error {
	w := journal.Write{PersistenceID: crashEntity(n), Messages: []outbox.Message{{Topic: "t", Event: event.New("t", "k", n)}}}
	for range crashEvents {
		w.Events = append(w.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 20, Data: []byte("x")}})
	}
	highest, err := db.HighestSeqNrs(ctx, []string{w.PersistenceID})
	if err != nil {
		return err
	}
	w.After = highest[0]
	for {
		results, err := db.AppendGroup(ctx, []journal.Write{w})
		if err != nil {
			return err
		}
		if results[0].Err != nil {
			return results[0].Err
		}
		w.After, w.AfterTime = results[0].SeqNr, results[0].Time
		acknowledge(w.After)
	}
}
