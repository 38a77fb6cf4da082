package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// rest of the records, where no connection is lost.
func (r *reader) undisturbed(n int) {
	r.t.Helper()
	for end := time.Now().Add(deadline); n > 0 && time.Now().Before(end); {
		records, err := r.Task.Poll(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		n -= len(records)
	}
	if n > 0 {
		r.t.Errorf("%d records are missing", n)
	}
}

// TestSnapshotIsSlow: the connection that exports it is idle for longer than others may be.
func TestSnapshotIsSlow(t *testing.T) {
	s := newSource(t, "max.batch.size", "10", "max.queue.size", "20")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 2000)",
		"ALTER DATABASE "+s.settings["database.dbname"]+" SET idle_in_transaction_session_timeout = '100ms'")
	r := s.open(nil)
	r.Take(10)
	s.exec("SELECT pg_sleep(0.5)") // longer than the server lets others be idle
	r.undisturbed(2000 - 20)
	s.exec("INSERT INTO a VALUES (5000)")
	r.undisturbed(1)
}

// TestServerIsToldInTime, though nobody takes records and the interval is longer than its patience.
func TestServerIsToldInTime(t *testing.T) {
	s := newSource(t, "max.batch.size", "10", "max.queue.size", "20", "status.update.interval.ms", "60000", "snapshot.mode", "no_data")
	s.exec("CREATE TABLE a (id int PRIMARY KEY, filling text)",
		"ALTER DATABASE "+s.settings["database.dbname"]+" SET wal_sender_timeout = '10s'")
	r := s.open(nil)
	r.started()
	s.exec("INSERT INTO a SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i", "SELECT pg_sleep(12)")
	for n := 0; n < 20000; {
		records, err := r.Task.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range records {
			if one.Topic != "" {
				n++
			}
		}
	}
}

func TestStreamParameters(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "slot.stream.params", `binary" 'true', "streaming=off`)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)")
	if _, err := s.open(nil).Poll(); err == nil || errors.Is(err, plugin.ErrRetry) {
		t.Errorf("a parameter that there is none of: %v", err)
	}
}
