package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestConnectSessions runs the commands of docs/connect.md as they are written, but for the places of
// the API and of files, and looks for what each promises behind #=>.
func TestConnectSessions(t *testing.T) {
	for _, program := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			testenv.Lacks(t, "kafka", program, "the page is for a Unix shell with curl, which the servers are fetched with, too")
		}
	}
	r := startUp(t, "--connect=127.0.0.1:0")
	found := regexp.MustCompile(`(?m)^  connect  http://([^/]+)/connectors$`).FindStringSubmatch(r.banner)
	if found == nil {
		t.Fatal(r.banner)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "connect.md"))
	if err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("localhost:8083", found[1], "/tmp/", t.TempDir()+"/")
	commands := sessions(places.Replace(string(page)))
	if len(commands) < 10 {
		t.Fatalf("the page has %d commands: the check is broken", len(commands))
	}
	for _, c := range commands {
		out := ""
		testenv.Wait(t, c.text+"\nto answer "+c.promise, time.Minute, func() bool {
			out = r.session(t, c.text)
			// What a worker still does, such as stopping, is answered in time.
			return c.promise == "" || strings.Contains(out, c.promise) || t.Context().Err() != nil || !c.again
		})
		if !strings.Contains(out, c.promise) {
			t.Fatalf("%s\nanswers %.2000s, and not %s", c.text, out, c.promise)
		}
	}
}

// session runs one command, those of pabal in this process.
func (r *running) session(t *testing.T, command string) string {
	t.Helper()
	if args, ok := strings.CutPrefix(command, "go run ./cmd/pabal "); ok {
		return r.good(t, strings.Fields(args)...)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "bash", "-c", command)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out.String())
	}
	return out.String()
}

// command of a page, over several lines where a quote is open. One that only asks may
// be asked again.
type command struct {
	text, promise string
	again         bool
}

func sessions(page string) (all []command) {
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(page, -1) {
		text := ""
		for line := range strings.Lines(block[1]) {
			text += line
			if strings.Count(text, "'")%2 != 0 {
				continue
			}
			run, promise, _ := strings.Cut(strings.TrimSpace(text), "#=>")
			asks := strings.HasPrefix(run, "curl") && !strings.Contains(run, "-X") && !strings.Contains(run, "-d ")
			all = append(all, command{strings.TrimSpace(run), strings.TrimSpace(promise), asks})
			text = ""
		}
	}
	return all
}
