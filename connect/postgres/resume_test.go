package postgres_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// details of a record that must be the same after a restart: all but when it was made.
func details(r plugin.SourceRecord) string {
	return fmt.Sprint(show(r), " ", plain(field(r, "source")), " ", plain(field(r, "transaction")), " ", r.Headers != nil)
}

// everyRecord stops a task after each record of a workload and goes on from its offset: what comes
// before and after is what comes without a stop.
func everyRecord(t *testing.T, s *source, start map[string]any, n int) {
	t.Helper()
	whole := s.open(start)
	want := whole.Take(n)
	whole.Quiet()
	whole.Close()
	for i := range n {
		r := s.open(want[i].At.Offset())
		if i+1 < n {
			got := r.Take(n - i - 1)
			for j := range got {
				if a, b := details(got[j]), details(want[i+1+j]); a != b {
					t.Fatalf("after record %d, %s, with the offset %v, record %d is\n  %s\nwant\n  %s", i, show(want[i]), want[i].At.Offset(), j, a, b)
				}
				if a, b := got[j].At.Offset(), want[i+1+j].At.Offset(); !reflect.DeepEqual(throughJSON(t, a), throughJSON(t, b)) {
					t.Errorf("after record %d, record %d is at\n  %v\nwant\n  %v", i, j, a, b)
				}
			}
		}
		r.Quiet()
		r.Close()
	}
}

// streaming is an offset from which all that follows is streamed. Nothing of it is confirmed, so
// that it can be streamed many times.
func (s *source) streaming() map[string]any {
	s.t.Helper()
	s.exec("CREATE TABLE begin_here (id int PRIMARY KEY)")
	return s.streamingOf("begin_here")
}

func (s *source) streamingOf(table string) map[string]any {
	s.t.Helper()
	s.set("snapshot.mode", "no_data", "lsn.flush.mode", "manual")
	r := s.open(nil)
	r.started()
	s.exec("INSERT INTO " + table + " VALUES (1)")
	at := r.Take(1)[0].At.Offset()
	r.Close()
	return at
}

func TestResumeAtEveryRecord(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text)", "CREATE TABLE f (id int, name text)", "ALTER TABLE f REPLICA IDENTITY FULL")
	start := s.streaming()
	s.exec(
		"BEGIN", "INSERT INTO a VALUES (1, 'x')", "INSERT INTO a VALUES (2, 'y')", "UPDATE a SET id = 3 WHERE id = 2", "COMMIT",
		"INSERT INTO f VALUES (1, 'x')", "UPDATE f SET name = 'y'", "DELETE FROM f",
		"BEGIN", "INSERT INTO a VALUES (10, 'kept')", "SAVEPOINT s", "INSERT INTO a VALUES (11, 'gone')", "ROLLBACK TO s", "INSERT INTO a VALUES (12, 'kept')", "COMMIT",
		"BEGIN", "INSERT INTO a VALUES (13, 'gone')", "ROLLBACK",
		"BEGIN", "SELECT pg_logical_emit_message(true, 'in', 'one')", "INSERT INTO a VALUES (14, 'x')", "SELECT pg_logical_emit_message(true, 'in', 'two')", "COMMIT",
		"SELECT pg_logical_emit_message(false, 'out', 'three')",
		"DELETE FROM a WHERE id < 4",
	)
	everyRecord(t, s, start, 19)
}

func TestResumeWithTransactionMetadata(t *testing.T) {
	s := newSource(t, "provide.transaction.metadata", "true")
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text)", "CREATE TABLE b (id int PRIMARY KEY)")
	start := s.streaming()
	s.exec("BEGIN", "INSERT INTO a VALUES (1, 'x')", "INSERT INTO b VALUES (2)", "UPDATE a SET id = 3", "COMMIT", "INSERT INTO b VALUES (3)")
	everyRecord(t, s, start, 12) // it begins within a transaction
}

// TestRowsOfOneLSN are those of COPY, which are one entry of the log: Debezium lost the rest of them
// after a restart (pull request 7531).
func TestRowsOfOneLSN(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text)", "CREATE TABLE other (id int)", "ALTER TABLE other REPLICA IDENTITY FULL")
	start := s.streaming()
	var rows strings.Builder
	for i := range 12 {
		fmt.Fprintf(&rows, "%d\tname %d\n", i, i)
	}
	if _, err := s.db.PgConn().CopyFrom(t.Context(), strings.NewReader(rows.String()), "COPY a FROM STDIN"); err != nil {
		t.Fatal(err)
	}
	r := s.open(start)
	same := map[any]int{}
	for _, one := range r.Take(12) {
		same[field(one, "source", "lsn")]++
	}
	r.Close()
	if len(same) != 1 {
		t.Fatalf("the rows have %d places in the log", len(same))
	}
	s.exec("INSERT INTO a VALUES (100, 'x')")
	everyRecord(t, s, start, 13)
}

// TestInterleavedTransactions have changes whose places in the log are before those of the one that
// commits first: Debezium lost them after a restart (pull request 7760).
func TestInterleavedTransactions(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text)")
	start := s.streaming()
	other := connectTo(t, s.url)
	do := func(statements ...string) {
		for _, statement := range statements {
			if _, err := other.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.exec("BEGIN", "INSERT INTO a VALUES (1, 'first')")
	do("BEGIN", "INSERT INTO a VALUES (2, 'second')")
	s.exec("INSERT INTO a VALUES (3, 'first')")
	do("INSERT INTO a VALUES (4, 'second')", "COMMIT")
	s.exec("INSERT INTO a VALUES (5, 'first')")
	do("BEGIN", "INSERT INTO a VALUES (6, 'third')")
	s.exec("COMMIT")
	do("INSERT INTO a VALUES (7, 'third')", "COMMIT")
	r := s.open(start)
	var order []string
	for _, one := range r.Take(7) {
		order = append(order, plain(field(one, "after", "id")))
	}
	r.Close()
	if got := strings.Join(order, " "); got != "2 4 1 3 5 6 7" {
		t.Fatalf("the order is %s", got)
	}
	everyRecord(t, s, start, 7)
}

// TestDebeziumsOffset goes on from what Debezium stores, which has none of our own keys.
func TestDebeziumsOffset(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, name text)")
	start := s.streaming()
	s.exec("INSERT INTO a VALUES (1, 'x')", "BEGIN", "INSERT INTO a VALUES (2, 'x'), (3, 'x')", "INSERT INTO a VALUES (4, 'x')", "COMMIT", "INSERT INTO a VALUES (5, 'x')")
	whole := s.open(start)
	want := whole.Take(5)
	whole.Close()
	for i := range want[:4] {
		offset := want[i].At.Offset()
		for _, own := range []string{"lsn_flush", "transaction_end", "event_records_processed"} {
			delete(offset, own)
		}
		r := s.open(offset)
		check(t, shown(r.Take(4-i)), shown(want[i+1:]))
		r.Close()
	}
}

func TestKeyAndValueBelongTogether(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id int PRIMARY KEY, v bytea)", "INSERT INTO a VALUES (1, '\\x00ff')")
	got := s.open(nil).Take(1)[0]
	if err := data.Validate(got.KeySchema, got.Key); err != nil {
		t.Error(err)
	}
	if err := data.Validate(got.ValueSchema, got.Value); err != nil {
		t.Error(err)
	}
}
