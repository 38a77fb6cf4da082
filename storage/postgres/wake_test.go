package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestRelaysOfOthersAreWoken: by another process's transactions, joined or not.
func TestRelaysOfOthersAreWoken(t *testing.T) {
	where := testenv.Postgres(t)
	writer, relay := open(t, where, postgres.Config{Schema: "app"}), open(t, where, postgres.Config{Schema: "app"})
	ctx, cancel := context.WithCancel(t.Context())
	wake, done := relay.Wakeups(ctx)
	<-wake // after the connect
	updates := ways(t, where, writer)
	joined := connect(t, where)
	updates["told to be quiet"] = func(fn func(*postgres.Tx) error) error {
		defer writer.Notify()
		return pgx.BeginFunc(ctx, joined, func(tx pgx.Tx) error { return fn(writer.Join(tx, postgres.WithoutNotify())) })
	}
	for name, update := range updates {
		if err := update(func(tx *postgres.Tx) error { return tx.InsertOutbox(ctx, []outbox.Message{message("t", "k", 1)}) }); err != nil {
			t.Fatal(err)
		}
		select {
		case <-wake:
		case <-time.After(30 * time.Second):
			t.Errorf("%s: not woken", name)
		}
	}
	cancel()
	<-done
}

func TestCloseEndsWakeups(t *testing.T) {
	db := must[*postgres.DB](t)(postgres.Open(t.Context(), testenv.Postgres(t), postgres.Config{}))
	_, done := db.Wakeups(t.Context())
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Error(err)
	}
	<-done
	_, done = db.Wakeups(t.Context())
	<-done
	if err := db.Update(t.Context(), func(*postgres.Tx) error { return nil }); err == nil {
		t.Error("an update after Close")
	}
}
