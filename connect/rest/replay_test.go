package rest_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/rest"
	"github.com/pabal-dev/pabal/connect/transform"
	"github.com/pabal-dev/pabal/internal/debezium/replay"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// TestAnswersAreKafkaConnects: each request is answered as the real one answered it.
func TestAnswersAreKafkaConnects(t *testing.T) {
	w, err := connect.New(connect.Config{
		Kafka: kafkatest.Start(t).Config, ID: "127.0.0.1:8083", Logger: slog.New(slog.DiscardHandler),
		Plugins: plugin.Set{
			Sources: []plugin.Source{file.Source{}}, Sinks: []plugin.Sink{file.Sink{}},
			Converters: converters.Plugins(), Headers: converters.Headers(),
			Transforms: transform.Plugins(), Predicates: transform.Predicates(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(context.WithoutCancel(t.Context())) })
	testenv.Wait(t, "the worker to be in its group", 30*time.Second, func() bool {
		return w.Ready() == nil
	})
	server := httptest.NewServer(rest.New(rest.Config{Worker: w, Level: new(slog.LevelVar), Logger: slog.New(slog.DiscardHandler)}))
	defer server.Close()
	replay.Compare(t, replay.Replay(t, server.URL), "testdata/kafka-connect.txt", differences)
}

// differences are on purpose; docs/connect.md says why.
var differences = map[string]string{
	"it is paused, without tasks":      "tasks follow from the configuration, so that they are known before the connector runs",
	"the keys of a converter":          "forms do not show what is never set by hand",
	"a configuration that is right":    "the same",
	"a sink":                           "the same",
	"with a key nobody knows":          "it is told in warnings",
	"one key is missing, one is wrong": "a number that is none is one problem, not two",
	"with a transform":                 "keys of transforms are listed where something is wrong with them",
	"with a transform and a predicate": "the same",
	"a level":                          "there is one logger, root",
	"it is changed":                    "the same",
	"the whole cluster's":              "the same",
	"every worker has heard of it":     "the same",
	"the level it has":                 "the same",
	"a scope that is none":             "the same",
}
