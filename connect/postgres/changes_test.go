package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestUnchangedTOAST(t *testing.T) {
	s := newSource(t)
	s.types()
	s.exec("CREATE TABLE a (id int PRIMARY KEY, n int, big text NOT NULL, bytes bytea, texts text[], numbers int[], map hstore, j jsonb, many numeric)",
		"ALTER TABLE a ALTER big SET STORAGE EXTERNAL, ALTER bytes SET STORAGE EXTERNAL, ALTER texts SET STORAGE EXTERNAL, ALTER numbers SET STORAGE EXTERNAL, ALTER map SET STORAGE EXTERNAL, ALTER j SET STORAGE EXTERNAL, ALTER many SET STORAGE EXTERNAL")
	r := s.open(nil)
	r.started()
	s.exec(`INSERT INTO a SELECT 1, 1, repeat('x', 5000), decode(repeat('ab', 5000), 'hex'), ARRAY[repeat('x', 5000)], array_agg(i), hstore('a', repeat('x', 5000)), to_jsonb(repeat('x', 5000)), repeat('9', 20000)::numeric FROM generate_series(1, 3000) i`,
		"UPDATE a SET n = 2", "ALTER TABLE a REPLICA IDENTITY FULL", "UPDATE a SET n = 3")
	got := r.Take(3)
	const mark = "__debezium_unavailable_value"
	for name, want := range map[string]string{
		"big": mark, "bytes": fmt.Sprintf("%x", mark), "texts": "[" + mark + "]", "map": `{"` + mark + `":"` + mark + `"}`, "j": mark, "many": "-",
		"numbers": "[" + strings.Trim(fmt.Sprint([]byte(mark)), "[]") + "]",
	} {
		if v := plain(field(got[1], "after", name)); v != want {
			t.Errorf("%s is %s, want %s", name, v, want)
		}
		if a, b := plain(field(got[2], "after", name)), plain(field(got[0], "after", name)); a != b {
			t.Errorf("%s of a table with its whole identity is %.50s, want %.50s", name, a, b)
		}
	}
	for _, one := range got {
		if err := data.Validate(one.ValueSchema, one.Value); err != nil {
			t.Error(err)
		}
	}
}

func TestTruncate(t *testing.T) {
	s := newSource(t, "skipped.operations", "none", "table.include.list", "public.a,public.b")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY)", "CREATE TABLE c (id int PRIMARY KEY)")
	start := s.streamingOf("a")
	s.exec("TRUNCATE a, b, c", "INSERT INTO b VALUES (1)", "TRUNCATE c", "TRUNCATE a")
	r := s.open(start)
	check(t, shown(r.Take(4)), []string{"p.public.a t - - -> -", "p.public.b t - - -> -", "p.public.b c {id:1} - -> {id:1}", "p.public.a t - - -> -"})
	r.Close()
	everyRecord(t, s, start, 4)
}

func TestAlteredWhileStreaming(t *testing.T) {
	s := newSource(t, "snapshot.mode", "no_data")
	s.exec("CREATE TYPE mood AS ENUM ('sad')", "CREATE TABLE a (id int PRIMARY KEY, name text, m mood, twice int GENERATED ALWAYS AS (id * 2) STORED)")
	r := s.open(nil)
	r.started()
	s.exec("INSERT INTO a (id) VALUES (1)", "ALTER TABLE a ADD extra int NOT NULL DEFAULT 7", "INSERT INTO a (id) VALUES (2)",
		"ALTER TABLE a DROP name", "INSERT INTO a (id) VALUES (3)", "ALTER TABLE a RENAME extra TO more", "INSERT INTO a (id) VALUES (4)",
		"ALTER TABLE a ALTER more TYPE text", "INSERT INTO a (id) VALUES (5)", "ALTER TYPE mood ADD VALUE 'happy'", "INSERT INTO a (id, m) VALUES (6, 'happy')",
		"CREATE TYPE colour AS ENUM ('red')", "ALTER TABLE a ADD c colour DEFAULT 'red'", "INSERT INTO a (id) VALUES (7)",
		"ALTER TABLE a DROP CONSTRAINT a_pkey, ADD PRIMARY KEY (id, more)", "INSERT INTO a (id) VALUES (8)",
		"CREATE TABLE later (id int PRIMARY KEY)", "INSERT INTO later VALUES (1)")
	got := r.Take(9)
	check(t, shown(got), []string{
		"p.public.a c {id:1} - -> {id:1 name:- m:-}", "p.public.a c {id:2} - -> {id:2 name:- m:- extra:7}", "p.public.a c {id:3} - -> {id:3 m:- extra:7}",
		"p.public.a c {id:4} - -> {id:4 m:- more:7}", "p.public.a c {id:5} - -> {id:5 m:- more:7}", "p.public.a c {id:6} - -> {id:6 m:happy more:7}",
		"p.public.a c {id:7} - -> {id:7 m:- more:7 c:red}", "p.public.a c {id:8 more:7} - -> {id:8 m:- more:7 c:red}", "p.public.later c {id:1} - -> {id:1}",
	})
	m := got[5].ValueSchema.Fields[1].Schema.Fields[1].Schema
	if allowed, _ := m.Parameter("allowed"); allowed != "sad,happy" {
		t.Errorf("the enum allows %s", allowed)
	}
}

func TestPartitions(t *testing.T) {
	for root, topic := range map[string]string{"false": "p.public.first", "true": "p.public.whole"} {
		s := newSource(t, "publish.via.partition.root", root, "snapshot.mode", "no_data")
		s.exec("CREATE TABLE whole (id int PRIMARY KEY) PARTITION BY RANGE (id)", "CREATE TABLE first PARTITION OF whole FOR VALUES FROM (0) TO (10)")
		r := s.open(nil)
		r.started()
		s.exec("INSERT INTO whole VALUES (1)")
		check(t, shown(r.Take(1)), []string{topic + " c {id:1} - -> {id:1}"})
	}
}

func TestMessages(t *testing.T) {
	s := newSource(t, "message.prefix.include.list", "a.*", "binary.handling.mode", "base64")
	r := s.open(nil)
	r.started()
	s.exec("SELECT pg_logical_emit_message(true, 'b', 'no')", "SELECT pg_logical_emit_message(true, 'ab', 'yes')", "SELECT pg_logical_emit_message(false, 'a', 'too')")
	got := r.Take(2)
	for i, want := range []string{"{prefix:ab content:eWVz}", "{prefix:a content:dG9v}"} {
		if m := plain(field(got[i], "message")); m != want || got[i].Topic != "p.message" {
			t.Errorf("%s %s, want %s", got[i].Topic, m, want)
		}
		if err := data.Validate(got[i].ValueSchema, got[i].Value); err != nil {
			t.Error(err)
		}
	}
}

func TestIdentities(t *testing.T) {
	s := newSource(t, "replica.identity.autoset.values", "public.every:FULL,public.other:INDEX other_code_key")
	s.exec("CREATE TABLE every (id int PRIMARY KEY, name text)", "CREATE TABLE other (id int PRIMARY KEY, code int NOT NULL UNIQUE, name text)")
	s.set("replica.identity.autoset.values", `public.every:FULL,public.other:INDEX other_code_key`)
	r := s.open(nil)
	r.started()
	s.exec("INSERT INTO every VALUES (1, 'x')", "UPDATE every SET name = 'y'", "DELETE FROM every", "INSERT INTO other VALUES (1, 2, 'x')", "UPDATE other SET code = 3")
	check(t, shown(r.Take(6)), []string{
		"p.public.every c {id:1} - -> {id:1 name:x}", "p.public.every u {id:1} {id:1 name:x} -> {id:1 name:y}", "p.public.every d {id:1} {id:1 name:y} -> -", "p.public.every tombstone {id:1}",
		"p.public.other c {id:1} - -> {id:1 code:2 name:x}", "p.public.other u {id:1} {id:1 code:2 name:-} -> {id:1 code:3 name:x}",
	})
}

// TestLargeTransaction is of a million rows in the long run.
func TestLargeTransaction(t *testing.T) {
	n := testenv.Sized(20_000, 1_000_000)
	s := newSource(t, "status.update.interval.ms", "1000")
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text)")
	r := s.open(nil)
	r.started()
	s.exec(fmt.Sprintf("INSERT INTO a SELECT i, 'name ' || i FROM generate_series(1, %d) i", n))
	var middle map[string]any
	for i := 1; i <= n; i++ {
		one := r.Take(1)[0]
		if id := field(one, "after", "id"); id != int32(i) || one.End != (i == n) {
			t.Fatalf("record %d has id %v, and ends: %t", i, id, one.End)
		}
		if i == n/2 {
			middle = one.At.Offset()
		}
	}
	r.Close()
	r = s.open(middle)
	for i := n/2 + 1; i <= n; i++ {
		if id := field(r.Take(1)[0], "after", "id"); id != int32(i) {
			t.Fatalf("after a restart, id %v comes for %d", id, i)
		}
	}
}
