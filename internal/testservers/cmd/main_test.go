package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/internal/testservers"
)

const patience = 60 * time.Second

// TestMain lets the test binary be the program itself, in a process that a test
// can kill.
func TestMain(m *testing.M) {
	if os.Getenv("PABAL_TESTSERVERS_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program prepares a run of the program that finds nothing prepared by the run
// of this test.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), "PABAL_TESTSERVERS_MAIN=1", "TMPDIR="+openFolder(t))
	for _, name := range []string{testservers.EnvKafka, testservers.EnvPostgres, testservers.EnvKcat,
		testservers.EnvKafkaJS, testservers.EnvPython, testservers.EnvConfluentJava, testservers.EnvChromium, testservers.EnvSkips, testservers.EnvRequire} {
		cmd.Env = append(cmd.Env, name+"=")
	}
	return cmd
}

// openFolder is a temporary folder that other users can enter, as PostgreSQL's
// must; t.TempDir is closed to them.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pabal-open-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func needShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("needs a Unix shell and signals")
	}
}

func TestExitCodeIsPassedThrough(t *testing.T) {
	needShell(t)
	for want, script := range map[int]string{0: "exit 0", 7: "exit 7", 128 + 15: "kill -TERM $$"} {
		cmd := program(t, "-only", "kcat", "sh", "-c", script)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("%s: exit code %d, want %d\n%s", script, got, want, out)
		}
		if !strings.Contains(string(out), "ran against: ") {
			t.Errorf("%s: it does not say what it ran against:\n%s", script, out)
		}
	}
}

func TestRequiredPartsAreChecked(t *testing.T) {
	needShell(t)
	tests := []struct{ require, path, cache, want string }{
		{"kafak", "", "", `PABAL_REQUIRE names "kafak", which is not known; it takes kafka, kafka-tools, postgres, postgres18, redis, mongodb, mariadb, debezium, kcat, kafkajs, confluent-python, confluent-java, apicurio-java, pekko, kstreams, chromium`},
		{"kafka", os.Getenv("PATH"), "/nowhere", "PABAL_REQUIRE names kafka, which is missing: Apache Kafka: not installed"},
		{"kcat,kafkajs", "/nowhere", "/nowhere", "PABAL_REQUIRE names kafkajs, which is missing: kafkajs: not installed"},
		{"chromium", "/nowhere", "/nowhere", "PABAL_REQUIRE names chromium, which is missing: Chromium: not installed"},
	}
	for _, tt := range tests {
		cmd := program(t, "-only", tt.require, "sh", "-c", "echo it ran")
		if tt.require == "kafak" {
			cmd = program(t, "sh", "-c", "echo it ran")
		}
		cmd.Env = append(cmd.Env, "PABAL_REQUIRE="+tt.require, "PATH="+tt.path, "PABAL_CACHE="+tt.cache)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != failed {
			t.Errorf("%s: exit code %d, want %d", tt.require, got, failed)
		}
		if !strings.Contains(string(out), tt.want) || strings.Contains(string(out), "it ran") {
			t.Errorf("%s: want %q and no run, got\n%s", tt.require, tt.want, out)
		}
	}
}

func TestMissingPartsAreNamedAndSkipsCounted(t *testing.T) {
	needShell(t)
	cmd := program(t, "-only", "kafka,kafkajs", "/bin/sh", "-c", `echo "long test" >>$PABAL_TEST_SKIPS; echo "long test" >>$PABAL_TEST_SKIPS`)
	cmd.Env = append(cmd.Env, "PABAL_CACHE=/nowhere")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"missing: kafka, kafka-tools, postgres, postgres18, redis, mongodb, mariadb, debezium, kcat, kafkajs, confluent-python, confluent-java, apicurio-java, pekko, kstreams, chromium", "SKIPPED: 2 × long test"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
}

// However the program ends, its servers and the command end with it; a signal
// that it can catch also leaves no folder behind.
func TestNothingOutlivesTheProgram(t *testing.T) {
	needShell(t)
	if _, err := testservers.FindPostgres(); err != nil {
		testenv.StartPostgres(t) // skips or fails, as is required
	}
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}
	if runtime.GOOS == "linux" {
		signals = append(signals, syscall.SIGKILL)
	}
	for _, signal := range signals {
		t.Run(fmt.Sprint(signal), func(t *testing.T) {
			cmd := program(t, "-only", "postgres", "sh", "-c", `echo "$$ $PABAL_TEST_POSTGRES"; while :; do sleep 1; done`)
			pid, addr := startAndRead(t, cmd)
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			testenv.Wait(t, "the server to end", patience, func() bool { return !answers(addr) })
			testenv.Wait(t, "the command to end", patience, func() bool { return !alive(pid) })
			left, _ := filepath.Glob(filepath.Join(tempDir(cmd), "pabal-*"))
			if signal != syscall.SIGKILL && len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

// startAndRead starts cmd and returns what its shell prints: its own process id
// and the address of the server.
func startAndRead(t *testing.T, cmd *exec.Cmd) (pid int, addr string) {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	_, rest, _ := strings.Cut(line, "@")
	addr, _, _ = strings.Cut(rest, "/")
	if _, err := fmt.Sscan(line, &pid); err != nil || !answers(addr) {
		t.Fatalf("unexpected start %q (%v)", line, err)
	}
	return pid, addr
}

func answers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

func tempDir(cmd *exec.Cmd) string {
	var dir string
	for _, v := range cmd.Env {
		if value, ok := strings.CutPrefix(v, "TMPDIR="); ok {
			dir = value
		}
	}
	return dir
}
