package postgres_test

import (
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
)

// TestOnPostgres18 runs what depends on the server's version most on PostgreSQL 18: its types, the
// stream, slots and publications, snapshots.
func TestOnPostgres18(t *testing.T) {
	server := testenv.StartPostgres18(t)
	const some = "^(TestTypes|TestModesOfTypes|TestDefaultsInSchemas|TestUnchangedTOAST|TestTruncate|TestAlteredWhileStreaming|" +
		"TestPartitions|TestMessages|TestIdentities|TestRowsOfOneLSN|TestInterleavedTransactions|TestSlotIsLost|TestInspect|" +
		"TestPublicationIsGone|TestTableIsUnpublished|TestSnapshotThenStream|TestSnapshotInterrupted|TestIncrementalSnapshot|" +
		"TestTransactionsAreSeen)$"
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run", some, "-test.v")
	cmd.Env = append(os.Environ(), testservers.EnvPostgres+"="+server.URL)
	out, err := cmd.CombinedOutput()
	if passed := strings.Count(string(out), "\n--- PASS: "); err != nil || passed != strings.Count(some, "Test") {
		t.Errorf("%d passed, %v:\n%s", passed, err, out)
	}
}

// TestFailover: a standby takes over with the slot, and the connector goes on there at the row where
// it was. Before that the standby is no place to go on at, nor a reason to stop for good.
func TestFailover(t *testing.T) {
	primary := testenv.StartPostgres18(t)
	t.Setenv(testservers.EnvPostgres, primary.URL)
	s := newSource(t, "slot.failover", "true", "publication.autocreate.mode", "filtered", "table.include.list", "public.a")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)",
		"SELECT pg_create_physical_replication_slot('standby')")
	_ = s.db.Close(t.Context())
	standby := testenv.StartStandby18(t, primary, "dbname="+s.settings["database.dbname"],
		"primary_slot_name = 'standby'", "hot_standby_feedback = on", "sync_replication_slots = on",
		"wal_retrieve_retry_interval = 100ms")
	s.db = connectTo(t, s.url)
	// The connector gets what the standby has, and nothing else.
	s.exec("ALTER SYSTEM SET synchronized_standby_slots = 'standby'", "SELECT pg_reload_conf()")
	r := s.open(nil)
	r.Take(1)
	next := synced(t, r, databaseOf(t, standby.URL, s.settings["database.dbname"]))

	s.exec("INSERT INTO a SELECT generate_series(" + strconv.Itoa(next) + ", " + strconv.Itoa(next+9) + ")")
	offset := r.Take(4)[3].At.Offset() // the others are read again
	await(t, "the standby to have them", databaseOf(t, standby.URL, s.settings["database.dbname"]),
		"SELECT (max(id) = "+strconv.Itoa(next+9)+")::text FROM a")
	r.Close()
	if err := primary.Kill(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the database of the test is dropped there
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := primary.Restart(ctx); err != nil {
			t.Error(err)
		}
	})

	_, s.settings["database.port"], _ = strings.Cut(standby.Addr, ":")
	s.url = strings.Replace(s.url, primary.Addr, standby.Addr, 1)
	s.db = connectTo(t, s.url)
	r = s.open(offset)
	var err error
	for end := time.Now().Add(deadline); err == nil && time.Now().Before(end); {
		_, err = r.Task.Poll(t.Context())
	}
	if !isRetry(err) {
		t.Errorf("a standby that takes over in a moment: %v", err)
	}
	s.exec("SELECT pg_promote()", "INSERT INTO a VALUES (100000)")
	var want []string
	for id := next + 4; id < next+10; id++ {
		want = append(want, "p.public.a c {id:"+strconv.Itoa(id)+"} - -> {id:"+strconv.Itoa(id)+"}")
	}
	check(t, shown(r.Take(7)), append(want, "p.public.a c {id:100000} - -> {id:100000}"))
	r.Quiet()
}

// synced makes changes until the standby has a slot to take over with, which needs the primary's to
// move on; it returns the next id.
func synced(t *testing.T, r *reader, standby *pgx.Conn) (next int) {
	t.Helper()
	next = 2
	for end := time.Now().Add(deadline); time.Now().Before(end); next++ {
		r.exec("INSERT INTO a VALUES (" + strconv.Itoa(next) + ")")
		r.Take(1)
		r.commit()
		var done bool
		if err := standby.QueryRow(t.Context(), "SELECT count(*) = 1 FROM pg_replication_slots WHERE slot_name = $1 AND synced AND NOT temporary AND invalidation_reason IS NULL",
			r.settings["slot.name"]).Scan(&done); err != nil {
			t.Fatal(err)
		}
		if done {
			return next + 1
		}
		r.exec("SELECT pg_log_standby_snapshot(), pg_sleep(0.1)")
	}
	t.Fatal("the standby has no slot")
	return 0
}

func await(t *testing.T, what string, db *pgx.Conn, query string) {
	t.Helper()
	testenv.Wait(t, what, deadline, func() bool {
		var got *string
		if err := db.QueryRow(t.Context(), query).Scan(&got); err != nil {
			t.Fatal(err)
		}
		return got != nil && *got == "true"
	})
}

// databaseOf a server that has it from its primary.
func databaseOf(t *testing.T, server, name string) *pgx.Conn {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return connectTo(t, u.String())
}

func isRetry(err error) bool { return errors.Is(err, plugin.ErrRetry) }
