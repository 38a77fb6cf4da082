package mysql_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/mysql"
	"github.com/pabal-dev/pabal/internal/testenv"
)

func TestPurgedLog(t *testing.T) {
	server := testenv.StartMariaDB(t)
	for name, settings := range map[string][]string{"by transaction id": nil, "by file": {"gtid.ignore.on.recovery", "true"}} {
		t.Run(name, func(t *testing.T) {
			s := newSourceOn(t, server.URL, settings...)
			s.exec("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
			r := s.open(nil)
			offset := r.Take(1)[0].At.Offset()
			r.Close()
			s.exec("INSERT INTO a VALUES (2)", "FLUSH BINARY LOGS", "INSERT INTO a VALUES (3)", "FLUSH BINARY LOGS")
			s.purge()
			if _, err := s.open(offset).Poll(); !errors.Is(err, mysql.ErrLost) || !strings.Contains(err.Error(), "when_needed") {
				t.Errorf("the error is %v", err)
			}
			s.set("snapshot.mode", "when_needed")
			r = s.open(offset)
			check(t, shown(r.Take(3)), []string{
				"p." + s.name + ".a r {id:1} - -> {id:1}", "p." + s.name + ".a r {id:2} - -> {id:2}", "p." + s.name + ".a r {id:3} - -> {id:3}",
			})
			s.exec("INSERT INTO a VALUES (4)")
			check(t, shown(r.Take(1)), []string{"p." + s.name + ".a c {id:4} - -> {id:4}"})
		})
	}
}

// purge all files of the log but the last, once nobody reads them.
func (s *source) purge() {
	s.t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); {
		last, err := s.db.Execute("SHOW MASTER STATUS")
		if err != nil {
			s.t.Fatal(err)
		}
		file, _ := last.GetString(0, 0)
		s.exec("PURGE BINARY LOGS TO '" + file + "'")
		logs, err := s.db.Execute("SHOW BINARY LOGS")
		if err != nil {
			s.t.Fatal(err)
		}
		if logs.RowNumber() == 1 {
			return
		}
		s.exec("FLUSH BINARY LOGS")
	}
	s.t.Fatal("the log is not purged")
}

// TestAlteredTable has each change with the columns that it had.
func TestAlteredTable(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id INT PRIMARY KEY, v INT)")
	r := s.open(nil)
	r.started()
	offset := r.At.Offset()
	r.Close()
	s.exec("INSERT INTO a VALUES (1, 2)", "ALTER TABLE a ADD COLUMN w VARCHAR(5) NOT NULL DEFAULT '9' FIRST", "INSERT INTO a VALUES ('8', 2, 3)",
		"ALTER TABLE a DROP COLUMN v", "INSERT INTO a VALUES ('7', 3)", "ALTER TABLE a CHANGE w u BIGINT, DROP PRIMARY KEY, ADD PRIMARY KEY (u)",
		"INSERT INTO a VALUES (4, 4)", "RENAME TABLE a TO b", "INSERT INTO b VALUES (5, 5)", "DROP TABLE b")
	s.set("snapshot.mode", "no_data")
	check(t, shown(s.open(offset).Take(5)), []string{
		"p." + s.name + ".a c {id:1} - -> {id:1 v:2}",
		"p." + s.name + ".a c {id:2} - -> {w:8 id:2 v:3}",
		"p." + s.name + ".a c {id:3} - -> {w:7 id:3}",
		"p." + s.name + ".a c {u:4} - -> {u:4 id:4}",
		"p." + s.name + ".b c {u:5} - -> {u:5 id:5}",
	})
}

// TestLogWithoutNames has the columns of information_schema, and says where those cannot be right.
func TestLogWithoutNames(t *testing.T) {
	server := testenv.StartMariaDB(t, "--binlog-row-metadata=NO_LOG")
	s := newSourceOn(t, server.URL)
	s.exec("CREATE TABLE a (id INT UNSIGNED PRIMARY KEY, v VARCHAR(9) CHARACTER SET latin1 NOT NULL DEFAULT 'd', e ENUM('x','ü'), b BLOB, t TEXT, n BIGINT UNSIGNED, y TINYINT UNSIGNED)",
		"INSERT INTO a VALUES (4294967295, 'ä', 'ü', x'00ff', 'é', 7, 255)")
	r := s.open(nil)
	row := "{id:4294967295 v:ä e:ü b:00ff t:é n:7 y:255}"
	check(t, shown(r.Take(1)), []string{"p." + s.name + ".a r {id:4294967295} - -> " + row})
	s.exec("DELETE FROM a")
	last := r.Take(2)
	check(t, shown(last[:1]), []string{"p." + s.name + ".a d {id:4294967295} " + row + " -> -"})
	r.Close()
	s.exec("INSERT INTO a (id) VALUES (1)", "ALTER TABLE a DROP COLUMN y")
	if _, err := s.open(last[1].At.Offset()).Poll(); err == nil || !strings.Contains(err.Error(), "binlog_row_metadata") {
		t.Errorf("the error is %v", err)
	}
}

// TestServerAway waits for the server, and goes on where it was.
func TestServerAway(t *testing.T) {
	server := testenv.StartMariaDB(t)
	s := newSourceOn(t, server.URL)
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	r := s.open(nil)
	r.Take(1)
	s.exec("INSERT INTO a VALUES (2)")
	r.Take(1)
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.db = connectTo(t, s.settings, s.name)
	s.exec("INSERT INTO a VALUES (3)")
	check(t, shown(r.Take(1)), []string{"p." + s.name + ".a c {id:3} - -> {id:3}"})
}

func TestCloseWhilePolling(t *testing.T) {
	s := newSource(t)
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)")
	r := s.open(nil)
	r.started()
	done := make(chan error, 1)
	go func() {
		_, err := r.Task.Poll(t.Context())
		done <- err
	}()
	r.Close()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatal("Poll goes on after Close")
	}
}

func TestHeartbeats(t *testing.T) {
	s := newSource(t, "heartbeat.interval.ms", "100")
	s.exec("CREATE TABLE a (id INT PRIMARY KEY)")
	for _, one := range s.open(nil).Take(2) {
		if one.Topic != "__debezium-heartbeat.p" {
			t.Error(show(one))
		}
	}
}

func TestCheck(t *testing.T) {
	s := newSource(t)
	problems := func(settings ...string) []config.Problem {
		s.set(settings...)
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()
		return mysql.MariaDB{}.Check(ctx, s.values(), nil)
	}
	if p := problems(); len(p) != 0 {
		t.Error(p)
	}
	s.exec("CREATE USER "+s.name+"@'127.0.0.1' IDENTIFIED BY 'secret'", "GRANT SELECT ON *.* TO "+s.name+"@'127.0.0.1'")
	defer s.exec("DROP USER " + s.name + "@'127.0.0.1'")
	if p := problems("database.user", s.name, "database.password", "secret"); len(p) != 1 || p[0].Key != "database.user" || !strings.Contains(p[0].Message, "REPLICATION SLAVE") {
		t.Error(p)
	}
	if p := problems("database.password", "wrong"); len(p) != 1 || p[0].Key != "database.password" || strings.Contains(p[0].Message, "wrong") {
		t.Error(p)
	}
	if p := problems("database.port", "1"); len(p) != 1 || p[0].Key != "database.hostname" {
		t.Error(p)
	}
	if p := problems("table.include.list", "a", "table.exclude.list", "b"); len(p) == 0 || p[0].Key != "table.exclude.list" {
		t.Error(p)
	}
}

func TestCheckOffset(t *testing.T) {
	partition := map[string]any{"server": "p"}
	for _, c := range []struct {
		offset map[string]any
		ok     bool
	}{
		{nil, true},
		{map[string]any{"file": "binlog.000001", "pos": 4}, true},
		{map[string]any{"file": "binlog.000001", "pos": 4, "gtids": "0-1-7,1-1-2", "event": 2, "row": 1}, true},
		{map[string]any{"pos": 4}, false},
		{map[string]any{"file": "binlog.000001", "pos": "x"}, false},
		{map[string]any{"file": "binlog.000001", "pos": -1}, false},
		{map[string]any{"file": "binlog.000001", "pos": 4, "gtids": "nonsense"}, false},
	} {
		if err := (mysql.MariaDB{}).CheckOffset(partition, c.offset); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.offset, err)
		}
	}
	uuid := "3e11fa47-71ca-11e1-9e33-c80aa9429562"
	if err := (mysql.MySQL{}).CheckOffset(partition, map[string]any{"file": "b.1", "pos": 4, "gtids": uuid + ":1-5:7"}); err != nil {
		t.Error(err)
	}
}
