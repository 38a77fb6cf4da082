package open_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage"
	"github.com/pabal-dev/pabal/storage/open"
)

func TestOpensBoth(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.db")
	urls := map[string]string{"sqlite": "sqlite:" + file, "sqlite as URL": "sqlite://" + file}
	t.Run("postgres", func(t *testing.T) { use(t, testenv.Postgres(t), open.Config{Schema: "orders"}) })
	t.Run("postgresql", func(t *testing.T) {
		use(t, "postgresql"+strings.TrimPrefix(testenv.Postgres(t), "postgres"), open.Config{})
	})
	for name, url := range urls {
		t.Run(name, func(t *testing.T) { use(t, url, open.Config{}) })
	}
}

func use(t *testing.T, url string, config open.Config) {
	ctx := t.Context()
	db, err := open.DB(ctx, url, config)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	before, err := db.Backlog(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(ctx, func(tx storage.Tx) error { return outbox.Enqueue(ctx, tx, event.New("t", "k", 1)) })
	if err != nil {
		t.Fatal(err)
	}
	if after, err := db.Backlog(ctx); err != nil || after.Started != before.Started+1 {
		t.Errorf("started rows: %d before, %d after, error %v", before.Started, after.Started, err)
	}
}

func TestRefusesOtherForms(t *testing.T) {
	for url, want := range map[string]string{
		"":                       "no scheme",
		"/tmp/a.db":              "no scheme",
		"mysql://u:secret@h/db":  `"mysql:"`,
		"sqlite:":                "names no file",
		"sqlite://a.db":          "names a host",
		"postgres://u:secret@%/": "cannot be read",
	} {
		_, err := open.DB(t.Context(), url, open.Config{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line with %q", url, err, want)
		}
		if err != nil && !strings.Contains(err.Error(), "postgres://") {
			t.Errorf("%q: %v does not say what is accepted", url, err)
		}
	}
}
