package debezium

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/transform"
)

// Direct runs our sources without a runtime: one task each, whose records are converted and
// kept in memory.
type Direct struct {
	sources []plugin.Source
	mu      sync.Mutex
	topics  Topics
	tasks   map[string]*directTask
}

// NewDirect is a side of these sources.
func NewDirect(sources ...plugin.Source) *Direct {
	return &Direct{sources: sources, topics: Topics{}, tasks: map[string]*directTask{}}
}

// directTask is a running task.
type directTask struct {
	prefix     string
	task       plugin.SourceTask
	key, value converter.Converter
	headers    plugin.HeaderConverter
	chain      *transform.Chain
	end        context.CancelFunc
	done       chan struct{}
	err        error // read after done
}

const (
	memory = 64 << 20
	// longest trouble of a task: the servers are there, so that it is none that passes.
	longest = 15 * time.Second
)

// Start implements Side.
func (d *Direct) Start(t testing.TB, name string, settings map[string]string) {
	t.Helper()
	i := slices.IndexFunc(d.sources, func(s plugin.Source) bool { return s.Info().Class == settings["connector.class"] })
	if i < 0 {
		t.Fatalf("there is no %s", settings["connector.class"])
	}
	source := d.sources[i]
	values, problems := source.Info().Config.Parse(settings)
	if problems = append(problems, source.Check(t.Context(), values, problems)...); len(problems) > 0 {
		t.Fatalf("%s is refused by ours: %v", name, problems)
	}
	tasks, err := source.Tasks(values, 1)
	if err != nil || len(tasks) != 1 {
		t.Fatalf("%s: %d tasks and %v", name, len(tasks), err)
	}
	if values, problems = source.Info().Config.Parse(tasks[0]); len(problems) > 0 {
		t.Fatal(problems)
	}
	opened, err := source.Open(t.Context(), plugin.SourceContext{
		Common: plugin.Common{Connector: name, Config: values, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
			Metrics: metrics.NewSet(), Memory: memory},
		Offset:    func(context.Context, map[string]any) (map[string]any, error) { return nil, nil },
		Positions: true,
	})
	if err != nil {
		t.Fatalf("%s does not open in ours: %v", name, err)
	}
	task := &directTask{prefix: settings["topic.prefix"], task: opened, done: make(chan struct{}), headers: converters.Simple{},
		key: newConverter(t, settings, "key.converter"), value: newConverter(t, settings, "value.converter")}
	if task.chain, problems = transform.NewChain(settings, plugin.Set{Transforms: transform.Plugins(), Predicates: transform.Predicates()}); len(problems) > 0 {
		t.Fatalf("%s: the transforms are refused by ours: %v", name, problems)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	task.end = cancel
	d.tasks[name] = task
	go func() {
		defer close(task.done)
		task.err = d.run(ctx, task)
	}()
	t.Cleanup(func() { d.close(t, task) })
}

func newConverter(t testing.TB, settings map[string]string, name string) converter.Converter {
	t.Helper()
	own := map[string]string{}
	for key, value := range settings {
		if rest, ok := strings.CutPrefix(key, name+"."); ok {
			own[rest] = value
		}
	}
	for _, p := range converters.Plugins() {
		if p.Class != settings[name] {
			continue
		}
		values, err := p.Config.Must(own)
		if err != nil {
			t.Fatal(err)
		}
		made, err := p.New(values, name == "key.converter")
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	t.Fatalf("there is no converter %s", settings[name])
	return nil
}

// run polls until the end.
func (d *Direct) run(ctx context.Context, task *directTask) error {
	var trouble time.Time // since when it has asked to be tried again
	for ctx.Err() == nil {
		records, err := task.task.Poll(ctx)
		if trouble.IsZero() || !errors.Is(err, plugin.ErrRetry) {
			trouble = time.Now()
		}
		if errors.Is(err, plugin.ErrRetry) && time.Since(trouble) < longest {
			continue
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, r := range records {
			if err := d.keep(task, r.Record); err != nil {
				return err
			}
		}
		if n := len(records); n > 0 {
			if err := task.task.Committed(ctx, records[n-1].At); err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

func (d *Direct) keep(task *directTask, r plugin.Record) (err error) {
	if r.Topic == "" {
		return nil
	}
	if keep, err := task.chain.Apply(&r); err != nil || !keep {
		return err
	}
	kept := Record{Time: r.Timestamp}
	if kept.Key, err = task.key.Encode(r.Topic, r.KeySchema, r.Key); err != nil {
		return err
	}
	if kept.Value, err = task.value.Encode(r.Topic, r.ValueSchema, r.Value); err != nil {
		return err
	}
	for _, h := range r.Headers {
		value, err := task.headers.EncodeHeader(r.Topic, h)
		if err != nil {
			return err
		}
		kept.Headers = append(kept.Headers, Header{h.Key, value})
	}
	kept.Key, kept.Value = slices.Clone(kept.Key), slices.Clone(kept.Value)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.topics[r.Topic] = append(d.topics[r.Topic], kept)
	return nil
}

// Sent implements Side.
func (d *Direct) Sent(t testing.TB, topic string) []Record {
	t.Helper()
	for name, task := range d.tasks {
		select {
		case <-task.done:
			if task.err != nil {
				t.Fatalf("%s failed in ours: %v", name, task.err)
			}
		default:
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.topics[topic])
}

// Stop implements Side.
func (d *Direct) Stop(t testing.TB, name string) Topics {
	t.Helper()
	task := d.tasks[name]
	d.close(t, task)
	if task.err != nil {
		t.Fatalf("%s failed in ours: %v", name, task.err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	topics := Topics{}
	for topic, records := range d.topics {
		if belongs(topic, task.prefix) {
			topics[topic] = records
		}
	}
	return topics
}

// close ends a task; a second time it does nothing.
func (d *Direct) close(t testing.TB, task *directTask) {
	if task.task == nil {
		return
	}
	task.end()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := task.task.Close(ctx); err != nil {
		t.Error(err)
	}
	task.task = nil
	<-task.done
}

// belongs says whether a topic is of the connector with the prefix.
func belongs(topic, prefix string) bool {
	return topic == prefix || strings.HasPrefix(topic, prefix+".") || strings.HasSuffix(topic, "."+prefix)
}
