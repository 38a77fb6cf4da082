package docs_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

var shBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// marker stands between the outputs of two commands.
const marker = "\x01next\x01"

const walkthroughTimeout = 9 * time.Minute

// TestWalkthroughOrders runs every command of the page, in order, in one shell.
func TestWalkthroughOrders(t *testing.T) {
	walkThrough(t, "docs/walkthrough-orders.md", 8080, 8081, 8101, 8102, 8103, 8104, 9092)
}

func walkThrough(t *testing.T, page string, ports ...int) {
	if runtime.GOOS == "windows" || !installed("bash", "curl") {
		unavailable(t, "the page is for a Unix shell with curl")
	}
	if testing.Short() {
		t.Skip("builds five programs")
	}
	for _, port := range ports {
		l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			unavailable(t, "the page uses port %d, which is taken: %v", port, err)
		}
		l.Close()
	}
	script, want := shellScript(text(t, page))
	if len(want) == 0 {
		t.Fatalf("%s promises no output: the check is broken", page)
	}
	copyTree := t.TempDir() // the page builds into ./bin
	ctx, cancel := context.WithTimeout(t.Context(), walkthroughTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "TMPDIR="+copyTree)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	endWithChildren(cmd)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v after\n%s%s", err, out.String(), logs(copyTree))
	}
	outputs := strings.Split(out.String(), marker)
	for i, promise := range want {
		if i+1 >= len(outputs) || !strings.Contains(outputs[i+1], promise) {
			t.Errorf("promise %d, %q, is not in the output; all of it:\n%s", i+1, promise, out.String())
			return
		}
	}
}

// unavailable skips on a person's machine and fails where the servers are required.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("PABAL_REQUIRE") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// shellScript is a page's commands; the output of each with a promise follows a
// marker.
func shellScript(page string) (script string, promises []string) {
	var b strings.Builder
	b.WriteString("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n")
	for _, block := range shBlock.FindAllStringSubmatch(page, -1) {
		for line := range strings.Lines(block[1]) {
			command, promise, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "#=>")
			if ok {
				promises = append(promises, strings.TrimSpace(promise))
				b.WriteString("printf '\\001next\\001'\n")
			}
			b.WriteString(command + "\n")
		}
	}
	return b.String(), promises
}

func installed(programs ...string) bool {
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			return false
		}
	}
	return true
}

// logs are what the programs of a page wrote.
func logs(dir string) string {
	var all strings.Builder
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.log"))
	for _, f := range files {
		data, _ := os.ReadFile(f)
		all.WriteString("\n" + filepath.Base(f) + ":\n" + string(data[max(0, len(data)-2000):]))
	}
	return all.String()
}
