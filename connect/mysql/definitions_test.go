package mysql_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
)

// TestDefinitions are told once, from wherever a run goes on: those of a snapshot, and statements.
func TestDefinitions(t *testing.T) {
	s := newSource(t, "include.schema.changes", "true", "snapshot.locking.mode", "none")
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)", "CREATE TABLE b (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (2)")
	r := s.open(nil)
	first := r.Take(10)
	want := []string{"SET ", "DROP TABLE", "DROP TABLE", "DROP DATABASE", "CREATE DATABASE", "USE", "CREATE TABLE `a`", "CREATE TABLE `b`"}
	for i, start := range want {
		if ddl := plain(field(first[i], "ddl")); !strings.Contains(ddl, start) {
			t.Errorf("statement %d is %s, want %s", i, ddl, start)
		}
	}
	r.Close()
	goOn(t, s, first, nil)
	end := first[9].At.Offset()
	s.exec("CREATE TABLE c (id INT)", "CREATE TABLE d (id INT)", "ALTER TABLE c ADD v INT", "INSERT INTO a VALUES (3)", "DROP TABLE c, d", "GRANT SELECT ON a TO CURRENT_USER", "INSERT INTO a VALUES (4)")
	r = s.open(end)
	more := r.Take(7)
	r.Quiet()
	r.Close()
	goOn(t, s, more, end)
}

// goOn from each record, and from the start.
func goOn(t *testing.T, s *source, whole []plugin.SourceRecord, start map[string]any) {
	t.Helper()
	for i := range whole {
		again := s.open(start)
		rest := again.Take(len(whole) - i)
		again.Close()
		if got, want := told(rest), told(whole[i:]); !slices.Equal(got, want) {
			t.Fatalf("before record %d, at %v:\n%s\nwant\n%s", i, start, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		start = whole[i].At.Offset()
	}
}

func told(records []plugin.SourceRecord) (out []string) {
	for _, r := range records {
		if r.Topic == "p" {
			out = append(out, fmt.Sprint(plain(field(r, "databaseName")), " ", plain(field(r, "ddl"))))
		} else {
			out = append(out, show(r))
		}
	}
	return out
}
