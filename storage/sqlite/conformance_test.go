package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.DB { return storage.Any(open(t, newPath(t))) })
}

func TestTwoHandles(t *testing.T) {
	storagetest.TwoHandles(t, func(t *testing.T) (a, b storage.DB) {
		path := newPath(t)
		second := make(chan *sqlite.DB, 1)
		go func() {
			defer close(second)
			db, err := sqlite.Open(t.Context(), path, sqlite.Config{})
			if err != nil {
				t.Error(err)
				return
			}
			second <- db
		}()
		first := open(t, path)
		db, ok := <-second
		if !ok {
			t.FailNow()
		}
		t.Cleanup(func() { closeDB(t, db) })
		return storage.Any(first), storage.Any(db)
	})
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

func open(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeDB(t, db) })
	return db
}

func closeDB(t testing.TB, db *sqlite.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}
