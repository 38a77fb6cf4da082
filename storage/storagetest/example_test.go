package storagetest_test

import (
	"path/filepath"
	"testing"

	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/sqlite"
	"github.com/pabal-dev/pabal/storage/storagetest"
)

// A backend's own test runs the whole suite.
func ExampleRun() {
	_ = func(t *testing.T) {
		storagetest.Run(t, func(t *testing.T) storage.DB {
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Config{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			return storage.Any(db)
		})
	}
}
