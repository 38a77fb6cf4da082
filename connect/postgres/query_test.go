package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// TestHeartbeatQueryGoesOn after its connection was lost.
func TestHeartbeatQueryGoesOn(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "heartbeat.interval.ms", "20", "heartbeat.action.query", "INSERT INTO beats VALUES (1)")
	s.exec("CREATE TABLE beats (n int)")
	r := s.open(nil)
	beats := func() {
		t.Helper()
		for end := time.Now().Add(deadline); s.text("SELECT count(*)::text FROM beats") == "0"; {
			if time.Now().After(end) {
				t.Fatal("the query is not made")
			}
			if _, err := r.Task.Poll(t.Context()); err != nil && !errors.Is(err, plugin.ErrRetry) {
				t.Fatal(err)
			}
		}
	}
	beats()
	s.exec("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()", "TRUNCATE beats")
	beats()
}

// TestHeartbeatQueryIsSlow does not stop the stream for longer than is wanted.
func TestHeartbeatQueryIsSlow(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "heartbeat.interval.ms", "20", "heartbeat.action.query", "SELECT pg_sleep(60)", "database.query.timeout.ms", "100")
	r := s.open(nil)
	for end := time.Now().Add(deadline); ; {
		_, err := r.Task.Poll(t.Context())
		if errors.Is(err, plugin.ErrRetry) && errors.Is(err, context.DeadlineExceeded) {
			return
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("the query goes on: %v", err)
		}
	}
}

// TestPartsOfTablesHaveNoKeys: an index that is unique for some rows, or of an expression, is no key.
func TestPartsOfTablesHaveNoKeys(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int NOT NULL)", "CREATE UNIQUE INDEX ON a (id) WHERE id > 5", "CREATE TABLE b (id int NOT NULL)",
		"CREATE UNIQUE INDEX ON b (id, (id + 1))", "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)")
	check(t, shown(s.open(nil).Take(2)), []string{"p.public.a r - - -> {id:1}", "p.public.b r - - -> {id:1}"})
}

func TestOffsetCannotBeRead(t *testing.T) {
	s := newSource(t)
	r := s.open(map[string]any{"lsn": "nonsense"})
	if _, err := r.Task.Poll(t.Context()); err == nil || errors.Is(err, plugin.ErrRetry) {
		t.Errorf("the error is %v", err)
	}
}
