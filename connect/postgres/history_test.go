package postgres_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// refuses says that a task does not go on from an offset, and why.
func (s *source) refuses(offset map[string]any, why string) {
	s.t.Helper()
	r := s.open(offset)
	defer r.Close()
	if _, err := r.Poll(); !errors.Is(err, postgres.ErrLost) || !strings.Contains(err.Error(), why) {
		s.t.Errorf("the error does not say %q: %v", why, err)
	}
}

// TestAnotherServer has a log of its own, whose places say nothing about those of the stored
// position, though they look alike.
func TestAnotherServer(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	offset := r.Take(1)[0].At.Offset()
	r.Close()
	s.exec("INSERT INTO a VALUES (2)")
	system, later := maps.Clone(offset), maps.Clone(offset)
	system["system_identifier"] = "7000000000000000001"
	later["timeline"] = int64(99)
	s.refuses(system, "system identifier")
	s.refuses(later, "timeline")
	s.set("offset.mismatch.strategy", "trust_greater_lsn") // neither is greater in one log
	s.refuses(system, "system identifier")
	s.set("offset.mismatch.strategy", "trust_slot")
	r = s.open(system)
	check(t, shown(r.Take(1)), []string{"p.public.a c {id:2} - -> {id:2}"}) // the slot has it
	r.Close()
	s.set("offset.mismatch.strategy", "trust_offset", "snapshot.mode", "when_needed")
	r = s.open(later)
	again := r.Take(2)
	check(t, shown(again), []string{"p.public.a r {id:1} - -> {id:1}", "p.public.a r {id:2} - -> {id:2}"})
	r.Close()
	s.set("snapshot.mode", "initial")
	s.exec("INSERT INTO a VALUES (3)")
	check(t, shown(s.open(again[1].At.Offset()).Take(1)), []string{"p.public.a c {id:3} - -> {id:3}"})
}

// TestTrustedSlotReadsTheRest: a snapshot that was under way on another server begins anew.
func TestTrustedSlotReadsTheRest(t *testing.T) {
	s := newSource(t, "max.batch.size", "5", "max.queue.size", "10", "offset.mismatch.strategy", "trust_slot")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a SELECT generate_series(1, 100)")
	r := s.open(nil)
	offset := r.Take(30)[29].At.Offset()
	r.Close()
	offset["system_identifier"] = "7000000000000000001"
	check(t, shown(s.open(offset).Take(100)[:1]), []string{"p.public.a r {id:1} - -> {id:1}"})
}

// TestTimeline branches off: what was told before the branch is common, what was told after it
// never happened.
func TestTimeline(t *testing.T) {
	server := testenv.StartPostgres(t)
	t.Setenv("PABAL_TEST_POSTGRES", server.URL)
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	r.Take(1)
	s.exec("INSERT INTO a VALUES (2)")
	offset := r.Take(1)[0].At.Offset()
	r.Close()
	folder := s.text("SHOW data_directory")
	s.exec("ALTER SYSTEM SET restore_command = 'false'")
	_ = s.db.Close(t.Context())
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	signal := filepath.Join(folder, "recovery.signal")
	if err := os.WriteFile(signal, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(signal, 0o666); err != nil { // the server may run as another user
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.db = connectTo(t, s.url)
	testenv.Wait(t, "the end of recovery", deadline, func() bool { return s.text("SELECT pg_is_in_recovery()::text") == "false" })
	s.exec("INSERT INTO a VALUES (3)")
	after := maps.Clone(offset)
	after["transaction_end"] = int64(1) << 40 // told where the new history does not have it
	s.refuses(after, "timeline")
	r = s.open(offset)
	got := r.Take(1)[0]
	check(t, []string{show(got)}, []string{"p.public.a c {id:3} - -> {id:3}"})
	if timeline := got.At.Offset()["timeline"]; timeline != int64(2) {
		t.Errorf("the timeline is %v", timeline)
	}
	r.Close()
	quiet := maps.Clone(offset) // nothing was told after the branch, but the log read beyond it
	quiet["lsn_flush"] = int64(1) << 40
	check(t, shown(s.open(quiet).Take(1)), []string{"p.public.a c {id:3} - -> {id:3}"})
}
