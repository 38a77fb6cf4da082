package postgres_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
)

const signalsTable = "CREATE TABLE signals (id varchar(60) PRIMARY KEY, type varchar(32) NOT NULL, data varchar(2048))"

func TestBlockingSnapshot(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "lsn.flush.mode", "manual")
	s.exec(signalsTable, "CREATE TABLE a (id int PRIMARY KEY, name text)", "CREATE TABLE b (id int PRIMARY KEY, name text)", "CREATE TABLE c (id int PRIMARY KEY)",
		"INSERT INTO a VALUES (1, 'x'), (2, 'y'), (3, 'z')", "INSERT INTO b VALUES (1, 'x'), (2, 'left out')", "INSERT INTO c VALUES (1)")
	r := s.open(nil)
	r.started()
	s.exec("BEGIN", `INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.[ab]"], "type": "blocking",
		"additional-conditions": [{"data-collection": "public.b", "filter": "SELECT * FROM public.b WHERE id = 1"}]}')`,
		"INSERT INTO a VALUES (4, 'same transaction')", "COMMIT")
	got := r.Take(7)
	for i, want := range []string{
		"false p.public.signals c {id:1}", "false p.public.a c {id:4}", "first p.public.a r {id:1}", "true p.public.a r {id:2}",
		"true p.public.a r {id:3}", "last_in_data_collection p.public.a r {id:4}", "last p.public.b r {id:1}",
	} {
		snapshot := plain(field(got[i], "source", "snapshot"))
		if snapshot == "-" {
			snapshot = "false"
		}
		if is := fmt.Sprint(snapshot, " ", got[i].Topic, " ", field(got[i], "op"), " ", plain(got[i].Key)); is != want {
			t.Errorf("record %d is %s, want %s", i, is, want)
		}
	}
	if offset := got[4].At.Offset(); offset["snapshot"] != "BLOCKING" || offset["snapshot_completed"] != false || offset["blocking_snapshots"] == nil {
		t.Errorf("the offset within is %v", offset)
	}
	if offset := got[6].At.Offset(); offset["snapshot_completed"] != true || offset["blocking_snapshots"] != nil {
		t.Errorf("the offset at the end is %v", offset)
	}
	r.Close()
	for i := range 6 { // a restart repeats and leaves out nothing
		r = s.open(got[i].At.Offset())
		check(t, shown(r.Take(6-i)), shown(got[i+1:]))
		r.Close()
	}
	r = s.open(got[6].At.Offset())
	s.exec("INSERT INTO a VALUES (5, 'goes on')")
	check(t, shown(r.Take(1)), []string{"p.public.a c {id:5} - -> {id:5 name:goes on}"})
	// One that cannot be read is given up; of tables without rows there is nothing to see.
	s.exec(`INSERT INTO signals VALUES ('2', 'execute-snapshot', '{"data-collections": ["public.a"], "type": "blocking",
		"additional-conditions": [{"data-collection": "public.a", "filter": "name = 1"}]}')`,
		`INSERT INTO signals VALUES ('3', 'execute-snapshot', '{"data-collections": ["public.none"], "type": "blocking"}')`, "INSERT INTO a VALUES (6, 'goes on')")
	check(t, shown(r.Take(3)[2:]), []string{"p.public.a c {id:6} - -> {id:6 name:goes on}"})
	for r.At.Offset()["blocking_snapshots"] != nil {
		r.Glance(100 * time.Millisecond)
	}
	if len(r.Pending) > 0 {
		t.Errorf("records came: %v", shown(r.Pending))
	}
}

// TestBlockingSnapshotInterrupted stops such a snapshot again and again, and ends its connections,
// changes rows meanwhile, and sees that each row is read once, and that a consumer has in the end what the tables have.
func TestBlockingSnapshotInterrupted(t *testing.T) {
	random := testenv.Rand(t)
	s := newSource(t, "snapshot.mode", "no_data", "signal.data.collection", "public.signals", "lsn.flush.mode", "manual",
		"snapshot.max.threads", "2", "max.batch.size", "50", "max.queue.size", "100")
	s.exec(signalsTable)
	for _, table := range []string{"a", "b"} {
		s.exec("CREATE TABLE "+table+" (id int PRIMARY KEY, name text NOT NULL)", "INSERT INTO "+table+" SELECT i, 'name ' || i FROM generate_series(1, 2000) i")
	}
	r := s.open(nil)
	r.started()
	s.exec(`INSERT INTO signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.a", "public.b"], "type": "blocking"}')`)
	rows, reads := map[string]string{}, map[string]int{}
	apply := func(one plugin.SourceRecord) {
		if one.Topic == "p.public.signals" || one.Value == nil {
			return
		}
		switch key := one.Topic + plain(one.Key); field(one, "op") {
		case "d":
			delete(rows, key)
			delete(reads, key) // the row may come again
		case "r":
			if reads[key]++; reads[key] > 1 {
				t.Fatalf("%s is read twice", key)
			}
			fallthrough
		default:
			rows[key] = plain(field(one, "after"))
		}
	}
	var offset map[string]any
	for n := range 6 {
		for _, one := range r.Take(50 + random.IntN(600)) {
			apply(one)
			offset = one.At.Offset()
		}
		for range 20 {
			s.change(random, "a", "b")
		}
		if n%2 == 0 { // the task itself goes on, from what it returned last
			s.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			continue
		}
		r.Close()
		for range 10 {
			s.change(random, "a", "b")
		}
		r = s.open(offset)
	}
	s.exec("INSERT INTO a VALUES (100000, 'end')")
	for ended := false; !ended || offset["blocking_snapshots"] != nil; {
		one := r.Take(1)[0]
		apply(one)
		offset = one.At.Offset()
		ended = ended || plain(one.Key) == "{id:100000}"
	}
	r.Close()
	want := s.rows("p.public.a", "SELECT id, name FROM a")
	maps.Copy(want, s.rows("p.public.b", "SELECT id, name FROM b"))
	compare(t, rows, want)
}
