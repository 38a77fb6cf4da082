package testservers_test

import (
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
)

func TestMariaDBKeepsItsDataAndItsBinaryLogOverAKill(t *testing.T) {
	server := testenv.StartMariaDB(t)
	query(t, server, "CREATE DATABASE kept; CREATE TABLE kept.things (id INT PRIMARY KEY); INSERT INTO kept.things VALUES (1), (2)")
	position := query(t, server, "SELECT @@gtid_binlog_pos")
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, server, "SELECT count(*) FROM kept.things"); got != "2" {
		t.Errorf("it holds %s rows, want 2", got)
	}
	if got := query(t, server, "SELECT @@gtid_binlog_pos"); got != position {
		t.Errorf("its binary log ends at %s, want %s", got, position)
	}
	if got := query(t, server, "SELECT CONCAT_WS(',', @@binlog_format, @@binlog_row_image, @@binlog_row_metadata)"); got != "ROW,FULL,FULL" {
		t.Errorf("its binary log is %s, want ROW,FULL,FULL", got)
	}
}

// query runs statements in MariaDB's client and returns what it prints.
func query(t *testing.T, server *testservers.Server, statements string) string {
	t.Helper()
	where, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := where.User.Password()
	cmd := exec.CommandContext(t.Context(), "mariadb", "--no-defaults", "--protocol=tcp", "-h", where.Hostname(), "-P", where.Port(),
		"-u", where.User.Username(), "--batch", "--skip-column-names", "-e", statements)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", statements, err, out)
	}
	return strings.TrimSpace(string(out))
}
