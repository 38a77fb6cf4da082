package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestConnectors: everything the console does with them is a command.
func TestConnectors(t *testing.T) {
	r := startUp(t, "--connect=127.0.0.1:0")
	dir := t.TempDir()
	lines, file, wrong := filepath.Join(dir, "lines.txt"), filepath.Join(dir, "lines.json"), filepath.Join(dir, "wrong.json")
	for path, content := range map[string]string{
		lines: "one\ntwo\n",
		file:  `{"name": "lines", "config": {"connector.class": "FileStreamSource", "tasks.max": 1, "file": "` + lines + `", "topic": "lines"}}`,
		wrong: `{"connector.class": "FileStreamSource", "tasks.max": "many"}`,
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := pabal(t, "connectors", "validate", wrong, "--name=lines", "--server="+r.server); got.code != exitUsage || !strings.Contains(got.stdout, "tasks.max") || !strings.Contains(got.stderr, "wrong") {
		t.Errorf("%+v", got)
	}
	if got := pabal(t, "connectors", "create", wrong, "--name=lines", "--server="+r.server); got.code != exitUsage || !strings.Contains(got.stderr, "tasks.max") {
		t.Errorf("%+v", got)
	}
	if got := pabal(t, "connectors", "create", wrong, "--server="+r.server); got.code != exitUsage || !strings.Contains(got.stderr, "--name") {
		t.Errorf("%+v", got)
	}
	if got := r.good(t, "connectors", "validate", file); !strings.Contains(got, "Nothing is wrong") {
		t.Error(got)
	}
	r.good(t, "connectors", "create", file)
	if got := pabal(t, "connectors", "create", file, "--server="+r.server); got.code != 6 {
		t.Errorf("%+v", got)
	}
	if got := r.good(t, "connectors", "create", file, "--replace", "--yes"); !strings.Contains(got, "Changed lines") {
		t.Error(got)
	}
	state := func() string { return answer[api.Connector](t, r, "connectors", "show", "lines").State }
	testenv.Wait(t, "it to have sent two lines", time.Minute, func() bool {
		return state() == "RUNNING" && len(answer[connectorOffsets](t, r, "connectors", "offsets", "lines").Offsets) == 1
	})
	shown := r.good(t, "connectors", "show", "lines")
	for _, word := range []string{"FileStreamSource", "RUNNING", "TASK", "position", lines} {
		if !strings.Contains(shown, word) {
			t.Errorf("it does not say %q:\n%s", word, shown)
		}
	}
	if list := answer[api.ConnectorList](t, r, "connectors"); len(list.Items) != 1 || list.Items[0].Tasks != 1 {
		t.Errorf("%+v", list)
	}
	if got := r.good(t, "connectors", "plugins"); !strings.Contains(got, "io.debezium.connector.postgresql.PostgresConnector") {
		t.Error(got)
	}
	if got := r.good(t, "connectors", "plugins", "FileStreamSource"); !strings.Contains(got, "batch.size") {
		t.Error(got)
	}
	r.good(t, "connectors", "restart", "lines", "--task=0")
	r.good(t, "connectors", "pause", "lines")
	testenv.Wait(t, "it to pause", time.Minute, func() bool { return state() == "PAUSED" })
	if got := pabal(t, "connectors", "offsets", "lines", "--reset", "--server="+r.server); got.code != exitUsage || !strings.Contains(got.stderr, "STOPPED") {
		t.Errorf("%+v", got)
	}
	r.good(t, "connectors", "stop", "lines")
	testenv.Wait(t, "it to stop", time.Minute, func() bool { return state() == "STOPPED" })
	offsets := r.good(t, "connectors", "offsets", "lines", "--output=json")
	r.good(t, "connectors", "offsets", "lines", "--set="+strings.ReplaceAll(offsets, "8", "0"))
	r.good(t, "connectors", "offsets", "lines", "--reset")
	r.good(t, "connectors", "resume", "lines")
	r.good(t, "connectors", "delete", "lines")
	if got := pabal(t, "connectors", "show", "lines", "--server="+r.server); got.code != 4 {
		t.Errorf("%+v", got)
	}
	audit := answer[api.Page[api.AuditEntry]](t, r, "audit", "--search=create connector")
	if len(audit.Items) < 2 || audit.Items[0].Target != "lines" || strings.Contains(audit.Items[0].Detail, lines) {
		t.Errorf("%+v", audit.Items)
	}
}

// TestConnectorsOff: the commands say how to switch them on.
func TestConnectorsOff(t *testing.T) {
	r := startUp(t)
	if got := pabal(t, "connectors", "--server="+r.server); got.code != 4 || !strings.Contains(got.stderr, "--connect=127.0.0.1:8083") {
		t.Errorf("%+v", got)
	}
}
