package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// running is a pabal up within the test.
type running struct {
	banner, server, kafka string
	stop                  context.CancelFunc
	ended                 chan int
	stderr                *strings.Builder // read it after ended only
}

var consoleLine = regexp.MustCompile(`(?m)^  console +(https?://\S+)/$`)

// startUp starts it on free ports and waits for its banner; it ends with the test.
func startUp(t *testing.T, more ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	read, write := io.Pipe()
	r := &running{stop: cancel, ended: make(chan int, 1), stderr: &strings.Builder{}}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what pabal up wrote to standard error:\n%s", r.stderr)
		}
	})
	go func() {
		code := run(ctx, append([]string{"up", "--broker=127.0.0.1:0", "--console=127.0.0.1:0", "--connect=off", "--registry=off"}, more...), strings.NewReader(""), write, r.stderr)
		write.Close()
		r.ended <- code
	}()
	lines := bufio.NewReader(read)
	r.banner = readUntil(t, lines, "Ctrl-C stops it.")
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	if found := consoleLine.FindStringSubmatch(r.banner); found != nil {
		r.server = found[1]
	}
	if found := regexp.MustCompile(`(?m)^  kafka +([^\s,]+)`).FindStringSubmatch(r.banner); found != nil {
		r.kafka = found[1]
	}
	t.Cleanup(func() { r.end(t) })
	return r
}

// end stops it as the end of its context does; it may be called twice.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	select {
	case code := <-r.ended:
		if code != exitOK {
			t.Errorf("pabal up ended with %d\n%s", code, r.stderr)
		}
		r.ended <- code
	case <-time.After(time.Minute):
		t.Fatal("pabal up does not end")
	}
}

// good runs a command against it, which must go well, and returns what it prints.
func (r *running) good(t *testing.T, args ...string) string {
	t.Helper()
	got := pabal(t, append(args, "--server="+r.server)...)
	if got.code != exitOK {
		t.Fatalf("%v: exit code %d\n%s%s", args, got.code, got.stderr, got.stdout)
	}
	return got.stdout
}

// answer is the JSON document a command prints.
func answer[T any](t *testing.T, r *running, args ...string) T {
	t.Helper()
	var v T
	out := r.good(t, append(args, "--output=json")...)
	decoder := json.NewDecoder(strings.NewReader(out))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil || decoder.More() {
		t.Fatalf("%v: not one document of its type: %v\n%s", args, err, out)
	}
	return v
}

// TestFirstSteps are those the banner shows, and what follows from them.
func TestFirstSteps(t *testing.T) {
	t.Parallel()
	r := startUp(t)
	for _, want := range []string{"in memory: everything is gone", "pabal topics create hello --if-missing", "pabal produce hello 'first message'", "access   open"} {
		if !strings.Contains(r.banner, want) {
			t.Errorf("the banner does not say %q:\n%s", want, r.banner)
		}
	}
	r.good(t, "topics", "create", "hello", "--if-missing", "--partitions=1")
	r.good(t, "topics", "create", "hello", "--if-missing")
	r.good(t, "produce", "hello", "first message")
	produced := answer[api.Produced](t, r, "produce", "hello", `{"a":"\u001b[31m<b>"}`, "--key=k", "--header=x=y", "--type=greeted")
	if produced.Offset != 1 || produced.EventID == "" {
		t.Errorf("%+v", produced)
	}
	if topics := answer[api.Page[api.TopicSummary]](t, r, "topics"); len(topics.Items) != 1 || topics.Items[0].Records != 2 {
		t.Errorf("%+v", topics)
	}
	text := r.good(t, "consume", "hello", "--from=earliest")
	if lines := strings.Split(strings.TrimSpace(text), "\n"); len(lines) != 2 || !strings.HasSuffix(lines[0], "first message") || strings.Contains(text, "\x1b") {
		t.Errorf("%q", text)
	}
	messages := strings.Split(strings.TrimSpace(r.good(t, "consume", "hello", "--from=offset:1", "--output=json")), "\n")
	var m api.Message
	if err := json.Unmarshal([]byte(messages[0]), &m); err != nil || len(messages) != 1 || m.Event == nil || m.Event.ID != produced.EventID {
		t.Errorf("%v %+v", err, messages)
	}
	if got := r.good(t, "consume", "hello", "--from=earliest", "--filter=key:k", "--limit=0"); strings.Count(got, "\n") != 1 {
		t.Errorf("filtered: %q", got)
	}
	testenv.Wait(t, "the event in the index", 20*time.Second, func() bool {
		got := pabal(t, "trace", produced.EventID, "--server="+r.server)
		return got.code == exitOK && strings.Contains(got.stdout, "hello/0@1")
	})
	if entries := answer[api.Page[api.AuditEntry]](t, r, "audit"); len(entries.Items) == 0 {
		t.Error("the audit log is empty")
	}
	for _, list := range []string{"services", "outbox", "violations"} {
		if got := r.good(t, list, "--output=json"); strings.TrimSpace(got) != "[]" {
			t.Errorf("%s: %s", list, got)
		}
	}
}

// TestExitCodes are the console's answers, mapped once.
func TestExitCodes(t *testing.T) {
	t.Parallel()
	r := startUp(t)
	r.good(t, "topics", "create", "there")
	for _, tt := range []struct {
		code int
		args []string
	}{
		{4, []string{"topics", "show", "nowhere"}},
		{4, []string{"trace", "nothing"}},
		{4, []string{"outbox", "rows", "nobody"}},
		{6, []string{"topics", "create", "there"}},
		{2, []string{"topics", "create", "wrong name!"}},
		{2, []string{"consume", "there", "--from=yesterday"}},
		{2, []string{"consume", "there", "--limit=-5"}},
		{2, []string{"topics", "--limit=-1"}},
		{2, []string{"outbox", "replay", "nobody"}},
		{2, []string{"dead-letters", "redrive"}},
		{2, []string{"groups", "reset", "g"}},
		{2, []string{"produce", "there", "x", "--tombstone"}},
		{2, []string{"services", "--server=nowhere"}},
	} {
		args := tt.args
		if !strings.Contains(strings.Join(args, " "), "--server") {
			args = append(args, "--server="+r.server)
		}
		got := pabal(t, args...)
		if got.code != tt.code || got.stdout != "" || !strings.HasPrefix(got.stderr, "pabal: ") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, want %d; %q %q", tt.args, got.code, tt.code, got.stdout, got.stderr)
		}
	}
	away := pabal(t, "services", "--server=http://127.0.0.1:1")
	if away.code != 7 || !strings.Contains(away.stderr, "start one with `pabal up`") {
		t.Errorf("%+v", away)
	}
}

// TestSecondRunIsTheSame: with a folder what was written is there again; meanwhile
// nobody else gets the folder.
func TestSecondRunIsTheSame(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	first := startUp(t, "--data-dir="+folder)
	first.good(t, "topics", "create", "kept")
	first.good(t, "produce", "kept", "hello")
	refused(t, "in use by another pabal up", "up", "--broker=127.0.0.1:0", "--console=127.0.0.1:0", "--data-dir="+folder)
	first.end(t)
	second := startUp(t, "--data-dir="+folder)
	if !strings.Contains(second.banner, "records that were acknowledged are on the disk") {
		t.Errorf("%s", second.banner)
	}
	if got := second.good(t, "consume", "kept"); !strings.Contains(got, "hello") {
		t.Errorf("%q", got)
	}
	if entries := answer[api.Page[api.AuditEntry]](t, second, "audit"); len(entries.Items) < 4 {
		t.Errorf("the audit log forgot: %+v", entries)
	}
}

func TestUpWithoutConsole(t *testing.T) {
	t.Parallel()
	r := startUp(t, "--console=off")
	if r.server != "" || !strings.Contains(r.banner, "console  off") {
		t.Errorf("%s", r.banner)
	}
}

// TestUpWithoutPortOfConnectors: a busy port that nobody asked for leaves connectors off, and says so.
func TestUpWithoutPortOfConnectors(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.0.1:8083"); err == nil { // else another program has it
		defer l.Close()
	}
	r := startUp(t, "--connect=auto")
	if !strings.Contains(r.banner, "connect  off, because another program has 127.0.0.1:8083; run connectors on another port with --connect=127.0.0.1:PORT") {
		t.Errorf("%s", r.banner)
	}
	if got := pabal(t, "connectors", "--server="+r.server); got.code != 4 || !strings.Contains(got.stderr, "--connect=127.0.0.1:8083") {
		t.Errorf("%+v", got)
	}
}

// TestUpWithoutPortOfRegistry: the same for the schema registry.
func TestUpWithoutPortOfRegistry(t *testing.T) {
	if l, err := net.Listen("tcp", "127.0.0.1:8081"); err == nil { // else another program has it
		defer l.Close()
	}
	r := startUp(t, "--registry=auto")
	if !strings.Contains(r.banner, "registry off, because another program has 127.0.0.1:8081; run it on another port with --registry=127.0.0.1:PORT") {
		t.Errorf("%s", r.banner)
	}
}

func TestUpRefuses(t *testing.T) {
	refused(t, "Kafka is unreachable at 127.0.0.1:1", "up", "--kafka=127.0.0.1:1", "--console=127.0.0.1:0")
	refused(t, "others can reach 0.0.0.0:0, so people must log in", "up", "--console=0.0.0.0:0")
	refused(t, "others can reach 0.0.0.0:0, so they need a token or a password", "up", "--connect=0.0.0.0:0")
	refused(t, "so it needs TLS", "up", "--connect=0.0.0.0:0", "--console-users=users")
	refused(t, "there is nothing to start", "up", "--kafka=127.0.0.1:1", "--console=off")
	file := filepath.Join(t.TempDir(), "p.yaml")
	if err := os.WriteFile(file, []byte("console:\n  lisen: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := refused(t, ":2: unknown key console.lisen; did you mean console.listen?", "up", "--config="+file)
	if r.code != exitUsage {
		t.Errorf("exit code %d", r.code)
	}
	t.Setenv("PABAL_LOG_LEVLE", "DEBUG")
	refused(t, "did you mean PABAL_LOG_LEVEL?", "up")
}

// TestUsers: with users nobody gets in without a token, and a role that is not enough
// says so.
func TestUsers(t *testing.T) {
	t.Parallel()
	users := filepath.Join(t.TempDir(), "users")
	var out, errs strings.Builder
	if code := run(t.Context(), []string{"user", "add", "jenny", "--role=admin", "--file=" + users}, strings.NewReader("correct horse battery\n"), &out, &errs); code != exitOK {
		t.Fatalf("%d %s", code, &errs)
	}
	made := pabal(t, "user", "token", "ci", "--role=viewer", "--file="+users)
	token := strings.TrimSpace(made.stdout)
	if made.code != exitOK || token == "" {
		t.Fatalf("%+v", made)
	}
	if got := pabal(t, "user", "list", "--file="+users); !strings.Contains(got.stdout, "jenny") || !strings.Contains(got.stdout, "token") || strings.Contains(got.stdout, token) {
		t.Errorf("%+v", got)
	}
	r := startUp(t, "--console-users="+users)
	if got := pabal(t, "topics", "--server="+r.server); got.code != 5 || !strings.Contains(got.stderr, "PABAL_TOKEN") {
		t.Errorf("without a token: %+v", got)
	}
	r.good(t, "topics", "--token="+token)
	if got := pabal(t, "topics", "create", "x", "--server="+r.server, "--token="+token); got.code != 5 {
		t.Errorf("a viewer makes a topic: %+v", got)
	}
	if got := pabal(t, "user", "remove", "nobody", "--file="+users); got.code != exitError {
		t.Errorf("%+v", got)
	}
}

func TestConfirmation(t *testing.T) {
	for reply, want := range map[string]int{"y\n": exitOK, "YES\n": exitOK, "n\n": exitAborted, "\n": exitAborted, "": exitAborted} {
		var asked strings.Builder
		err := confirmed(&streams{in: strings.NewReader(reply), err: &asked}, "Really?")
		if code := fail(io.Discard, err); code != want || asked.String() != "Really? [y/N] " {
			t.Errorf("%q: %d %q", reply, code, asked.String())
		}
	}
}

func TestConfigCommands(t *testing.T) {
	t.Setenv("PABAL_KAFKA_PREFIX", "mine.")
	r := pabal(t, "config", "explain", "--console=off", "--output=json")
	var all []struct {
		Key    string
		Value  any
		Origin struct{ Kind, Where string }
	}
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || r.code != exitOK {
		t.Fatalf("%v %+v", err, r)
	}
	found := map[string]string{}
	for _, e := range all {
		if s, ok := e.Value.(string); ok {
			found[e.Key] = s + " " + e.Origin.Kind + " " + e.Origin.Where
		}
	}
	if found["console.listen"] != "off flag --console" || found["kafka.prefix"] != "mine. environment PABAL_KAFKA_PREFIX" {
		t.Errorf("%v", found)
	}
	if r := pabal(t, "config", "example"); r.code != exitOK || !strings.Contains(r.stdout, "#brokers:") {
		t.Errorf("%+v", r)
	}
}
