package postgres

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/debezium/feed"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// task makes the records of one connector.
type task struct {
	*feed.Task[*position]
	source *source
}

func newTask(o *options, c plugin.SourceContext, headers []plugin.Header) *task {
	s := &source{options: o, context: c, headers: headers, partition: map[string]any{"server": o.Naming.Prefix}}
	return &task{Task: feed.NewTask(s, o.Settings, c, s.partition), source: s}
}

// Poll returns the next records.
func (t *task) Poll(ctx context.Context) ([]plugin.SourceRecord, error) {
	records, err := t.Task.Poll(ctx)
	if len(records) > 0 {
		t.source.used = 0
	}
	return records, err
}

// Committed lets the server know soon that the log up to there is not needed any more.
func (t *task) Committed(_ context.Context, at plugin.Position) error {
	p, ok := at.(*position)
	if ok {
		t.source.topic.Load().Stored(p.chunks.SignalOffset())
	}
	if !ok || !t.source.options.flush || p.flush == 0 {
		return nil
	}
	for {
		old := t.source.confirmed.Load()
		if uint64(p.flush) <= old || t.source.confirmed.CompareAndSwap(old, uint64(p.flush)) {
			return nil
		}
	}
}

// Close ends the run, which tells the server how far its log is needed, and drops the slot where
// that is wanted.
func (t *task) Close(ctx context.Context) error {
	if err := t.Task.Close(ctx); err != nil || !t.source.options.dropOnStop {
		return err
	}
	config, err := connection(t.source.context.Config)
	if err != nil {
		return err
	}
	c, err := replication.Connect(ctx, &config.Config)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return c.DropSlot(ctx, t.source.options.slot)
}

// source is what all runs of a task share.
type source struct {
	options   *options
	context   plugin.SourceContext
	headers   []plugin.Header
	partition map[string]any
	used      int // times in a row that the slot was in use; only Poll uses it
	// confirmed is the log position that the server may let go.
	confirmed atomic.Uint64
	// topic of signals of the last run.
	topic atomic.Pointer[debezium.SignalTopic]
	// current is the last run, for who must not wait.
	current atomic.Pointer[run]
}

// Restore a stored position.
func (s *source) Restore(offset map[string]any) (*position, error) {
	p, err := positionOf(s.partition, offset)
	if p != nil {
		p.offset = offset
	}
	return p, err
}

// Run makes records from a position on.
func (s *source) Run(ctx context.Context, to *feed.Records, from *position) error {
	r := &run{
		options: s.options, log: s.context.Logger, values: s.context.Config, partition: s.partition, headers: s.headers,
		queue: to, confirmed: &s.confirmed, positions: s.context.Positions, from: from.again(),
		kafka: s.context.Kafka, topic: &s.topic, notes: debezium.NewNotifications(s.options.Settings, s.context.Logger),
	}
	s.current.Store(r)
	return r.do(ctx)
}

// Failure says whether an error may pass. A slot that another connection uses does for a while: it
// may be that of a worker that is gone, which the server has not noticed yet.
func (s *source) Failure(ctx context.Context, err error) error {
	if slotInUse(err) {
		if s.used++; s.used > s.options.slotRetries {
			return fmt.Errorf("the replication slot %q is used by another connection: stop it, or give this connector a slot.name of its own: %w", s.options.slot, err)
		}
		select {
		case <-time.After(s.options.slotDelay):
		case <-ctx.Done():
		}
		return fmt.Errorf("%w: the replication slot %q is in use: %w", plugin.ErrRetry, s.options.slot, err)
	}
	if passing(err) {
		return fmt.Errorf("%w: %w", plugin.ErrRetry, err)
	}
	return err
}
