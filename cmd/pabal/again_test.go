package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/demo"
)

// testAgain continues a folder that holds so many orders, as a process of its
// own, and while that one runs tries what must be refused.
func testAgain(t *testing.T, folder string, before int64) {
	cmd := process(t, demoArgs("--data-dir="+folder, "--codec=json", "--rate=30", "--duration=3s")...) // behind what is in Avro
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
	if text := readUntil(t, lines, "Try:"); !strings.Contains(text, "kept; start number 2") {
		t.Errorf("the banner does not say that the folder is continued:\n%s", text)
	}
	refused(t, "in use by another demo", demoArgs("--data-dir="+folder)...)
	rest, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, rest)
	}
	var report demo.Report
	if err := json.Unmarshal([]byte(stdout.String()), &report); err != nil {
		t.Fatal(err)
	}
	now := detail(t, report, "orders")
	if want := "orders: "; !strings.Contains(now, want) || strings.HasPrefix(now, "0 ") {
		t.Errorf("orders: %s", now)
	}
	var total int64
	if err := json.Unmarshal([]byte(strings.Fields(now)[0]), &total); err != nil || total != before+report.Orders.Placed {
		t.Errorf("%d orders before, %d placed, and the databases hold: %s", before, report.Orders.Placed, now)
	}
	refused(t, "belongs to a demo with --kafka=embedded", demoArgs("--data-dir="+folder, "--kafka=127.0.0.1:1")...)
}

func detail(t *testing.T, r demo.Report, name string) string {
	t.Helper()
	for _, i := range r.Invariants {
		if i.Name == name {
			return i.Detail
		}
	}
	t.Fatalf("no invariant %s", name)
	return ""
}

// readUntil reads lines up to the one that begins like that.
func readUntil(t *testing.T, lines *bufio.Reader, begin string) string {
	t.Helper()
	var text strings.Builder
	for {
		line, err := lines.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			t.Fatalf("it ended (%v) before it said %q:\n%s", err, begin, &text)
		}
		if strings.HasPrefix(line, begin) {
			return text.String()
		}
	}
}

// TestFoldersOfOthersAreNotTouched: one that holds something else, and one that
// is not there and would be needed in vain.
func TestFoldersOfOthersAreNotTouched(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, "not a demo's (it has thesis.txt)", demoArgs("--data-dir="+folder)...)
	if entries, _ := os.ReadDir(folder); len(entries) != 1 {
		t.Errorf("the folder has %v now", entries)
	}
	fresh := filepath.Join(folder, "fresh")
	refused(t, "Kafka is unreachable", demoArgs("--data-dir="+fresh, "--kafka=127.0.0.1:1")...)
	if _, err := os.Stat(fresh); !os.IsNotExist(err) {
		t.Errorf("a demo that never started left %s (%v)", fresh, err)
	}
}
