package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/storage/postgres"
)

// TestSearchEndsByItself: one that the server does not get done is given up
// there too, and its connection is as good as before.
func TestSearchEndsByItself(t *testing.T) {
	t.Parallel()
	db := open(t, testenv.Postgres(t), postgres.Config{MaxConns: 2})
	lock, err := db.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback(context.Background())
	if _, err := lock.Exec(t.Context(), "LOCK TABLE pabal_outbox"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = db.Rows(t.Context(), outbox.RowQuery{})
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took < outbox.InspectTimeout || took > time.Minute {
		t.Errorf("after %s: %v", took, err)
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Rows(t.Context(), outbox.RowQuery{}); err != nil {
		t.Errorf("after the lock: %v", err)
	}
	var timeout string
	if err := db.Pool().QueryRow(t.Context(), "SHOW statement_timeout").Scan(&timeout); err != nil || timeout != "0" {
		t.Errorf("the connection's timeout is %s, %v", timeout, err)
	}
}
