//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
)

// TestSignalsEndUp: Ctrl-C and SIGTERM drain, and are a success.
func TestSignalsEndUp(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		cmd := process(t, "up", "--broker=127.0.0.1:0", "--console=127.0.0.1:0", "--connect=off", "--registry=off")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(stdout)
		readUntil(t, lines, "Ctrl-C stops it.")
		begun := time.Now()
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		readUntil(t, lines, "Stopping;")
		if err := cmd.Wait(); err != nil || time.Since(begun) > time.Minute {
			t.Errorf("%v: %v after %s\n%s", signal, err, time.Since(begun), &stderr)
		}
	}
}

// TestTail delivers what comes, and Ctrl-C is its good end.
func TestTail(t *testing.T) {
	t.Parallel()
	r := startUp(t)
	r.good(t, "topics", "create", "live")
	r.good(t, "produce", "live", "old")
	cmd := process(t, "consume", "live", "--from=earliest", "--tail", "--output=json", "--server="+r.server)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	next := func() string {
		line, err := lines.ReadBytes('\n')
		var m api.Message
		if err != nil || json.Unmarshal(line, &m) != nil {
			t.Fatalf("%v %q", err, line)
		}
		return m.Value.Text
	}
	if got := next(); got != "old" {
		t.Errorf("got %q", got)
	}
	r.good(t, "produce", "live", "new")
	if got := next(); got != "new" {
		t.Errorf("got %q", got)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
