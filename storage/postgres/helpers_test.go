package postgres_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

func open(t testing.TB, url string, config postgres.Config) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), url, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func openNew(t testing.TB) *postgres.DB {
	t.Helper()
	return open(t, testenv.Postgres(t), postgres.Config{})
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func message(topic, key string, n int) outbox.Message {
	return outbox.Message{Topic: topic, Event: event.New(topic, key, n)}
}

func enqueue(t testing.TB, db *postgres.DB, messages ...outbox.Message) {
	t.Helper()
	err := db.Update(t.Context(), func(tx *postgres.Tx) error { return tx.InsertOutbox(t.Context(), messages) })
	if err != nil {
		t.Fatal(err)
	}
}

func pending(t testing.TB, db *postgres.DB) []outbox.Row {
	t.Helper()
	rows, err := db.Pending(t.Context(), 0, outbox.Exclusion{}, 1_000_000, 1<<40)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(what+": ", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// connectTo connects to another database of the server.
func connectTo(t testing.TB, where, database string) *pgx.Conn {
	t.Helper()
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + database
	return connect(t, u.String())
}
