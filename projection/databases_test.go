package projection_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/postgres"
	"github.com/pabal-dev/pabal/storage/sqlite"
)

func TestOnSQLite(t *testing.T) {
	db := openSQLite(t)
	conformance(t, func(t *testing.T) backend[storage.Tx] { return onDatabase(t, db) })
}

func TestOnPostgres(t *testing.T) {
	db := openPostgres(t)
	conformance(t, func(t *testing.T) backend[storage.Tx] { return onDatabase(t, db) })
}

// everywhere runs a test on both databases.
func everywhere(t *testing.T, test func(t *testing.T, db storage.DB)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openSQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, openPostgres(t)) })
}

func openSQLite(t testing.TB) storage.DB {
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "view.db"), sqlite.Config{Logger: testLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return withView(t, storage.Any(db))
}

func openPostgres(t testing.TB) storage.DB {
	db, err := postgres.Open(t.Context(), testenv.Postgres(t), postgres.Config{Logger: testLogger()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return withView(t, storage.Any(db))
}

// withView makes the view's table.
func withView(t testing.TB, db storage.DB) storage.DB {
	err := db.Migrate(t.Context(), "view", fstest.MapFS{"0001_view.sql": {Data: []byte(`
		CREATE TABLE letters (id TEXT PRIMARY KEY, text TEXT NOT NULL, n BIGINT NOT NULL)`)}})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// addText is what the tests' handlers do.
func addText(ctx context.Context, tx storage.Tx, table, id, text string) error {
	_, err := tx.Exec(ctx, "INSERT INTO "+table+" (id, text, n) VALUES ($1, $2, 1) ON CONFLICT (id) DO UPDATE SET text = "+table+".text || '|' || excluded.text, n = "+table+".n + 1", id, text)
	return err
}

func readText(t testing.TB, db storage.DB, id string) (text string) {
	t.Helper()
	err := db.View(context.Background(), func(q storage.Querier) error {
		return q.QueryRow(context.Background(), "SELECT text FROM letters WHERE id = $1", id).Scan(&text)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		t.Error(err)
	}
	return text
}

// onDatabase is a backend whose view is apart from those of other cases.
func onDatabase(t *testing.T, db storage.DB) backend[storage.Tx] {
	prefix := event.NewID() + "/"
	return backend[storage.Tx]{
		store: db,
		concat: func(ctx context.Context, tx storage.Tx, id, text string) error {
			return addText(ctx, tx, "letters", prefix+id, text)
		},
		text: func(id string) string { return readText(t, db, prefix+id) },
		letters: func() (all []outbox.Message) {
			rows, err := db.Pending(context.Background(), 0, outbox.Exclusion{}, 100, 1<<20)
			if err != nil {
				t.Error(err)
			}
			for _, r := range rows {
				all = append(all, r.Message)
			}
			return all
		},
	}
}
