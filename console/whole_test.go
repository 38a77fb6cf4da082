package console

import (
	"context"
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

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/auth"
	"github.com/pabal-dev/pabal/console/mask"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// whole is a console with its real engines and the tokens of newSite.
func whole(t *testing.T, cfg Config) (*site, func()) {
	t.Helper()
	s := &site{fake: &fake{}, tokens: map[api.Role]string{}}
	cfg.Users = s.users(t)
	cfg.Logger = slog.New(slog.DiscardHandler)
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(c)
	s.console, s.url = c, server.URL
	return s, func() {
		c.EndStreams()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	}
}

// TestWholeConsole goes through everything that needs Kafka alone, over HTTP.
func TestWholeConsole(t *testing.T) {
	cluster := kafkatest.Start(t)
	cfg := Config{
		Kafka: cluster.Config, DataDir: filepath.Join(t.TempDir(), "data"), Version: "v9",
		Mask: []mask.Rule{{Topics: []string{"orders"}, Fields: []string{"card"}, Reveal: api.Admin}},
	}
	cfg.Kafka.Prefix = "shop."
	s, stop := whole(t, cfg)
	ctx := t.Context()
	admin, viewer := s.client(t, api.Admin), s.client(t, api.Viewer)

	if err := admin.CreateTopic(ctx, api.NewTopic{Name: "shop.orders", Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	tailed := make(chan api.Message, 16)
	tailing, endTail := context.WithCancel(ctx)
	defer endTail()
	ended := make(chan error, 1)
	go func() {
		ended <- viewer.Tail(tailing, api.MessageQuery{Topic: "shop.orders"}, func(m api.Message) error {
			tailed <- m
			return nil
		})
	}()
	var first api.Message
	eventually(t, "a tail sees what is produced", func() bool {
		if _, err := admin.Produce(ctx, api.ProduceRequest{Topic: "shop.orders", Key: "o1", Value: `{"card":"4111-1111-1111","total":5}`, Type: "placed", Correlation: "c1"}); err != nil {
			t.Fatal(err)
		}
		select {
		case first = <-tailed:
			return true
		case <-time.After(50 * time.Millisecond):
			return false
		}
	})
	if strings.Contains(first.Value.Text, "4111-1111-1111") || !strings.Contains(first.Value.Text, "total") || first.Event == nil || first.Event.CorrelationID != "c1" {
		t.Errorf("the viewer tails %+v", first)
	}
	page, err := admin.Messages(ctx, api.MessageQuery{Topic: "shop.orders", From: "earliest"})
	if err != nil || len(page.Items) == 0 || !strings.Contains(page.Items[0].Value.Text, "4111-1111-1111") {
		t.Errorf("the admin reads %+v, %v", page, err)
	}
	eventually(t, "the index finds the transaction", func() bool {
		trace, err := viewer.Trace(ctx, "c1")
		return err == nil && len(trace.Hops) > 0
	})
	o, err := viewer.Overview(ctx)
	if err != nil || o.Version != "v9" || o.Cluster.ID == "" || o.Topics != 1 || len(o.Problems) > 0 {
		t.Errorf("overview %+v, %v", o, err)
	}
	for name, err := range map[string]error{
		"groups":       second(viewer.Groups(ctx, api.PageQuery{})),
		"services":     second(viewer.Services(ctx)),
		"violations":   second(viewer.Violations(ctx)),
		"fingerprints": second(viewer.Fingerprints(ctx, api.FingerprintQuery{})),
		"redrives":     second(viewer.Redrives(ctx, api.PageQuery{})),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"topic":  second(viewer.Topic(ctx, "shop.none")),
		"group":  second(viewer.Group(ctx, "shop.none")),
		"trace":  second(viewer.Trace(ctx, "none")),
		"letter": second(viewer.Letter(ctx, "shop.orders/0/99")),
		"tail":   viewer.Tail(ctx, api.MessageQuery{Topic: "shop.none"}, nil),
	} {
		if !errors.Is(err, api.ErrNotFound) {
			t.Errorf("%s that is not there: %v", name, err)
		}
	}
	if err := viewer.CreateTopic(ctx, api.NewTopic{Name: "shop.more"}); !errors.Is(err, api.ErrForbidden) {
		t.Errorf("a viewer creates a topic: %v", err)
	}
	endTail()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the tail ended with %v", err)
	}
	s.schemasHold(t)
	stop()

	again, stop := whole(t, cfg)
	defer stop()
	entries, err := again.client(t, api.Admin).Entries(ctx, api.PageQuery{Limit: 500})
	if err != nil || len(entries.Items) < 4 {
		t.Fatalf("after a restart: %+v, %v", entries, err)
	}
	oldest := entries.Items[len(entries.Items)-2:]
	if oldest[0].Outcome != "done" || oldest[1].Act != "create topic" || oldest[1].Outcome != "begun" || oldest[1].User != "ci-admin" {
		t.Errorf("the audit log begins with %+v", oldest)
	}
	if text := fmt.Sprint(entries); strings.Contains(text, "4111-1111-1111") {
		t.Error("the audit log has payloads: " + text)
	}
}

// schemasHold compares what the real engines answer with the document.
func (s *site) schemasHold(t *testing.T) {
	t.Helper()
	doc := document(t, s)
	for path, pattern := range map[string]string{
		"overview": "overview", "cluster": "cluster", "topics": "topics", "topics/shop.orders": "topics/{topic}", "topics/shop.orders/messages": "topics/{topic}/messages",
		"groups": "groups", "services": "services", "traces": "traces", "traces/c1": "traces/{id}", "lens": "lens", "violations": "violations",
		"dead-letters": "dead-letters", "dead-letters/letters": "dead-letters/letters", "redrives": "redrives", "audit": "audit",
	} {
		a := s.get(t, apiRoot+path, bearer(s.tokens[api.Admin])...)
		schema, _ := in(doc, "paths", "/"+pattern, "get", "responses", "200", "content", "application/json", "schema").(object)
		if a.status != http.StatusOK || schema == nil {
			t.Errorf("%s: %d %s", path, a.status, a.body)
			continue
		}
		for _, e := range validate(doc, schema, parsed(t, a.body), "") {
			t.Errorf("%s: %s", path, e)
		}
	}
}

// aMoment is the ten seconds that Kafka is waited for, and as many again for a machine
// that is busy with other tests, and more.
const aMoment = 30 * time.Second

// TestBrokerThatHangs: one that takes connections and says nothing costs no page more
// than a moment, and starting and stopping neither.
func TestBrokerThatHangs(t *testing.T) {
	cluster := kafkatest.Start(t)
	silent := silentListener(t)
	cfg := Config{Kafka: cluster.Config}
	cfg.Kafka.Brokers = []string{silent}
	begun := time.Now()
	s, stop := whole(t, cfg)
	if took := time.Since(begun); took > aMoment {
		t.Errorf("the start took %s", took)
	}
	for _, path := range []string{"/", "/readyz", apiRoot + "overview", apiRoot + "topics", apiRoot + "groups", apiRoot + "lens", apiRoot + "traces", apiRoot + "dead-letters", apiRoot + "violations"} {
		begun := time.Now()
		a := s.get(t, path, bearer(s.tokens[api.Viewer])...)
		if took := time.Since(begun); took > aMoment || a.status == http.StatusInternalServerError {
			t.Errorf("%s: %d after %s: %s", path, a.status, took, a.body)
		}
	}
	begun = time.Now()
	stop()
	if took := time.Since(begun); took > aMoment {
		t.Errorf("the stop took %s", took)
	}
}

// TestNewRefuses names the setting.
func TestNewRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := kafkatest.Start(t).Config
	for want, cfg := range map[string]Config{
		"no brokers":     {},
		"data directory": {Kafka: good, DataDir: file},
		"base":           {Kafka: good, Base: "x"},
		"rule":           {Kafka: good, Mask: []mask.Rule{{Fields: []string{"["}}}},
		"":               {Kafka: good},
	} {
		c, err := New(cfg)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
		if c != nil {
			if err := c.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := auth.Load(file); !errors.Is(err, auth.ErrConfig) {
		t.Errorf("users: %v", err)
	}
}
