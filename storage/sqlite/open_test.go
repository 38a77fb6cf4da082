package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

func TestOpenRefuses(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string][2]string{
		"no path":                 {"", "empty"},
		"in memory":               {":memory:", "in memory"},
		"a URI":                   {"file:x.db", "URI"},
		"a folder":                {folder, "folder"},
		"a folder that is absent": {filepath.Join(folder, "absent", "x.db"), "absent does not exist; create it"},
		"a file as the folder":    {filepath.Join(text, "x.db"), "not a folder"},
		"another file":            {text, "not a SQLite database"},
	}
	if runtime.GOOS == "linux" {
		cases["where nobody may write"] = [2]string{"/proc/pabal-test.db", "cannot be written"}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), c[0], Config{BusyTimeout: time.Millisecond})
			if err == nil {
				db.Close()
				t.Fatal("it opened")
			}
			if !strings.Contains(err.Error(), c[1]) || c[0] != "" && !strings.Contains(err.Error(), c[0]) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error is %q; want one line with the path and %q", err, c[1])
			}
		})
	}
	if left, _ := os.ReadFile(text); !strings.HasPrefix(string(left), "not a database") {
		t.Fatal("the other file was changed")
	}
}

// foreign is a connection of another process, as far as SQLite can tell.
func foreign(t *testing.T, path string) *sql.Conn {
	t.Helper()
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	c, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func run(t *testing.T, c *sql.Conn, query string) {
	t.Helper()
	if _, err := c.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func TestOpenLockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	other := foreign(t, path)
	run(t, other, "PRAGMA locking_mode=EXCLUSIVE")
	run(t, other, "CREATE TABLE x (id)")
	_, err := Open(t.Context(), path, Config{BusyTimeout: 50 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "another process keeps it locked") {
		t.Fatalf("got %v", err)
	}
}

func TestBusyFile(t *testing.T) {
	const short = 300 * time.Millisecond
	db := openTest(t, Config{BusyTimeout: short})
	exec(t, db, createNumbers)
	patient, err := Open(t.Context(), db.path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer patient.Close()
	other := foreign(t, db.path)
	run(t, other, "BEGIN IMMEDIATE")
	begun := time.Now()
	err = db.Update(t.Context(), func(*Tx) error { return errors.New("ran") })
	if err == nil || !db.Transient(err) || !isBusy(err) {
		t.Fatalf("locked by another: %v, want a transient error", err)
	}
	if waited := time.Since(begun); waited < short {
		t.Fatalf("waited %v only", waited)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := make(chan error, 1)
	go func() { cancelled <- db.Update(ctx, func(*Tx) error { return nil }) }()
	cancel()
	if err := <-cancelled; !errors.Is(err, context.Canceled) || !db.Transient(err) {
		t.Fatalf("cancelled while another held the file: %v", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Fatalf("reading while another writes: %v", err)
	}
	stored := make(chan error, 1)
	go func() { stored <- patient.Update(context.Background(), number(1)) }()
	run(t, other, "INSERT INTO n (id) VALUES (2)")
	run(t, other, "COMMIT")
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, db); len(got) != 2 {
		t.Fatalf("stored %v", got)
	}
}

func TestReopen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c%20#d.db")
	var last int64
	var first outbox.Identity
	for i := range 3 {
		db, err := Open(t.Context(), path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := db.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = id
		}
		if id.Outbox != first.Outbox || id.System != first.System || id.System == "" {
			t.Fatalf("identity changed from %+v to %+v", first, id)
		}
		if err := db.Update(t.Context(), func(tx *Tx) error { return outbox.Enqueue(t.Context(), tx, event.New("t", "k", 1)) }); err != nil {
			t.Fatal(err)
		}
		rows, err := db.Pending(t.Context(), 0, outbox.Exclusion{}, 10, 1<<20)
		if err != nil || len(rows) != 1 || rows[0].ID <= last {
			t.Fatalf("rows %v after id %d: %v", rows, last, err)
		}
		last = rows[0].ID
		lease, _, err := db.AcquireLease(t.Context(), "relay", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Complete(t.Context(), lease, []int64{last}, nil, false); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		for _, beside := range []string{"-wal", "-shm"} {
			if _, err := os.Stat(path + beside); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("Close left %s: %v", beside, err)
			}
		}
	}
}

// TestCopyIsAnotherSystem: the copy of a file has its UUID but another system.
func TestCopyIsAnotherSystem(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	identity := func(path string) outbox.Identity {
		t.Helper()
		db, err := Open(t.Context(), path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		id, err := db.Identity(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	original := identity(path)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".copy", data, 0o600); err != nil {
		t.Fatal(err)
	}
	copied := identity(path + ".copy")
	if copied.Outbox != original.Outbox || copied.System == original.System {
		t.Fatalf("original %+v, copy %+v", original, copied)
	}
}

func TestSettings(t *testing.T) {
	db := openTest(t, Config{})
	err := db.Update(t.Context(), func(tx *Tx) error {
		for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"} {
			var got string
			if err := tx.QueryRow(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNothingRunsAfterClose(t *testing.T) {
	before := runtime.NumGoroutine()
	path := filepath.Join(t.TempDir(), "test.db")
	for range 3 {
		db, err := Open(t.Context(), path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		_, done := db.Wakeups(ctx)
		exec(t, db, "SELECT 1")
		if err := db.Ping(ctx); err != nil {
			t.Fatal(err)
		}
		cancel()
		<-done
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
