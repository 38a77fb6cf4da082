package postgres_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
)

const (
	oneA = "p.public.a r {id:1} - -> {id:1}"
	oneB = "p.public.b r {id:1} - -> {id:1}"
)

// TestPublicationIsGone while the task was stopped: the server does not tell what changed then.
func TestPublicationIsGone(t *testing.T) {
	for _, again := range []string{"SELECT 1", "CREATE PUBLICATION dbz_publication FOR ALL TABLES"} {
		s := newSource(t)
		s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)")
		r := s.open(nil)
		offset := r.Take(1)[0].At.Offset()
		r.Close()
		s.exec("DROP PUBLICATION dbz_publication", "INSERT INTO a VALUES (2)", again)
		s.refuses(offset, "dbz_publication")
		s.refuses(offset, "dbz_publication") // and the first one made none
		s.set("snapshot.mode", "when_needed")
		r = s.open(offset)
		check(t, shown(r.Take(2)), []string{oneA, "p.public.a r {id:2} - -> {id:2}"})
		s.exec("INSERT INTO a VALUES (3)")
		check(t, shown(r.Take(1)), []string{"p.public.a c {id:3} - -> {id:3}"})
	}
}

// TestTableIsUnpublished while the task was stopped, though it may be put in again.
func TestTableIsUnpublished(t *testing.T) {
	for _, c := range []struct{ mode, again string }{
		{"filtered", "SELECT 1"}, {"disabled", "SELECT 1"}, {"disabled", "ALTER PUBLICATION dbz_publication ADD TABLE b"},
	} {
		s := newSource(t, "publication.autocreate.mode", c.mode)
		s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", "CREATE TABLE b (id int PRIMARY KEY)", "INSERT INTO b VALUES (1)",
			"CREATE PUBLICATION dbz_publication FOR TABLE a, b")
		r := s.open(nil)
		offset := r.Take(2)[1].At.Offset()
		r.Close()
		s.exec("ALTER PUBLICATION dbz_publication DROP TABLE b", "INSERT INTO b VALUES (2)", c.again)
		s.refuses(offset, "public.b")
		s.set("table.include.list", "public.a") // b is not wanted any more
		s.exec("INSERT INTO a VALUES (2)")
		r = s.open(offset)
		check(t, shown(r.Take(1)), []string{"p.public.a c {id:2} - -> {id:2}"})
		r.Close()
		s.set("table.include.list", "public.a,public.b", "snapshot.mode", "when_needed")
		s.exec("DELETE FROM a WHERE id = 2")
		r = s.open(offset)
		check(t, shown(r.Take(3)), []string{oneA, oneB, "p.public.b r {id:2} - -> {id:2}"})
	}
}

// TestSchemaIsUnpublished while the task was stopped, and while it runs; a table that the publication
// has by itself, too, is told all the time.
func TestSchemaIsUnpublished(t *testing.T) {
	s := newSource(t, "publication.autocreate.mode", "disabled")
	if s.text("SELECT to_regclass('pg_catalog.pg_publication_namespace')::text") == "" {
		testenv.Lacks(t, "postgres", "publications by schema", "use PostgreSQL 15 or later")
	}
	s.exec("CREATE SCHEMA s", "CREATE TABLE s.a (id int PRIMARY KEY)", "INSERT INTO s.a VALUES (1)", "CREATE TABLE s.b (id int PRIMARY KEY)", "INSERT INTO s.b VALUES (1)",
		"CREATE PUBLICATION dbz_publication FOR TABLE s.a, TABLES IN SCHEMA s")
	r := s.open(nil)
	offset := r.Take(2)[1].At.Offset()
	r.Close()
	s.exec("ALTER PUBLICATION dbz_publication DROP TABLES IN SCHEMA s", "INSERT INTO s.b VALUES (2)", "ALTER PUBLICATION dbz_publication ADD TABLES IN SCHEMA s")
	s.refuses(offset, "s.b")
	s.set("table.include.list", "s.a")
	s.exec("INSERT INTO s.a VALUES (2)")
	r = s.open(offset)
	check(t, shown(r.Take(1)), []string{"p.s.a c {id:2} - -> {id:2}"})
	r.Close()
	s.set("table.include.list", "s.a,s.b", "snapshot.mode", "when_needed")
	r = s.open(offset)
	r.Take(4)
	r.started()
	s.exec("ALTER PUBLICATION dbz_publication DROP TABLES IN SCHEMA s")
	if _, err := r.Poll(); err == nil || errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), "s.b") || strings.Contains(err.Error(), "s.a") {
		t.Errorf("while it runs: %v", err)
	}
}

// TestTableIsUnpublishedMeanwhile ends the task, which says so.
func TestTableIsUnpublishedMeanwhile(t *testing.T) {
	for what, statement := range map[string]string{
		"public.b":        "ALTER PUBLICATION dbz_publication DROP TABLE b",
		"dbz_publication": "DROP PUBLICATION dbz_publication",
	} {
		s := newSource(t, "publication.autocreate.mode", "filtered")
		s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", "CREATE TABLE b (id int PRIMARY KEY)", "INSERT INTO b VALUES (1)")
		r := s.open(nil)
		r.Take(2)
		r.started()
		s.exec("INSERT INTO a VALUES (2)")
		offset := r.Take(1)[0].At.Offset()
		s.exec(statement, "INSERT INTO b VALUES (2)")
		if _, err := r.Poll(); err == nil || errors.Is(err, plugin.ErrRetry) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", statement, err)
		}
		r.Close()
		s.refuses(offset, what)
	}
}

// TestTablesComeAndGo: a table that is dropped, and one that is added, are no loss.
func TestTablesComeAndGo(t *testing.T) {
	s := newSource(t, "publication.autocreate.mode", "filtered")
	s.exec("CREATE TABLE a (id int PRIMARY KEY)", "INSERT INTO a VALUES (1)", "CREATE TABLE b (id int PRIMARY KEY)", "INSERT INTO b VALUES (1)")
	r := s.open(nil)
	offset := r.Take(2)[1].At.Offset()
	r.Close()
	s.exec("DROP TABLE b", "CREATE TABLE c (id int PRIMARY KEY)")
	r = s.open(offset)
	r.started()
	s.exec("INSERT INTO c VALUES (1)")
	check(t, shown(r.Take(1)), []string{"p.public.c c {id:1} - -> {id:1}"})
}

// TestReplicaIdentityIsMissing: the server refuses changes of which it could not tell the row, and
// the task names the table.
func TestReplicaIdentityIsMissing(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE plain (id int)", "CREATE TABLE nothing (id int PRIMARY KEY)", "ALTER TABLE nothing REPLICA IDENTITY NOTHING",
		"CREATE TABLE fine (id int PRIMARY KEY)", "INSERT INTO plain VALUES (1)")
	var log bytes.Buffer
	r := s.openWith(nil, plugin.SourceContext{Positions: true, Common: plugin.Common{Logger: slog.New(slog.NewTextHandler(&log, nil))}})
	r.Take(1)
	for _, table := range []string{"plain", "nothing"} {
		if _, err := s.db.Exec(t.Context(), "DELETE FROM "+table); err == nil || !strings.Contains(err.Error(), "replica identity") {
			t.Errorf("%s: the server says %v", table, err)
		}
	}
	r.Close()
	for table, told := range map[string]bool{"public.plain": true, "public.nothing": true, "public.fine": false} {
		if strings.Contains(log.String(), table) != told {
			t.Errorf("%s is named: %t\n%s", table, !told, log.String())
		}
	}
}
