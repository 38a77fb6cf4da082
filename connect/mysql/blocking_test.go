package mysql_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

func (s *source) signal(id, tables, more string) string {
	return fmt.Sprintf(`INSERT INTO signals VALUES ('%s', 'execute-snapshot', '{"data-collections": ["%s.%s"], "type": "blocking"%s}')`, id, s.name, tables, more)
}

func TestBlockingSnapshot(t *testing.T) {
	s := newSource(t)
	signalling(s, "notification.enabled.channels", "")
	s.exec("CREATE TABLE a (id INT PRIMARY KEY, v INT)", "CREATE TABLE b (id INT PRIMARY KEY, v INT)", "INSERT INTO a VALUES (1, 1), (2, 2), (3, 3)", "INSERT INTO b VALUES (1, 1), (2, 2)")
	r := s.open(nil)
	r.started()
	filter := func(table, text string) string {
		return fmt.Sprintf(`, "additional-conditions": [{"data-collection": "%s.%s", "filter": "%s"}]`, s.name, table, text)
	}
	s.exec("BEGIN", s.signal("1", "[ab]", filter("b", "SELECT * FROM "+s.name+".b WHERE id = 1")), "INSERT INTO a VALUES (4, 4)", "COMMIT")
	got := r.Take(7)
	for i, want := range []string{
		"false signals c {id:1}", "false a c {id:4}", "first a r {id:1}", "true a r {id:2}", "true a r {id:3}", "last_in_data_collection a r {id:4}", "last b r {id:1}",
	} {
		is := fmt.Sprint(plain(field(got[i], "source", "snapshot")), " ", strings.TrimPrefix(got[i].Topic, "p."+s.name+"."), " ", field(got[i], "op"), " ", plain(got[i].Key))
		if is != want {
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
	// One that cannot be read is given up; of tables without rows there is nothing to see.
	s.exec(s.signal("2", "a", filter("a", "no statement")), s.signal("3", "none", ""), "INSERT INTO a VALUES (5, 5)")
	check(t, shown(r.Take(3)[2:]), []string{"p." + s.name + ".a c {id:5} - -> {id:5 v:5}"})
	for end := time.Now().Add(deadline); r.At.Offset()["blocking_snapshots"] != nil; {
		if r.Glance(100 * time.Millisecond); time.Now().After(end) {
			t.Fatalf("the offset is %v", r.At.Offset())
		}
	}
	if len(r.Pending) > 0 {
		t.Errorf("records came: %v", shown(r.Pending))
	}
}

// TestBlockingSnapshotInterrupted: with writes beside it, and restarts within, each row is read
// once, and whoever applies the records in their order has the tables in the end.
func TestBlockingSnapshotInterrupted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	const rows = 700
	s := newSource(t, "max.batch.size", "100", "max.queue.size", "200")
	signalling(s)
	s.fill(rows)
	r := s.open(nil)
	r.started()
	stop := s.write(seed, rows)
	s.exec(s.signal("1", "t.", ""))
	got, reads := model{}, map[string]int{}
	for n, begun := 0, false; ; {
		one := r.Take(1)
		offset := one[0].At.Offset()
		if begun = begun || offset["blocking_snapshots"] != nil; begun && offset["blocking_snapshots"] == nil {
			got.apply(t, one)
			break
		}
		got.apply(t, one)
		if field(one[0], "op") != "r" {
			continue
		}
		key := one[0].Topic + plain(one[0].Key)
		if reads[key]++; reads[key] > 1 {
			t.Fatalf("%s is read twice", key)
		}
		if n++; n%400 == 0 && n < 2000 {
			r.Close()
			r = s.open(offset)
		}
	}
	stop()
	s.exec("INSERT INTO z VALUES (1)")
	got.apply(t, r.Until("p."+s.name+".z", 1))
	maps.DeleteFunc(got, func(key, _ string) bool { return !strings.HasPrefix(key, "p."+s.name+".t") })
	if want := s.rows(modelTables); !maps.Equal(got, want) {
		t.Errorf("%d rows, want %d", len(got), len(want))
		for key := range want {
			if got[key] != want[key] {
				t.Logf("%s: %q, want %q", key, got[key], want[key])
			}
		}
	}
	if len(reads) < 1500 {
		t.Errorf("only %d rows were read", len(reads))
	}
}
