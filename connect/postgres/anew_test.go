package postgres_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestSignalIsKept: once the record of a signal is stored, so is what it asked for.
func TestSignalIsKept(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "table.include.list", "public.a", "lsn.flush.mode", "manual")
	s.exec("CREATE TABLE signals (id varchar(60) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))",
		"CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	r.started()
	s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "incremental"}')`)
	one := r.Take(1)[0]
	r.Close()
	if one.Topic != "p.public.signals" || one.At.Offset()["incremental_snapshot_collections"] == nil {
		t.Errorf("%s is at %v", show(one), one.At.Offset())
	}
	r = s.open(one.At.Offset())
	for one = r.Take(1)[0]; one.Topic != "p.public.a"; one = r.Take(1)[0] {
	}
	check(t, []string{show(one)}, []string{"p.public.a r {id:1} - -> {id:1}"})
}

// TestSlotWithoutItsLog is made anew where all is read again.
func TestSlotWithoutItsLog(t *testing.T) {
	server := testenv.StartPostgres(t, "wal_level = logical", "max_slot_wal_keep_size = 1MB", "max_wal_size = 64MB")
	t.Setenv("PABAL_TEST_POSTGRES", server.URL)
	s := newSource(t, "snapshot.mode", "when_needed")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", "CREATE TABLE other (id int)")
	r := s.open(nil)
	offset := r.Take(1)[0].At.Offset()
	r.Close()
	for range 4 {
		s.exec("INSERT INTO other VALUES (1)", "SELECT pg_switch_wal()")
	}
	s.exec("DROP TABLE other", "CHECKPOINT")
	if status := s.text("SELECT wal_status FROM pg_replication_slots"); status != "lost" {
		t.Fatalf("the slot is %s", status)
	}
	r = s.open(offset)
	check(t, shown(r.Take(1)), []string{"p.public.a r {id:1} - -> {id:1}"})
	s.exec("INSERT INTO a VALUES (2)")
	check(t, shown(r.Take(1)), []string{"p.public.a c {id:2} - -> {id:2}"})
}

// TestSnapshotFailsOfItself: a failure that does not pass ends the task, though other threads were
// stopped by it.
func TestSnapshotFailsOfItself(t *testing.T) {
	s := newSource(t, "snapshot.max.threads", "2", "max.batch.size", "50", "max.queue.size", "100",
		"snapshot.select.statement.overrides", "public.b", "snapshot.select.statement.overrides.public.b", "SELECT 1 / 0 AS id")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 5000)", "CREATE TABLE b (id int PRIMARY KEY)")
	r := s.open(nil)
	for {
		_, err := r.Task.Poll(t.Context())
		if err == nil {
			continue
		}
		if errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), "division by zero") {
			t.Errorf("the error is %v", err)
		}
		return
	}
}

// TestInitialOnlyInterrupted begins anew, as no slot has the changes meanwhile.
func TestInitialOnlyInterrupted(t *testing.T) {
	s := newSource(t, "snapshot.mode", "initial_only", "max.batch.size", "5", "max.queue.size", "10")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 1000)")
	r := s.open(nil)
	offset := r.Take(20)[19].At.Offset()
	r.Close()
	s.exec("DELETE FROM a WHERE id = 1")
	r = s.open(offset)
	check(t, shown(r.Take(1)), []string{"p.public.a r {id:2} - -> {id:2}"})
	if last := r.Take(998)[997].At.Offset(); last["snapshot_completed"] != true {
		t.Errorf("it ends at %v", last)
	}
	r.Quiet()
}
