//go:build linux || darwin

package sqlite

import (
	"context"
	"os"
	osexec "os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

const fullDiskChild = "PABAL_SQLITE_TEST_FULL_DISK"

// TestFullDisk limits the size of files, in a process of its own, so that
// writing the log fails as it does on a full disk: at the commit.
func TestFullDisk(t *testing.T) {
	if path := os.Getenv(fullDiskChild); path != "" {
		fillDisk(t, path)
		return
	}
	child := osexec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullDisk$", "-test.v")
	child.Env = append(os.Environ(), fullDiskChild+"="+filepath.Join(t.TempDir(), "test.db"))
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fillDisk(t *testing.T, path string) {
	signal.Ignore(syscall.SIGXFSZ)
	db, err := Open(t.Context(), path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(t.Context(), func(tx *Tx) error {
		_, err := tx.Exec(t.Context(), createNumbers)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	setLimit := func(n uint64) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: limit.Max}); err != nil {
			t.Fatal(err)
		}
	}
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	setLimit(uint64(log.Size()) + 6000)
	stored, failed := 0, 0
	var appended int64
	for id := range 20 {
		switch err := db.Update(ctx, number(id)); {
		case err == nil:
			stored++
		case db.Transient(err):
			failed++
		default:
			t.Fatalf("on a full disk: %v, want a transient error", err)
		}
		switch results, err := db.AppendGroup(ctx, []journal.Write{oneEvent("full|1", appended)}); {
		case err == nil && results[0].Err == nil:
			appended++
		case err == nil || !db.Transient(err):
			t.Fatalf("on a full disk: %v, %v, want a transient error", results, err)
		}
	}
	t.Logf("%d stored, %d appended, %d failed", stored, appended, failed)
	if failed == 0 {
		t.Fatal("the disk was never full")
	}
	setLimit(limit.Cur)
	if got := numbers(t, db); len(got) != stored {
		t.Fatalf("%d acknowledged, stored %v", stored, got)
	}
	if err := db.Update(ctx, number(1000)); err != nil {
		t.Fatalf("with room again: %v", err)
	}
	results, err := db.AppendGroup(ctx, []journal.Write{oneEvent("full|1", appended)})
	if err != nil || results[0].Err != nil {
		t.Fatalf("with room again: %v, %v", results, err)
	}
	page, err := db.Page(ctx, journal.Query{Slices: journal.AllSlices()})
	if err != nil || int64(len(page.Events)) != appended+1 {
		t.Fatalf("%d events were acknowledged, %d are there, %v", appended+1, len(page.Events), err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func oneEvent(id string, after int64) journal.Write {
	return journal.Write{PersistenceID: id, After: after, Events: []journal.NewEvent{{Payload: journal.Payload{Serializer: 20, Data: []byte("x")}}}}
}
