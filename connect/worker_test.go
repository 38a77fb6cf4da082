package connect_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/data"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
)

// numbers is a source of 1, 2, 3, … that goes on where it left off.
type numbers struct {
	opened atomic.Int64
	// fail, where not nil, is asked before each number.
	fail func(n int64) error
	// size, where not nil, is that of a header beside each number.
	size func(n int64) int
}

const numbersClass = "test.Numbers"

func (*numbers) Info() plugin.Info {
	return plugin.Info{Class: numbersClass, Version: "1", Config: config.Definition{Keys: []config.Key{
		{Name: "topic", Type: config.String, Required: true, Importance: config.High},
		{Name: "count", Type: config.Long, Default: "1000"},
		{Name: "batch", Type: config.Int, Default: "10"},
		{Name: "code", Type: config.Password},
	}}}
}

func (*numbers) Check(context.Context, config.Values, []config.Problem) []config.Problem { return nil }

func (*numbers) Tasks(cfg config.Values, most int) ([]map[string]string, error) {
	out := make([]map[string]string, most)
	for i := range out {
		out[i] = cfg.All()
		out[i]["task"] = strconv.Itoa(i)
	}
	return out, nil
}

func (*numbers) CheckOffset(_, offset map[string]any) error {
	if _, ok := offset["n"].(int64); !ok {
		return errors.New("the offset is {\"n\":number}")
	}
	return nil
}

func (s *numbers) Open(ctx context.Context, t plugin.SourceContext) (plugin.SourceTask, error) {
	s.opened.Add(1)
	task := &numbersTask{s: s, t: t, partition: map[string]any{"task": int64(t.Task)}}
	offset, err := t.Offset(ctx, task.partition)
	if err != nil {
		return nil, err
	}
	task.n, _ = offset["n"].(int64)
	return task, nil
}

type numbersTask struct {
	s         *numbers
	t         plugin.SourceContext
	partition map[string]any
	n         int64
	committed atomic.Int64
}

type numberAt struct {
	partition map[string]any
	n         int64
}

func (p numberAt) Partition() map[string]any { return p.partition }

func (p numberAt) Offset() map[string]any { return map[string]any{"n": p.n} }

func (t *numbersTask) Poll(ctx context.Context) ([]plugin.SourceRecord, error) {
	var out []plugin.SourceRecord
	for range t.t.Config.Int("batch") {
		if t.n >= t.t.Config.Int("count") {
			break
		}
		if t.s.fail != nil {
			if err := t.s.fail(t.n + 1); err != nil {
				return nil, err
			}
		}
		t.n++
		var headers []plugin.Header
		if t.s.size != nil {
			headers = append(headers, plugin.Header{Key: "size", Schema: data.Of(data.String), Value: strings.Repeat("x", t.s.size(t.n))})
		}
		out = append(out, plugin.SourceRecord{
			Record: plugin.Record{Topic: t.t.Config.String("topic"), Partition: 0, Value: t.n, ValueSchema: data.Of(data.Int64), Timestamp: plugin.NoTimestamp, Headers: headers},
			At:     numberAt{t.partition, t.n},
		})
	}
	if len(out) == 0 {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	return out, nil
}

func (t *numbersTask) Committed(_ context.Context, at plugin.Position) error {
	t.committed.Store(at.(numberAt).n)
	return nil
}

func (t *numbersTask) Close(context.Context) error { return nil }

// start a worker with the plugin; it is stopped with the test.
func start(t *testing.T, k kafka.Config, id string, sources ...plugin.Source) *connect.Worker {
	t.Helper()
	w, err := connect.New(connect.Config{
		Kafka: k, ID: id, Logger: slog.New(slog.DiscardHandler),
		Plugins: plugin.Set{
			Sources: append(sources, file.Source{}), Sinks: []plugin.Sink{file.Sink{}},
			Converters: converters.Plugins(), Headers: converters.Headers(),
		},
		Converters: map[string]string{"value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Stop(context.WithoutCancel(t.Context())) })
	return w
}

// create waits until the worker is in its group.
func create(t *testing.T, w *connect.Worker, name string, given map[string]string) {
	t.Helper()
	joined(t, w)
	if _, err := w.Create(t.Context(), name, given, connect.Started); err != nil {
		t.Fatal(err)
	}
}

func joined(t *testing.T, w *connect.Worker) {
	t.Helper()
	testenv.Wait(t, "the worker to be in its group", 30*time.Second, func() bool {
		return w.Ready() == nil
	})
}

func awaitState(t *testing.T, w *connect.Worker, name, state string) connect.ConnectorStatus {
	t.Helper()
	var s connect.ConnectorStatus
	testenv.Wait(t, name+" to be "+state, 30*time.Second, func() bool {
		var err error
		s, err = w.Status(name)
		return err == nil && s.Connector.State == state && !slices.ContainsFunc(s.Tasks, func(task connect.TaskStatus) bool { return task.State != state })
	})
	return s
}

// numbersIn reads a topic, as who sees only what is committed, until it has that many.
func numbersIn(t *testing.T, k kafka.Config, topic string, count int) []int64 {
	t.Helper()
	c, err := kafka.NewClient(k, kgo.ConsumeTopics(k.Topic(topic)), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.MetadataMinAge(100*time.Millisecond), kgo.UnknownTopicRetries(-1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out []int64
	for len(out) < count {
		fetches := c.PollFetches(ctx)
		if ctx.Err() != nil {
			t.Fatalf("topic %s has %d of %d numbers", topic, len(out), count)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var n int64
			if err := json.Unmarshal(r.Value, &n); err != nil {
				t.Error(err)
			}
			out = append(out, n)
		})
	}
	return out
}

// exactly checks that the numbers are 1 to count.
func exactly(t *testing.T, got []int64, count int) {
	t.Helper()
	if len(got) != count {
		t.Errorf("%d numbers, want %d", len(got), count)
	}
	for i, n := range got {
		if n != int64(i+1) {
			t.Fatalf("place %d has %d: %s", i, n, fmt.Sprint(got[max(0, i-5):min(len(got), i+5)]))
		}
	}
}
