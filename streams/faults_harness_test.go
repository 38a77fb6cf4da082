package streams_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams"
)

func newClient(t testing.TB, k kafka.Config, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kafka.NewClient(k, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// withDeadline bounds a test's wait.
func withDeadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func makeTopics(t testing.TB, c *kgo.Client, k kafka.Config, partitions int32, names ...string) {
	t.Helper()
	var topics []kafka.Topic
	for _, n := range names {
		topics = append(topics, kafka.Topic{Name: n, Partitions: partitions})
	}
	if err := kafka.EnsureTopics(withDeadline(t), c, k, topics...); err != nil {
		t.Fatal(err)
	}
}

// startApp runs until the test ends, in a folder of its own unless cfg names one.
func startApp(t testing.TB, topology *streams.Topology, cfg streams.Config) *streams.App {
	t.Helper()
	if cfg.StateDir == "" {
		cfg.StateDir = t.TempDir()
	}
	if cfg.Logger == nil {
		cfg.Logger = quietly(t)
	}
	app, err := streams.New(topology, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Start(withDeadline(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if err := app.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return app
}

// quietly shows errors only, or everything where PABAL_TEST_LOG is set.
func quietly(t testing.TB) *slog.Logger {
	level := slog.LevelError
	if os.Getenv("PABAL_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(toTest{t}, &slog.HandlerOptions{Level: level}))
}

type toTest struct{ t testing.TB }

func (w toTest) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}
