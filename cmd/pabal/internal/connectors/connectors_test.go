package connectors_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/connectors"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestServer: a connector that is posted runs, and Stop leaves nothing behind.
func TestServer(t *testing.T) {
	k := kafkatest.Start(t)
	s, err := connectors.Start(t.Context(), connectors.Config{Kafka: k.Config, Listen: "127.0.0.1:0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(path, []byte("one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"name":"lines","config":{"connector.class":"FileStreamSource","file":%q,"topic":"lines"}}`, path)
	testenv.Wait(t, "the worker to lead", 30*time.Second, func() bool {
		resp, err := http.Post(s.URL()+"/connectors/", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusCreated
	})
	c := k.Client(t, kgo.ConsumeTopics("lines"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	fetches := c.PollFetches(t.Context())
	for fetches.NumRecords() == 0 {
		fetches = c.PollFetches(t.Context())
	}
	if got := string(fetches.Records()[0].Value); got != `{"schema":{"type":"string","optional":false},"payload":"one"}` {
		t.Errorf("the record is %s", got)
	}
	if err := s.Stop(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(s.URL()); err == nil {
		t.Error("it still listens")
	}
}

// TestPluginsHaveKeys: every connector has its keys, each once and with a text.
func TestPluginsHaveKeys(t *testing.T) {
	set := connectors.Plugins()
	var all []plugin.Info
	for _, s := range set.Sources {
		all = append(all, s.Info())
	}
	for _, s := range set.Sinks {
		all = append(all, s.Info())
	}
	for _, info := range all {
		seen := map[string]bool{}
		for _, key := range info.Config.Keys {
			if seen[key.Name] || key.Doc == "" {
				t.Errorf("%s: key %s is there twice, or has no text", info.Class, key.Name)
			}
			seen[key.Name] = true
		}
	}
}
