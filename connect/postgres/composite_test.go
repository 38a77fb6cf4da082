package postgres_test

import "testing"

// TestCompositeTypes: columns of composite types, and arrays of them, are in no record, as with
// Debezium; with include.unknown.datatypes they are the bytes of their text. A key without such a
// column is what is left of it.
func TestCompositeTypes(t *testing.T) {
	for _, c := range []struct {
		unknown string
		want    []string
	}{
		{"false", []string{
			"p.public.a r {id:1} - -> {id:1 name:x}", "p.public.k r {} - -> {v:1}", "p.public.m r {id:1} - -> {id:1 v:1}",
			"p.public.a c {id:2} - -> {id:2 name:y}", "p.public.a u {id:2} - -> {id:2 name:z}", "p.public.a d {id:2} {id:2 name:-} -> -", "p.public.a tombstone {id:2}",
			"p.public.k c {} - -> {v:2}", "p.public.m c {id:2} - -> {id:2 v:2}",
		}},
		{"true", []string{
			"p.public.a r {id:1} - -> {id:1 one:28312c226120622229 many:[28312c6129] name:x}", "p.public.k r {p:28312c6129} - -> {p:28312c6129 v:1}", "p.public.m r {id:1 p:28312c6129} - -> {id:1 p:28312c6129 v:1}",
			"p.public.a c {id:2} - -> {id:2 one:28322c29 many:- name:y}", "p.public.a u {id:2} - -> {id:2 one:28322c29 many:- name:z}", "p.public.a d {id:2} {id:2 one:- many:- name:-} -> -", "p.public.a tombstone {id:2}",
			"p.public.k c {p:28322c6129} - -> {p:28322c6129 v:2}", "p.public.m c {id:2 p:28312c6129} - -> {id:2 p:28312c6129 v:2}",
		}},
	} {
		s := newSource(t, "include.unknown.datatypes", c.unknown)
		s.exec("CREATE TYPE pair AS (x int, y text)",
			"CREATE TABLE a (id int PRIMARY KEY, one pair, many pair[], name text)", "CREATE TABLE k (p pair PRIMARY KEY, v int)", "CREATE TABLE m (id int, p pair, v int, PRIMARY KEY (id, p))",
			"INSERT INTO a VALUES (1, ROW(1, 'a b'), ARRAY[ROW(1, 'a')::pair], 'x')", "INSERT INTO k VALUES (ROW(1, 'a'), 1)", "INSERT INTO m VALUES (1, ROW(1, 'a'), 1)")
		r := s.open(nil)
		got := r.Take(3)
		s.exec("INSERT INTO a VALUES (2, ROW(2, NULL), NULL, 'y')", "UPDATE a SET name = 'z' WHERE id = 2", "DELETE FROM a WHERE id = 2",
			"INSERT INTO k VALUES (ROW(2, 'a'), 2)", "INSERT INTO m VALUES (2, ROW(1, 'a'), 2)")
		got = append(got, r.Take(6)...)
		check(t, shown(got), c.want)
		r.Close()
	}
}

// TestSnapshotByCompositeKey is interrupted within the table, and goes on with its next row.
func TestSnapshotByCompositeKey(t *testing.T) {
	s := newSource(t, "include.unknown.datatypes", "true")
	s.exec("CREATE TYPE pair AS (x int, y text)", "CREATE TABLE k (p pair PRIMARY KEY, v int)", `INSERT INTO k SELECT ROW(i, 'it''s "' || i)::pair, i FROM generate_series(1, 12) i`)
	r := s.open(nil)
	got := r.Take(12)
	r.Close()
	s.exec("DELETE FROM k WHERE v = 2", "UPDATE k SET v = 100 WHERE v = 9")
	r = s.open(got[4].At.Offset())
	more := r.Take(9)
	if first, last := show(more[0]), show(more[8]); plain(field(more[0], "op")) != "d" || plain(field(more[2], "after", "v")) != "6" || plain(field(more[5], "after", "v")) != "100" {
		t.Errorf("it goes on with %s up to %s: %q", first, last, shown(more))
	}
	r.Quiet()
}
