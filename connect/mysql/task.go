package mysql

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// task makes the records of one connector.
type task struct {
	*feed.Task[*position]
	source *source
}

// Committed has the topic of signals know: the server keeps its log by time or size.
func (t *task) Committed(_ context.Context, at plugin.Position) error {
	if p, ok := at.(*position); ok {
		t.source.topic.Load().Stored(p.chunks.SignalOffset())
	}
	return nil
}

// source makes the records of one connector's task.
type source struct {
	options   *options
	context   plugin.SourceContext
	headers   []plugin.Header
	partition map[string]any
	// topic of signals of the last run.
	topic atomic.Pointer[debezium.SignalTopic]
	// current is the last run, for who must not wait.
	current atomic.Pointer[run]
}

var _ plugin.Observed = (*task)(nil)

// Observe how far the task is.
func (t *task) Observe() plugin.Observation {
	r := t.source.current.Load()
	if r == nil {
		return plugin.Observation{}
	}
	o := plugin.Observation{Tables: int(r.tablesWanted.Load()), TablesDone: int(r.tablesRead.Load())}
	o.QueueBytes, o.QueueLimit = r.queue.Fill()
	return o
}

func newTask(o *options, c plugin.SourceContext, headers []plugin.Header) plugin.SourceTask {
	s := &source{options: o, context: c, headers: headers, partition: map[string]any{"server": o.Naming.Prefix}}
	return &task{Task: feed.NewTask(s, o.Settings, c, s.partition), source: s}
}

// Restore a stored position.
func (s *source) Restore(offset map[string]any) (*position, error) {
	return positionOf(s.options.flavor, s.partition, offset)
}

// Run makes records from a position on.
func (s *source) Run(ctx context.Context, to *feed.Records, from *position) error {
	r := &run{
		options: s.options, log: s.context.Logger, values: s.context.Config, partition: s.partition, headers: s.headers,
		queue: to, positions: s.context.Positions, from: from,
		kafka: s.context.Kafka, topic: &s.topic, notes: debezium.NewNotifications(s.options.Settings, s.context.Logger),
	}
	s.current.Store(r)
	return r.do(ctx)
}

// Failure says whether an error may pass.
func (*source) Failure(_ context.Context, err error) error {
	if passing(err) {
		return fmt.Errorf("%w: %w", plugin.ErrRetry, err)
	}
	return err
}
