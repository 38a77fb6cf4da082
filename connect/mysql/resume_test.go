package mysql_test

import (
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// history of many transactions, with several rows and statements each.
func (s *source) history() (records int) {
	s.exec("INSERT INTO a VALUES (1, 'a'), (2, 'b'), (3, 'c')")
	s.exec("BEGIN", "INSERT INTO a VALUES (4, 'd')", "INSERT INTO other VALUES (1)", "UPDATE a SET v = 'x' WHERE id < 4",
		"SAVEPOINT p", "DELETE FROM a WHERE id = 4", "ROLLBACK TO p", "INSERT INTO a VALUES (5, 'e'), (6, 'f')", "COMMIT")
	s.exec("UPDATE a SET id = id + 10 WHERE id IN (5, 6)")
	s.exec("INSERT INTO other VALUES (2)")
	s.exec("BEGIN", "DELETE FROM a WHERE id > 3", "INSERT INTO a VALUES (20, 't')", "COMMIT")
	s.exec("SET SESSION gtid_domain_id = 7", "INSERT INTO a VALUES (30, 'g'), (31, 'h')", "INSERT INTO m VALUES (1), (2)", "SET SESSION gtid_domain_id = 0",
		"DELETE FROM a WHERE id = 30")
	s.exec("XA START 'x'", "INSERT INTO a VALUES (32, 'x')", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'")
	s.exec("ALTER TABLE a ADD COLUMN w INT DEFAULT 3")
	s.exec("INSERT INTO a VALUES (21, 'u', 4)", "TRUNCATE TABLE a")
	return 3 + 1 + 3 + 2 + 6 + 6 + 1 + (2 + 2 + 2) + 1 + 1 + 1
}

// TestResumeAtEveryRecord makes the same records from each position as a run that never stopped.
func TestResumeAtEveryRecord(t *testing.T) { resumeEverywhere(t, testenv.MariaDB(t)) }

func TestResumeInCompressedLog(t *testing.T) {
	resumeEverywhere(t, testenv.StartMariaDB(t, "--log-bin-compress=ON", "--log-bin-compress-min-len=10", "--binlog-annotate-row-events=OFF").URL)
}

func resumeEverywhere(t *testing.T, where string) {
	for name, settings := range map[string][]string{
		"by transaction id": nil,
		"by file":           {"gtid.ignore.on.recovery", "true"},
		"transactions":      {"provide.transaction.metadata", "true"},
		"with statements":   {"include.query", "true"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSourceOn(t, where, append(settings, "snapshot.mode", "no_data", "skipped.operations", "none",
				"table.exclude.list", ".*[.]other")...)
			s.exec("CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20))", "CREATE TABLE other (id INT PRIMARY KEY)", "CREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM")
			r := s.open(nil)
			r.started()
			start := r.At.Offset()
			n := s.history()
			if name == "transactions" {
				n += 2 * 10 // TRUNCATE is in none
			}
			whole := r.Take(n)
			r.Quiet()
			r.Close()
			offsets := []map[string]any{start}
			for _, one := range whole {
				offsets = append(offsets, one.At.Offset())
			}
			for i, offset := range offsets {
				again := s.open(offset)
				rest := again.Take(len(whole) - i)
				again.Close()
				if !slices.Equal(full(rest), full(whole[i:])) {
					check(t, full(rest), full(whole[i:]))
					t.Fatalf("after record %d, at %v", i, offset)
				}
			}
		})
	}
}

// full is what records say, without the time at which they were made.
func full(records []plugin.SourceRecord) (out []string) {
	for _, r := range records {
		out = append(out, show(r)+" "+plain(field(r, "source"))+" "+plain(field(r, "transaction")))
	}
	return out
}
