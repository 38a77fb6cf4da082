package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
)

// TestMain makes the test binary the program itself where it is called like
// that: for services as child processes, and for demos to be killed.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// pabal runs the program within the test.
func pabal(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// demoArgs are for demos that share a machine with other tests.
func demoArgs(more ...string) []string {
	return append([]string{"demo", "--port=0", "--kafka-port=0", "--output=json"}, more...)
}

// process is the program as a process of its own.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// goodReport fails the test unless the run ended well, and returns its report.
func goodReport(t *testing.T, r result) demo.Report {
	t.Helper()
	if r.code != exitOK {
		t.Fatalf("exit code %d\n%s\n%s", r.code, r.stderr, r.stdout)
	}
	var report demo.Report
	decoder := json.NewDecoder(strings.NewReader(r.stdout))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("standard output is not the report: %v\n%s", err, r.stdout)
	}
	if decoder.More() {
		t.Fatalf("standard output has more than one object:\n%s", r.stdout)
	}
	for _, i := range report.Invariants {
		if !i.OK {
			t.Errorf("%s: %s", i.Name, i.Detail)
		}
	}
	o := report.Orders
	if o.Stuck != 0 || o.Placed != o.Approved+o.Cancelled || o.Approved == 0 || o.Cancelled == 0 {
		t.Errorf("%+v", o)
	}
	if len(report.Invariants) != 10 {
		t.Errorf("%d invariants are reported, want 10", len(report.Invariants))
	}
	return report
}

func TestVersion(t *testing.T) {
	r := pabal(t, "version")
	if r.code != exitOK || !strings.HasPrefix(r.stdout, "pabal ") || r.stderr != "" {
		t.Fatalf("%+v", r)
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"demo", "--help"}} {
		r := pabal(t, args...)
		if r.code != exitOK || !strings.Contains(r.stdout, "Usage: pabal") || r.stderr != "" {
			t.Errorf("%v: %+v", args, r)
		}
	}
}
