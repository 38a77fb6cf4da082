//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestInterrupt: Ctrl-C finishes what is under way and is a success.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	cmd := process(t, demoArgs("--chaos", "--rate=15")...)
	var stdout strings.Builder
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	readUntil(t, lines, "First order")
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, rest)
	}
	var report demo.Report
	if err := json.Unmarshal([]byte(stdout.String()), &report); err != nil || !report.OK() || report.Orders.Placed == 0 {
		t.Fatalf("%v %+v", err, report)
	}
}

// TestServicesDieWithTheDemo: a demo that is killed leaves no process behind.
func TestServicesDieWithTheDemo(t *testing.T) {
	t.Parallel()
	cmd := process(t, demoArgs("--chaos")...)
	folder := t.TempDir()
	cmd.Env = append(os.Environ(), "TMPDIR="+folder)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	banner := readUntil(t, bufio.NewReader(stderr), "First order")
	addresses := regexp.MustCompile(`(?m)^  \w+ +http://([\d.:]+)$`).FindAllStringSubmatch(banner, -1)
	if len(addresses) != 5 {
		t.Fatalf("the banner names %d services:\n%s", len(addresses), banner)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	testenv.Wait(t, "the services to be gone", 10*time.Second, func() bool {
		for _, a := range addresses {
			if conn, err := net.Dial("tcp", a[1]); err == nil {
				conn.Close()
				return false
			}
		}
		return true
	})
	if left, _ := filepath.Glob(filepath.Join(folder, "pabal-demo-*")); len(left) != 1 {
		t.Errorf("the folder of a killed demo is kept once: %v", left)
	}
}

// TestSecondInterruptAborts: at once, with an exit code of its own.
func TestSecondInterruptAborts(t *testing.T) {
	t.Parallel()
	cmd := process(t, demoArgs("--rate=30")...)
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	readUntil(t, lines, "First order")
	// Two different ones: two of a kind at the same time may count as one.
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	rest, _ := io.ReadAll(lines)
	_ = cmd.Wait() // the exit code says more
	if code := cmd.ProcessState.ExitCode(); code != exitAborted {
		t.Fatalf("exit code %d, want %d\n%s", code, exitAborted, rest)
	}
}
