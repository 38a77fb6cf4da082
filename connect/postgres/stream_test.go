package postgres_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
)

func TestSnapshotThenStream(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL, n numeric(10,2))", "CREATE TABLE b (id bigint PRIMARY KEY)",
		"INSERT INTO a VALUES (1, 'one', 1.5), (2, E'tab\\t\\\\', NULL), (3, '', 0)", "INSERT INTO b VALUES (7)")
	r := s.open(nil)
	got := r.Take(4)
	check(t, shown(got), []string{
		"p.public.a r {id:1} - -> {id:1 name:one n:1.50}", "p.public.a r {id:2} - -> {id:2 name:tab\t\\ n:-}",
		"p.public.a r {id:3} - -> {id:3 name: n:0.00}", "p.public.b r {id:7} - -> {id:7}",
	})
	var marks []string
	for _, one := range got {
		marks = append(marks, fmt.Sprint(field(one, "source", "snapshot")))
		if err := data.Validate(one.ValueSchema, one.Value); err != nil {
			t.Error(err)
		}
	}
	check(t, marks, []string{"first", "true", "last_in_data_collection", "last"})
	s.exec("INSERT INTO a VALUES (4, 'four', 4)", "UPDATE a SET name = 'vier' WHERE id = 4", "UPDATE a SET id = 5 WHERE id = 4", "DELETE FROM a WHERE id = 5")
	got = r.Take(7)
	check(t, shown(got), []string{
		"p.public.a c {id:4} - -> {id:4 name:four n:4.00}", "p.public.a u {id:4} - -> {id:4 name:vier n:4.00}",
		"p.public.a d {id:4} {id:4 name: n:-} -> -", "p.public.a tombstone {id:4}", "p.public.a c {id:5} - -> {id:5 name:vier n:4.00}",
		"p.public.a d {id:5} {id:5 name: n:-} -> -", "p.public.a tombstone {id:5}",
	})
	for i, one := range got {
		if err := data.Validate(one.ValueSchema, one.Value); err != nil {
			t.Error(err)
		}
		if end := i == 0 || i == 1 || i == 4 || i == 6; one.End != end {
			t.Errorf("the end of a transaction at %d: %t", i, one.End)
		}
	}
	if field(got[0], "source", "snapshot") != "false" || field(got[0], "source", "lsn") == nil {
		t.Errorf("its source is %s", plain(field(got[0], "source")))
	}
}
