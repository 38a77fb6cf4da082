package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// refused expects one clear line with that text, and an exit code that is not 0.
func refused(t *testing.T, text string, args ...string) result {
	t.Helper()
	r := pabal(t, args...)
	if r.code != exitError && r.code != exitUsage {
		t.Errorf("%v: exit code %d", args, r.code)
	}
	if !strings.Contains(r.stderr, text) {
		t.Errorf("%v: %q does not say %q", args, r.stderr, text)
	}
	if !strings.HasPrefix(r.stderr, "pabal: ") || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
		t.Errorf("%v: not one line on standard error: %q, %q", args, r.stderr, r.stdout)
	}
	return r
}

func TestWrongFlags(t *testing.T) {
	for _, tt := range []struct{ flag, want string }{
		{"--bogus", "unknown flag --bogus"},
		{"--rate=0", "--rate=0"},
		{"--rate=-1", "--rate=-1"},
		{"--rate=NaN", "--rate=NaN"},
		{"--rate=many", "--rate"},
		{"--duration=-1s", "--duration=-1s"},
		{"--duration=5", "--duration"},
		{"--output=xml", "--output"},
		{"--port=65533", "--port=65533"},
		{"--kafka-port=70000", "--kafka-port=70000"},
		{"--kafka=http://there", "--kafka"},
		{"--database=mysql://u:secret@there/x", "--database=mysql://u@there/x"},
		{"--database=postgres:///x", "names no host"},
		{"--database=postgres://u:secret@there:port/x", "--database"},
		{"--max-open=0", "--max-open=0"},
		{"--log-level=LOUD", "--log-level"},
		{"--console-port=-1", "--console-port"},
		{"--connect-port=-1", "--connect-port"},
		{"--outbox=cdc", "--database=postgres://"},
		{"--outbox=mail", "--outbox"},
	} {
		r := refused(t, tt.want, "demo", tt.flag)
		if r.code != exitUsage {
			t.Errorf("%s: exit code %d, want %d", tt.flag, r.code, exitUsage)
		}
		if strings.Contains(r.stderr, "secret") {
			t.Errorf("%s: the password is shown: %s", tt.flag, r.stderr)
		}
	}
}

// TestBusyPort: each port that is needed, and the flag that moves it, is named;
// no folder is made.
func TestBusyPort(t *testing.T) {
	temporary(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	refused(t, fmt.Sprintf("port %d is in use, and the Kafka broker needs it: choose another one with --kafka-port", port),
		"demo", "--port=0", fmt.Sprintf("--kafka-port=%d", port))
	refused(t, fmt.Sprintf("port %d is in use, and the service order needs it: choose another one with --port", port),
		"demo", "--kafka-port=0", fmt.Sprintf("--port=%d", port))
	refused(t, fmt.Sprintf("port %d is in use, and the console needs it: choose another one with --console-port", port),
		"demo", "--kafka-port=0", "--port=0", fmt.Sprintf("--console-port=%d", port))
	refused(t, fmt.Sprintf("port %d is in use, and the Kafka broker needs it: choose another one with --broker", port),
		"up", "--console=127.0.0.1:0", fmt.Sprintf("--broker=127.0.0.1:%d", port))
	refused(t, fmt.Sprintf("port %d is in use, and the console needs it: choose another one with --console", port),
		"up", "--broker=127.0.0.1:0", fmt.Sprintf("--console=127.0.0.1:%d", port))
	refused(t, fmt.Sprintf("port %d is in use, and the connectors' REST API needs it: choose another one with --connect", port),
		"up", "--broker=127.0.0.1:0", "--console=127.0.0.1:0", fmt.Sprintf("--connect=127.0.0.1:%d", port))
	refused(t, fmt.Sprintf("port %d is in use, and the schema registry needs it: choose another one with --registry", port),
		"up", "--broker=127.0.0.1:0", "--console=127.0.0.1:0", fmt.Sprintf("--registry=127.0.0.1:%d", port))
}

func TestUnreachableServers(t *testing.T) {
	temporary(t)
	refused(t, "Kafka is unreachable at 127.0.0.1:1", demoArgs("--kafka=127.0.0.1:1")...)
	r := refused(t, "cannot reach PostgreSQL at 127.0.0.1:1", demoArgs("--database=postgres://u:secret@127.0.0.1:1/x")...)
	noSecret(t, "postgres://u:secret@127.0.0.1:1/x", r.stderr)
}

func TestWrongPassword(t *testing.T) {
	u, err := url.Parse(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	temporary(t)
	u.User = url.UserPassword(u.User.Username(), "opensesame")
	r := refused(t, "wrong password for user", demoArgs("--database="+u.String())...)
	noSecret(t, u.String(), r.stderr)
}

// temporary gives the test a folder for temporary files, which must be empty in
// the end.
func temporary(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	t.Setenv("TMP", folder)
	t.Cleanup(func() {
		left, err := filepath.Glob(filepath.Join(folder, "*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left in the folder for temporary files: %v (%v)", left, err)
		}
	})
	if os.TempDir() != folder {
		t.Fatalf("temporary files go to %s", os.TempDir())
	}
}

// noSecret looks for the password of a URL.
func noSecret(t *testing.T, database, text string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	if password, ok := u.User.Password(); ok && strings.Contains(text, password) {
		t.Errorf("the database's password is shown:\n%s", strings.ReplaceAll(text, password, "<HERE>"))
	}
}

// TestRedisIsNotThere: one line says so, whatever the client of Redis would print.
func TestRedisIsNotThere(t *testing.T) {
	cmd := process(t, demoArgs("--scenario=hello", "--redis=127.0.0.1:1")...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil {
		t.Error("it runs without the Redis that it was given")
	}
	if got := stderr.String(); !strings.HasPrefix(got, "pabal: redis at 127.0.0.1:1: ") || strings.Count(got, "\n") != 1 {
		t.Errorf("not one line: %s", got)
	}
}
