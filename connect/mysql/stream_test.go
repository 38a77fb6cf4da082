package mysql_test

import (
	"testing"
)

func TestSnapshotThenChanges(t *testing.T) {
	s := newSource(t, "skipped.operations", "none")
	s.exec("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20))", "CREATE TABLE b (id INT PRIMARY KEY)",
		"INSERT INTO a VALUES (1, 'one'), (2, 'two')", "INSERT INTO b VALUES (1)")
	r := s.open(nil)
	first := r.Take(3)
	check(t, shown(first), []string{
		"p." + s.name + ".a r {id:1} - -> {id:1 v:one}",
		"p." + s.name + ".a r {id:2} - -> {id:2 v:two}",
		"p." + s.name + ".b r {id:1} - -> {id:1}",
	})
	for i, want := range []string{"first", "last_in_data_collection", "last"} {
		if got := field(first[i], "source", "snapshot"); got != want {
			t.Errorf("record %d is %v in the snapshot, want %s", i, got, want)
		}
	}
	s.exec("INSERT INTO a VALUES (3, 'three')", "UPDATE a SET v = 'drei' WHERE id = 3", "UPDATE a SET id = 4 WHERE id = 3",
		"DELETE FROM a WHERE id = 4", "TRUNCATE TABLE a")
	changes := r.Take(8)
	check(t, shown(changes), []string{
		"p." + s.name + ".a c {id:3} - -> {id:3 v:three}",
		"p." + s.name + ".a u {id:3} {id:3 v:three} -> {id:3 v:drei}",
		"p." + s.name + ".a d {id:3} {id:3 v:drei} -> -",
		"p." + s.name + ".a tombstone {id:3}",
		"p." + s.name + ".a c {id:4} - -> {id:4 v:drei}",
		"p." + s.name + ".a d {id:4} {id:4 v:drei} -> -",
		"p." + s.name + ".a tombstone {id:4}",
		"p." + s.name + ".a t - - -> -",
	})
	t.Log(plain(field(changes[0], "source")), changes[0].At.Offset(), changes[3].At.Offset(), changes[7].At.Offset())
}
