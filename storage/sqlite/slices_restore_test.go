package sqlite_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

// TestRestoredCopy: a cursor kept elsewhere, of a file that was restored from an
// older copy, is refused before and after it has been written to; one from before
// the copy goes on.
func TestRestoredCopy(t *testing.T) {
	path := newPath(t)
	var before, after journal.Cursor
	var copied []byte
	within(t, path, func(db *sqlite.DB) {
		appendTo(t, db, "a|1", 0, 3)
		before = readAll(t, db, nil)
	})
	copied, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	within(t, path, func(db *sqlite.DB) {
		appendTo(t, db, "a|1", 3, 2)
		after = readAll(t, db, before)
	})
	if err := os.WriteFile(path, copied, 0o600); err != nil {
		t.Fatal(err)
	}
	within(t, path, func(db *sqlite.DB) {
		refused(t, db, after, "which ends at 3")
		appendTo(t, db, "b|1", 0, 2)
		refused(t, db, after, "is not the one that the cursor passed")
		page, err := db.Page(t.Context(), journal.Query{Slices: journal.AllSlices(), After: before})
		if err != nil || len(page.Events) != 2 {
			t.Fatalf("%d events after the older cursor, %v", len(page.Events), err)
		}
	})
}

// TestCursorOfAnotherFile is refused, and a damaged one.
func TestCursorOfAnotherFile(t *testing.T) {
	var other journal.Cursor
	within(t, newPath(t), func(db *sqlite.DB) { other = readAll(t, db, nil) })
	db := open(t, newPath(t))
	refused(t, db, other, "the cursor is of journal")
	refused(t, db, journal.Cursor(`{"xid":7}`), "not one of a SQLite journal")
	refused(t, db, journal.Cursor(`{`), "not one of a SQLite journal")
	if !json.Valid(other) {
		t.Fatalf("cursor %s is no JSON", other)
	}
}

// TestDeletedEnd: a cursor at an event that was deleted, or a state that was
// written anew, goes on.
func TestDeletedEnd(t *testing.T) {
	db := open(t, newPath(t))
	appendTo(t, db, "a|1", 0, 3)
	cursor := readAll(t, db, nil)
	if n, err := db.DeleteEvents(t.Context(), "a|1", 0, true); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	appendTo(t, db, "a|1", 0, 2)
	page, err := db.Page(t.Context(), journal.Query{Slices: journal.AllSlices(), After: cursor})
	if err != nil || len(page.Events) != 2 || page.Events[0].SeqNr != 1 {
		t.Fatalf("%d events, %v", len(page.Events), err)
	}
}

// TestLongWays: pages are bounded in what they look through, and hop over what is
// gone.
func TestLongWays(t *testing.T) {
	db := open(t, newPath(t))
	appendTo(t, db, "few|1", 0, 1)
	appendTo(t, db, "many|1", 0, 21_000)
	appendTo(t, db, "few|1", 1, 1)
	q := journal.Query{Slices: journal.AllSlices(), EntityType: "few"}
	pages := func() (pages, events int) {
		t.Helper()
		for q.After = nil; ; {
			page, err := db.Page(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			pages, events = pages+1, events+len(page.Events)
			if q.After = page.Cursor; !page.More {
				return pages, events
			}
		}
	}
	if n, events := pages(); n < 2 || events != 2 {
		t.Fatalf("%d pages with %d events of 21,000 that were looked through", n, events)
	}
	// As if as many had been deleted.
	err := db.Update(t.Context(), func(tx *sqlite.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE sqlite_sequence SET seq = 1000000 WHERE name = 'event_journal'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	appendTo(t, db, "few|1", 2, 1)
	if n, events := pages(); n > 4 || events != 3 {
		t.Fatalf("%d pages with %d events where most numbers are gone", n, events)
	}
}

func within(t *testing.T, path string, do func(*sqlite.DB)) {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeDB(t, db)
	do(db)
}

func appendTo(t *testing.T, db *sqlite.DB, id string, after int64, n int) {
	t.Helper()
	w := journal.Write{PersistenceID: id, After: after}
	for i := range n {
		w.Events = append(w.Events, journal.NewEvent{Payload: journal.Payload{Serializer: 20, Data: fmt.Append(nil, i)}})
	}
	results, err := db.AppendGroup(t.Context(), []journal.Write{w})
	if err != nil || results[0].Err != nil {
		t.Fatal(err, results)
	}
}

func readAll(t *testing.T, db *sqlite.DB, after journal.Cursor) journal.Cursor {
	t.Helper()
	page, err := db.Page(t.Context(), journal.Query{Slices: journal.AllSlices(), After: after})
	if err != nil || page.More || page.Cursor == nil {
		t.Fatalf("page %+v, %v", page, err)
	}
	return page.Cursor
}

func refused(t *testing.T, db *sqlite.DB, c journal.Cursor, want string) {
	t.Helper()
	q := journal.Query{Slices: journal.AllSlices(), After: c}
	_, err := db.Page(t.Context(), q)
	if err == nil || !strings.Contains(err.Error(), want) || db.Transient(err) {
		t.Fatalf("cursor %s: %v, want %q", c, err, want)
	}
	if _, err := db.Ahead(t.Context(), q, 1); err == nil {
		t.Fatalf("cursor %s: what is ahead of it was counted", c)
	}
}
