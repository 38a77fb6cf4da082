package postgres_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func (s *source) confirmed() string {
	return s.text("SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1", s.settings["slot.name"])
}

// commit what was polled last, as the runtime does.
func (r *reader) commit() {
	r.t.Helper()
	if err := r.Task.Committed(r.t.Context(), r.At); err != nil {
		r.t.Fatal(err)
	}
}

// dropSlot waits until the server has noticed that nobody reads it any more.
func (s *source) dropSlot() {
	testenv.Wait(s.t, "nobody reads the slot", deadline, func() bool {
		return s.text("SELECT active::text FROM pg_replication_slots WHERE slot_name = $1", s.settings["slot.name"]) == "false"
	})
	s.exec("SELECT pg_drop_replication_slot('" + s.settings["slot.name"] + "')")
}

func TestSlotIsLost(t *testing.T) {
	for _, again := range []bool{false, true} {
		s := newSource(t)
		s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
		r := s.open(nil)
		offset := r.Take(1)[0].At.Offset()
		r.Close()
		s.dropSlot()
		s.exec("INSERT INTO a VALUES (2)")
		if again {
			s.exec("SELECT pg_create_logical_replication_slot('" + s.settings["slot.name"] + "', 'pgoutput')")
		}
		r = s.open(offset)
		if _, err := r.Poll(); !errors.Is(err, postgres.ErrLost) || !strings.Contains(err.Error(), s.settings["slot.name"]) {
			t.Errorf("made again: %t: %v", again, err)
		}
		r.Close()
		s.set("snapshot.mode", "when_needed")
		r = s.open(offset)
		check(t, shown(r.Take(2)), []string{"p.public.a r {id:1} - -> {id:1}", "p.public.a r {id:2} - -> {id:2}"})
		s.exec("INSERT INTO a VALUES (3)")
		check(t, shown(r.Take(1)), []string{"p.public.a c {id:3} - -> {id:3}"})
		r.Close()
	}
}

func TestSlotOfAnother(t *testing.T) {
	s := newSource(t, "slot.max.retries", "2")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)")
	first := s.open(nil)
	first.started()
	second := s.open(nil)
	if _, err := second.Poll(); err == nil || !strings.Contains(err.Error(), "slot.name") {
		t.Errorf("the error is %v", err)
	}
	physical := "physical_" + s.settings["slot.name"]
	s.exec("SELECT pg_create_physical_replication_slot('" + physical + "')")
	t.Cleanup(func() { connectAnd(t, s.url, "SELECT pg_drop_replication_slot('"+physical+"')") })
	s.set("slot.name", physical)
	third := s.open(nil)
	if _, err := third.Poll(); !errors.Is(err, postgres.ErrSetup) {
		t.Errorf("the error is %v", err)
	}
}

// TestQuietTable sees that the log of other tables is let go, though no record is made of it.
func TestQuietTable(t *testing.T) {
	s := newSource(t, "table.include.list", "public.a", "publication.autocreate.mode", "filtered")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE busy (id int)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	r.Take(1)
	r.commit()
	s.exec("INSERT INTO busy SELECT generate_series(1, 10000)")
	wanted := s.text("SELECT pg_current_wal_lsn()::text")
	for end := time.Now().Add(deadline); s.text("SELECT ('"+wanted+"'::pg_lsn <= '"+s.confirmed()+"'::pg_lsn)::text") != "true"; {
		if time.Now().After(end) {
			t.Fatalf("the slot is at %s, before %s", s.confirmed(), wanted)
		}
		records, err := r.Task.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(records); n > 0 {
			r.At = records[n-1].At
			r.commit()
		}
	}
	offset := r.At.Offset()
	r.Close()
	s.exec("INSERT INTO a VALUES (2)")
	check(t, shown(s.open(offset).Take(1)), []string{"p.public.a c {id:2} - -> {id:2}"})
}

// TestNothingIsLetGoUnstored: without positions of their own, only those of records move the slot.
func TestNothingIsLetGoUnstored(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.openWith(nil, plugin.SourceContext{})
	r.Take(1)
	before := s.confirmed()
	s.exec("INSERT INTO a VALUES (2)")
	r.Take(1)
	r.Quiet()
	if after := s.confirmed(); after != before {
		t.Errorf("the slot went from %s to %s, and nothing was committed", before, after)
	}
	r.commit()
	for end := time.Now().Add(deadline); s.confirmed() == before; {
		if time.Now().After(end) {
			t.Fatal("the slot stays though all is committed")
		}
		r.Quiet()
	}
}

func TestReconnect(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	r.Take(1)
	for i := 2; i < 6; i++ {
		s.exec("INSERT INTO a SELECT " + string(rune('0'+i)))
		r.Take(1)
		r.started()
		s.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	}
	s.exec("INSERT INTO a VALUES (9)")
	check(t, shown(r.Take(1)), []string{"p.public.a c {id:9} - -> {id:9}"})
}

func TestCheck(t *testing.T) {
	s := newSource(t)
	connector := postgres.Connector{}
	problems := func(settings ...string) []string {
		given := map[string]string{}
		for k, v := range s.settings {
			given[k] = v
		}
		for i := 0; i+1 < len(settings); i += 2 {
			given[settings[i]] = settings[i+1]
		}
		v, wrong := connector.Info().Config.Parse(given)
		var keys []string
		for _, p := range append(append([]config.Problem{}, wrong...), connector.Check(t.Context(), v, wrong)...) {
			keys = append(keys, p.Key)
		}
		return keys
	}
	s.exec("CREATE ROLE plain_"+s.settings["slot.name"]+" LOGIN PASSWORD 'x'", "GRANT CONNECT ON DATABASE "+s.settings["database.dbname"]+" TO plain_"+s.settings["slot.name"])
	t.Cleanup(func() {
		connectAnd(t, s.url, "DROP OWNED BY plain_"+s.settings["slot.name"], "DROP ROLE plain_"+s.settings["slot.name"])
	})
	for _, c := range []struct {
		key      string
		settings []string
	}{
		{"", nil},
		{"database.password", []string{"database.password", "wrong"}},
		{"database.dbname", []string{"database.dbname", "not_there"}},
		{"database.hostname", []string{"database.port", "1"}},
		{"database.user", []string{"database.user", "plain_" + s.settings["slot.name"], "database.password", "x"}},
		{"slot.name", []string{"slot.name", "Not-Valid"}},
		{"plugin.name", []string{"plugin.name", "decoderbufs"}},
		{"table.exclude.list", []string{"table.include.list", "a", "table.exclude.list", "b"}},
		{"replica.identity.autoset.values", []string{"replica.identity.autoset.values", "nonsense"}},
		{"snapshot.mode", []string{"snapshot.mode", "custom"}},
	} {
		if got := strings.Join(problems(c.settings...), " "); got != c.key {
			t.Errorf("%v: problems with %q, want %q", c.settings, got, c.key)
		}
	}
}
