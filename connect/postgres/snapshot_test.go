package postgres_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// model is what a consumer makes of records: it complains of what it should not see.
type model struct {
	t    testing.TB
	rows map[string]string
}

func newModel(t testing.TB) *model { return &model{t, map[string]string{}} }

func (m *model) apply(r plugin.SourceRecord) {
	value, ok := r.Value.(*data.Struct)
	if !ok {
		return
	}
	key := r.Topic + plain(r.Key)
	_, there := m.rows[key]
	op := value.Get("op")
	if there != (op == "u" || op == "d") {
		m.t.Fatalf("op %v of %s, which is there: %t", op, key, there)
	}
	if op == "d" {
		delete(m.rows, key)
		return
	}
	m.rows[key] = plain(value.Get("after"))
}

// table of the database in the same form.
func (s *source) rows(topic, query string) map[string]string {
	s.t.Helper()
	rows, err := s.db.Query(s.t.Context(), query)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]string{}
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			s.t.Fatal(err)
		}
		out[fmt.Sprintf("%s{id:%d}", topic, id)] = fmt.Sprintf("{id:%d name:%s}", id, name)
	}
	if rows.Err() != nil {
		s.t.Fatal(rows.Err())
	}
	return out
}

func (s *source) change(random interface{ IntN(int) int }, tables ...string) {
	table, id := tables[random.IntN(len(tables))], random.IntN(2500)
	switch random.IntN(4) {
	case 0:
		s.exec(fmt.Sprintf("INSERT INTO %s VALUES (%d, 'new %d') ON CONFLICT DO NOTHING", table, id, random.IntN(1000)))
	case 1:
		s.exec(fmt.Sprintf("UPDATE %s SET name = 'changed %d' WHERE id = %d", table, random.IntN(1000), id))
	case 2:
		s.exec(fmt.Sprintf("DELETE FROM %s WHERE id = %d", table, id))
	default: // a row moves
		s.exec(fmt.Sprintf("UPDATE %[1]s SET id = %[2]d WHERE id = %[3]d AND NOT EXISTS (SELECT FROM %[1]s WHERE id = %[2]d)", table, random.IntN(2500), id))
	}
}

// TestSnapshotInterrupted stops a snapshot again and again, changes rows meanwhile, and sees that a
// consumer gets each row once and has in the end what the tables have.
func TestSnapshotInterrupted(t *testing.T) {
	for _, threads := range []string{"1", "3"} {
		random := testenv.Rand(t)
		s := newSource(t, "snapshot.max.threads", threads, "max.batch.size", "100", "max.queue.size", "200")
		tables := []string{"a", "b", "c"}
		for _, table := range tables {
			s.exec("CREATE TABLE "+table+" (id int PRIMARY KEY, name text NOT NULL)",
				"INSERT INTO "+table+" SELECT i, 'name ' || i FROM generate_series(1, 2000) i")
		}
		m := newModel(t)
		var offset map[string]any
		for range 7 {
			r := s.open(offset)
			n := 100 + random.IntN(900)
			for _, one := range r.Take(n) {
				m.apply(one)
				offset = one.At.Offset()
			}
			r.Close()
			for range 30 {
				s.change(random, tables...)
			}
		}
		r := s.open(offset)
		for offset["snapshot_progress"] != nil {
			one := r.Take(1)[0]
			m.apply(one)
			offset = one.At.Offset()
		}
		s.exec("INSERT INTO a VALUES (100000, 'end')")
		for _, one := range r.Until("p.public.a", 100000) {
			m.apply(one)
		}
		r.Close()
		want := map[string]string{}
		for _, table := range tables {
			maps.Copy(want, s.rows("p.public."+table, "SELECT id, name FROM "+table))
		}
		compare(t, m.rows, want)
	}
}

func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	var wrong []string
	for key, value := range want {
		if got[key] != value {
			wrong = append(wrong, fmt.Sprintf("%s is %q, want %q", key, got[key], value))
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			wrong = append(wrong, key+" should not be there")
		}
	}
	slices.Sort(wrong)
	if len(wrong) > 0 {
		t.Errorf("%d differences:\n%s", len(wrong), strings.Join(wrong[:min(10, len(wrong))], "\n"))
	}
}

func TestSnapshotWithConcurrentWrites(t *testing.T) {
	random := testenv.Rand(t)
	s := newSource(t, "snapshot.max.threads", "2", "max.batch.size", "50", "max.queue.size", "100")
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL)", "INSERT INTO a SELECT i, 'name ' || i FROM generate_series(1, 2000) i",
		"CREATE TABLE b (id int PRIMARY KEY, name text NOT NULL)", "INSERT INTO b SELECT i, 'name ' || i FROM generate_series(1, 2000) i")
	r := s.open(nil)
	m := newModel(t)
	for range 40 {
		for _, one := range r.Take(100) {
			m.apply(one)
		}
		s.change(random, "a", "b")
	}
	s.exec("INSERT INTO a VALUES (100000, 'end')")
	for _, one := range r.Until("p.public.a", 100000) {
		m.apply(one)
	}
	want := s.rows("p.public.a", "SELECT id, name FROM a")
	maps.Copy(want, s.rows("p.public.b", "SELECT id, name FROM b"))
	compare(t, m.rows, want)
}

func TestSnapshotModes(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	s.set("snapshot.mode", "initial_only")
	r := s.open(nil)
	at := r.Take(1)[0].At.Offset()
	r.Quiet()
	r.Close()
	if at["snapshot_completed"] != true || s.text("SELECT count(*)::text FROM pg_replication_slots WHERE database = current_database()") != "0" {
		t.Errorf("it is at %v, and there is a slot", at)
	}
	s.set("snapshot.mode", "always")
	r = s.open(nil)
	at = r.Take(1)[0].At.Offset()
	r.Close()
	r = s.open(at)
	check(t, shown(r.Take(1)), []string{"p.public.a r {id:1} - -> {id:1}"})
}
