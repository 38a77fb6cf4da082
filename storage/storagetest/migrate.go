package storagetest

import (
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/pabal-dev/pabal/storage"
)

// folder is made of names and contents in turn.
func folder(namesAndTexts ...string) fs.FS {
	files := fstest.MapFS{}
	for i := 0; i < len(namesAndTexts); i += 2 {
		files[namesAndTexts[i]] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1])}
	}
	return files
}

const (
	first  = "CREATE TABLE a (id BIGINT PRIMARY KEY);\nINSERT INTO a VALUES (1);\n-- done; really\n"
	second = "ALTER TABLE a ADD COLUMN s TEXT; INSERT INTO a VALUES (2, 'x;y');"
	tenth  = "INSERT INTO a VALUES (3, 'z')"
)

func (c sqlCase) migrate(t *testing.T) {
	ctx := t.Context()
	must(t, c.db.Migrate(ctx, "shop", folder("0001_a.sql", first)))
	for range 2 {
		must(t, c.db.Migrate(ctx, "shop", folder("10_more.sql", tenth, "0002_column.sql", second, "0001_a.sql", first, "README.md", "no SQL")))
	}
	equal(t, "rows", c.count(t, "a"), 3)
	// The same file name under another name is another file.
	must(t, c.db.Migrate(ctx, "other", folder("0001_a.sql", "CREATE TABLE other (id BIGINT PRIMARY KEY)")))
	equal(t, "rows", c.count(t, "other"), 0)
}

func (c sqlCase) migrateChanged(t *testing.T) {
	must(t, c.db.Migrate(t.Context(), "shop", folder("0001_a.sql", first)))
	err := c.db.Migrate(t.Context(), "shop", folder("0001_a.sql", first+" ", "0002_b.sql", "CREATE TABLE b (id BIGINT)"))
	if err == nil || !strings.Contains(err.Error(), "0001_a.sql") {
		t.Fatalf("a changed file: %v, want an error that names it", err)
	}
	if err := c.db.View(t.Context(), func(q storage.Querier) error {
		_, err := q.Exec(t.Context(), "SELECT * FROM b")
		return err
	}); err == nil {
		t.Fatal("files after the changed one were applied")
	}
}

func (c sqlCase) migrateBroken(t *testing.T) {
	broken := "CREATE TABLE b (id BIGINT);\nCREATE TABEL c (id BIGINT);"
	err := c.db.Migrate(t.Context(), "shop", folder("0001_a.sql", first, "0002_b.sql", broken))
	if err == nil || !strings.Contains(err.Error(), "0002_b.sql") {
		t.Fatalf("broken SQL: %v, want an error that names the file", err)
	}
	equal(t, "rows of the file before", c.count(t, "a"), 1)
	// Nothing of the broken one is left: mended, it applies.
	must(t, c.db.Migrate(t.Context(), "shop", folder("0001_a.sql", first, "0002_b.sql", strings.ReplaceAll(broken, "TABEL", "TABLE"))))
	equal(t, "rows", c.count(t, "b"), 0)
}

func (c sqlCase) migrateOdd(t *testing.T) {
	for what, files := range map[string]fs.FS{
		"without a number": folder("orders.sql", first),
		"one number twice": folder("0001_a.sql", first, "1_b.sql", second),
	} {
		if err := c.db.Migrate(t.Context(), "shop", files); err == nil || !strings.Contains(err.Error(), ".sql") {
			t.Fatalf("%s: %v, want an error that names a file", what, err)
		}
	}
}

func (c sqlCase) migrateRace(t *testing.T) { migrateAtOnce(t, c.db, c.db, c.db) }

// migrateAtOnce: each file is applied once, whoever comes first.
func migrateAtOnce(t *testing.T, handles ...storage.DB) {
	t.Helper()
	var all sync.WaitGroup
	for _, db := range handles {
		all.Go(func() {
			if err := db.Migrate(t.Context(), "shop", folder("0001_a.sql", first, "0002_column.sql", second)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "rows", sqlCase{handles[0]}.count(t, "a"), 2)
}
