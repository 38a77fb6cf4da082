package connectors_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/rest"
	"github.com/pabal-dev/pabal/connect/transform"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/connectors"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

const timeout = time.Minute

// worker starts one of a cluster, and returns the address of its API.
func worker(t *testing.T, k kafka.Config, id string) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	w, err := connect.New(connect.Config{
		Kafka: k, ID: id, Logger: slog.New(slog.DiscardHandler),
		Plugins: plugin.Set{
			Sources: []plugin.Source{file.Source{}}, Sinks: []plugin.Sink{file.Sink{}},
			Converters: converters.Plugins(), Headers: converters.Headers(), Transforms: transform.Plugins(), Predicates: transform.Predicates(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(context.WithoutCancel(t.Context())) })
	testenv.Wait(t, "the worker to be in its group", timeout, func() bool {
		return w.Ready() == nil
	})
	server.Config.Handler = rest.New(rest.Config{Worker: w, Logger: slog.New(slog.DiscardHandler)})
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

func engine(t *testing.T, k kafka.Config, url string, groups api.Groups) *connectors.Engine {
	t.Helper()
	e, err := connectors.New(connectors.Config{URL: url, Kafka: k, Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// lags knows one group.
type lags struct {
	others
	group string
}

// others is the engine under another name: it has a method of its own.
type others = api.Groups

func (l lags) Group(_ context.Context, name string) (api.Group, error) {
	if name != l.group {
		return api.Group{}, api.ErrNotFound
	}
	return api.Group{GroupSummary: api.GroupSummary{Lag: 7}}, nil
}

// source is a configuration that reads a file.
func source(t *testing.T) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(path, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"connector.class": "FileStreamSource", "file": path, "topic": "lines"}
}

func await(t *testing.T, e *connectors.Engine, name, what string, is func(api.Connector) bool) api.Connector {
	t.Helper()
	var last api.Connector
	testenv.Wait(t, what, timeout, func() bool {
		one, err := e.Connector(t.Context(), name)
		last = one
		return err == nil && is(one)
	})
	return last
}

// TestLifeOfAConnector: it is checked, created, looked at, stopped, moved and deleted, through
// either of two workers.
func TestLifeOfAConnector(t *testing.T) {
	k := kafkatest.Start(t).Config
	a, b := engine(t, k, worker(t, k, "one"), nil), engine(t, k, worker(t, k, "two"), lags{group: k.Group("connect-out")})
	ctx := t.Context()
	config := source(t)

	wrong := map[string]string{"connector.class": "FileStreamSource", "tasks.max": "many", "nobody.knows": "x"}
	checked, err := a.CreateConnector(ctx, api.ConnectorConfig{Connector: "lines", Config: wrong, DryRun: true})
	if err != nil || len(checked.Problems) < 2 || len(checked.Warnings) != 1 || checked.Problems[0].Setting == "" {
		t.Fatalf("%+v, %v", checked, err)
	}
	var problem *api.Problem
	if _, err := a.CreateConnector(ctx, api.ConnectorConfig{Connector: "lines", Config: wrong}); !errors.As(err, &problem) || len(problem.Errors) != len(checked.Problems) || !errors.Is(err, api.ErrInvalid) {
		t.Fatalf("%v", err)
	}
	for _, e := range []*connectors.Engine{b, a} { // the second is a conflict
		_, err = e.CreateConnector(ctx, api.ConnectorConfig{Connector: "lines", Config: config})
	}
	if !errors.Is(err, api.ErrConflict) {
		t.Fatalf("twice: %v", err)
	}
	one := await(t, b, "lines", "the source to have sent two lines", func(c api.Connector) bool {
		return c.State == "RUNNING" && len(c.TaskList) == 1 && len(c.Offsets) == 1 && len(c.Topics) == 1
	})
	if one.Type != "source" || one.Lag != -1 || one.Topics[0] != "lines" || len(one.Workers) == 0 || len(one.Problems) > 0 {
		t.Errorf("%+v", one)
	}
	if _, err := a.SetConnectorOffsets(ctx, api.SetConnectorOffsets{Connector: "lines", Reset: true}); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("offsets of a running one: %v", err)
	}
	if done, err := a.ActOnConnector(ctx, api.ActOnConnector{Connector: "lines", Do: "stop"}); err != nil || done.Said == "" {
		t.Fatal(done, err)
	}
	await(t, b, "lines", "it to be stopped", func(c api.Connector) bool { return c.State == "STOPPED" && len(c.TaskList) == 0 })
	back := []api.ConnectorOffset{{Partition: one.Offsets[0].Partition, Offset: json.RawMessage(`{"position": 0}`)}}
	if _, err := b.SetConnectorOffsets(ctx, api.SetConnectorOffsets{Connector: "lines", Offsets: back}); err != nil {
		t.Fatal(err)
	}
	moved := await(t, a, "lines", "the offset to be there", func(c api.Connector) bool { return len(c.Offsets) == 1 })
	if got := strings.ReplaceAll(string(moved.Offsets[0].Offset), " ", ""); got != `{"position":0}` {
		t.Errorf("the offset is %s", got)
	}
	if _, err := b.SetConnectorOffsets(ctx, api.SetConnectorOffsets{Connector: "lines", Reset: true}); err != nil {
		t.Fatal(err)
	}
	for _, do := range []string{"resume", "pause"} {
		if _, err := a.ActOnConnector(ctx, api.ActOnConnector{Connector: "lines", Do: do}); err != nil {
			t.Fatal(do, err)
		}
	}
	await(t, b, "lines", "it to pause", func(c api.Connector) bool { return c.State == "PAUSED" })
	config["file"] = filepath.Join(t.TempDir(), "none.txt")
	if _, err := a.ConfigureConnector(ctx, api.ConnectorConfig{Connector: "lines", Config: config}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ConfigureConnector(ctx, api.ConnectorConfig{Connector: "nobody", Config: config}); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a connector that is none is configured: %v", err)
	}
	sink := map[string]string{"connector.class": "FileStreamSink", "file": filepath.Join(t.TempDir(), "out.txt"), "topics": "lines"}
	if _, err := b.CreateConnector(ctx, api.ConnectorConfig{Connector: "out", Config: sink}); err != nil {
		t.Fatal(err)
	}
	list, err := b.Connectors(ctx)
	if err != nil || len(list.Items) != 2 || len(list.Problems) > 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, one := range list.Items {
		if one.Name == "out" && (one.Type != "sink" || one.Lag != 7 || one.Group != k.Group("connect-out")) {
			t.Errorf("%+v", one)
		}
	}
	if _, err := b.DeleteConnector(ctx, api.DeleteConnector{Connector: "lines"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Connector(ctx, "lines"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("a deleted one: %v", err)
	}
	if _, err := a.ActOnConnector(ctx, api.ActOnConnector{Connector: "lines", Do: "restart", FailedOnly: true}); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("restart of a deleted one: %v", err)
	}
}

// TestFailure: one that failed is the first, with its trace, and is restarted task by task.
func TestFailure(t *testing.T) {
	k := kafkatest.Start(t).Config
	e := engine(t, k, worker(t, k, "one"), nil)
	ctx := t.Context()
	good, bad := source(t), source(t)
	bad["topic"], bad["value.converter"] = "bad", "org.apache.kafka.connect.converters.ByteArrayConverter" // lines are no bytes
	for name, config := range map[string]map[string]string{"a-good-one": good, "the-bad-one": bad} {
		if _, err := e.CreateConnector(ctx, api.ConnectorConfig{Connector: name, Config: config}); err != nil {
			t.Fatal(err)
		}
	}
	failed := await(t, e, "the-bad-one", "it to fail", func(c api.Connector) bool { return c.State == "FAILED" })
	if failed.Failed != 1 || failed.Problem == "" || failed.TaskList[0].Trace == "" {
		t.Errorf("%+v", failed)
	}
	list, err := e.Connectors(ctx)
	if err != nil || len(list.Items) != 2 || list.Items[0].Name != "the-bad-one" {
		t.Errorf("%+v, %v", list, err)
	}
	task := 0
	for _, a := range []api.ActOnConnector{{Connector: "the-bad-one", Do: "restart", Task: &task}, {Connector: "the-bad-one", Do: "restart", FailedOnly: true}, {Connector: "the-bad-one", Do: "restart"}} {
		if done, err := e.ActOnConnector(ctx, a); err != nil || done.Said == "" {
			t.Errorf("%+v: %+v, %v", a, done, err)
		}
	}
}

// TestPlugins: classes with what may be chosen.
func TestPlugins(t *testing.T) {
	k := kafkatest.Start(t).Config
	e := engine(t, k, worker(t, k, "one"), nil)
	list, err := e.ConnectorPlugins(t.Context())
	if err != nil || len(list.Items) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	p, err := e.ConnectorPlugin(t.Context(), list.Items[0].Class)
	if err != nil || p.Class != list.Items[0].Class || p.Version == "" || len(p.Settings) < 10 {
		t.Errorf("%+v, %v", p, err)
	}
	chosen := false
	for _, s := range p.Settings {
		chosen = chosen || s.Name == "value.converter" && len(s.Recommended) > 0
	}
	if !chosen {
		t.Errorf("no converter can be chosen: %+v", p.Settings)
	}
	if _, err := e.ConnectorPlugin(t.Context(), "no.such.Class"); !errors.Is(err, api.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

// TestOthers: what does not answer, or not as Kafka Connect does, is said with its address.
func TestOthers(t *testing.T) {
	for _, bad := range []string{"", "localhost:8083", "ftp://x", "http://", "http://x?a=b"} {
		if _, err := connectors.New(connectors.Config{URL: bad}); !errors.Is(err, connectors.ErrConfig) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	answers := map[string]struct {
		status int
		body   string
		want   error
	}{
		"no JSON": {200, "<html>", api.ErrUnavailable}, "another's error": {502, "bad gateway", api.ErrUnavailable},
		"login": {401, `{"error_code":401,"message":"who are you"}`, api.ErrUnavailable}, "rebalancing": {409, `{"error_code":409,"message":"rebalance"}`, api.ErrConflict},
		"not ready": {503, `{"error_code":503,"message":"starting"}`, api.ErrUnavailable},
	}
	for name, a := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(a.status)
			fmt.Fprint(w, a.body)
		}))
		e := engine(t, kafka.Config{}, server.URL, nil)
		if _, err := e.Connectors(t.Context()); !errors.Is(err, a.want) {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
		if _, err := e.Connector(t.Context(), "x"); !errors.Is(err, api.ErrUnavailable) || !strings.Contains(err.Error(), server.URL) {
			t.Errorf("away: %v", err)
		}
	}
}
