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
	return pabalWithin(t, 10*time.Minute, args...)
}

func pabalWithin(t *testing.T, limit time.Duration, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, args, strings.NewReader(""), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// demoArgs are for demos that share a machine with other tests.
func demoArgs(more ...string) []string {
	return append([]string{"demo", "--port=0", "--kafka-port=0", "--console-port=0", "--connect-port=0", "--registry-port=0", "--output=json", "--drain=10m"}, more...)
}

// process is the program as a process of its own.
func process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// wellEnded fails the test unless the run ended well, and returns its report.
func wellEnded(t *testing.T, r result) demo.Report {
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
	return report
}

// goodOrders: some were approved and some cancelled, and none is stuck.
func goodOrders(t *testing.T, o demo.Orders) {
	t.Helper()
	if o.Stuck != 0 || o.Placed != o.Approved+o.Cancelled || o.Approved == 0 || o.Cancelled == 0 {
		t.Errorf("%+v", o)
	}
}

// goodReport is that of a demo of the orders.
func goodReport(t *testing.T, r result) demo.Report {
	t.Helper()
	report := wellEnded(t, r)
	goodOrders(t, report.Orders)
	if len(report.Invariants) != 10 || report.Hotel != nil || report.Library != nil {
		t.Errorf("%d invariants are reported, want 10; hotel %v, library %v", len(report.Invariants), report.Hotel, report.Library)
	}
	return report
}

// goodReportOfAll is that of a demo of all scenarios.
func goodReportOfAll(t *testing.T, r result) demo.Report {
	t.Helper()
	report := wellEnded(t, r)
	goodOrders(t, report.Orders)
	if len(report.Invariants) != 31 || report.Hello == nil || report.Hotel == nil || report.Library == nil {
		t.Fatalf("%d invariants are reported, want 31; hello %v, hotel %v, library %v", len(report.Invariants), report.Hello, report.Hotel, report.Library)
	}
	if n := report.Hello; n.In == 0 || n.Keys == 0 || n.Stuck != 0 || !n.RedisEqual {
		t.Errorf("%+v", n)
	}
	h, l := report.Hotel, report.Library
	if h.Confirmed == 0 || h.Cancelled == 0 || h.Reserved != h.Confirmed+h.Failed+h.Cancelled {
		t.Errorf("%+v", h)
	}
	if l.Returned == 0 || l.Compensated == 0 || l.Rents < l.Returned+l.Compensated {
		t.Errorf("%+v", l)
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
