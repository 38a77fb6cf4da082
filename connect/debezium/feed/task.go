package feed

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/debezium"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Records are those that wait for Poll.
type Records = Queue[plugin.SourceRecord]

// NewRecords is a queue as large as the settings and the task's memory allow.
func NewRecords(s *debezium.Settings, memory int64) *Records {
	return NewQueue(Memory(s, memory), s.MaxQueue, func(r *plugin.SourceRecord) int { return r.Bytes })
}

// defaultMemory is for contexts that do not say how much there is.
const defaultMemory = 64 << 20

// Memory is how many bytes a task may hold in queues: those of its context, where 0 is 64 MB, or of
// max.queue.size.in.bytes where that is less.
func Memory(s *debezium.Settings, memory int64) int64 {
	if memory <= 0 {
		memory = defaultMemory
	}
	if s.MaxQueueBytes > 0 {
		memory = min(memory, s.MaxQueueBytes)
	}
	return memory
}

// Source makes the records of a Task. P is its type of positions, a pointer, where nil is the
// beginning.
type Source[P plugin.Position] interface {
	// Restore the position that a stored offset is; nil of nil.
	Restore(offset map[string]any) (P, error)
	// Run puts the records after a position into the queue, until the context ends, until there are
	// no more, which is no error, or something fails. One Run at a time is under way, in a goroutine
	// of its own. All positions of its records are of the type P.
	Run(ctx context.Context, to *Records, from P) error
	// Failure is what Poll returns after Run failed: it wraps plugin.ErrRetry where the error may
	// pass, and may wait before it does.
	Failure(ctx context.Context, err error) error
}

// Task polls a source. Run makes its records from the first Poll until Close or an error; after an
// error that may pass, the next Poll starts another Run where the last record was.
type Task[P plugin.Position] struct {
	source    Source[P]
	settings  *debezium.Settings
	context   plugin.SourceContext
	partition map[string]any

	mu     sync.Mutex
	closed bool
	queue  *Records // nil while nothing runs
	stop   context.CancelFunc
	done   chan struct{}

	// at is the last position that Poll returned; only Poll uses it.
	at     P
	loaded bool
}

// NewTask of a source, whose positions are stored under a partition.
func NewTask[P plugin.Position](source Source[P], s *debezium.Settings, c plugin.SourceContext, partition map[string]any) *Task[P] {
	return &Task[P]{source: source, settings: s, context: c, partition: partition}
}

// pollWait is how long Poll waits for records.
const pollWait = time.Second

// Poll returns the next records, at most max.batch.size; none where none come for a second.
func (t *Task[P]) Poll(ctx context.Context) ([]plugin.SourceRecord, error) {
	q, err := t.running(ctx)
	if err != nil {
		return nil, err
	}
	records, ended, err := q.Take(ctx, t.settings.MaxBatch, pollWait)
	if n := len(records); n > 0 {
		t.at = records[n-1].At.(P)
		return records, nil
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !ended:
		return nil, nil
	case err == nil: // all that there is was made
		return nil, idle(ctx)
	}
	t.halt()
	return nil, t.source.Failure(ctx, err)
}

func idle(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollWait):
		return nil
	}
}

// running is the queue of the Run under way, or of a new one.
func (t *Task[P]) running(ctx context.Context) (*Records, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, context.Canceled
	}
	if t.queue != nil {
		return t.queue, nil
	}
	if err := t.load(ctx); err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	q, done, from := NewRecords(t.settings, t.context.Memory), make(chan struct{}), t.at
	t.queue, t.stop, t.done = q, stop, done
	go func() {
		defer close(done)
		q.End(Guard(func() error { return t.source.Run(life, q, from) }))
	}()
	return q, nil
}

// load the stored position, once.
func (t *Task[P]) load(ctx context.Context) (err error) {
	if t.loaded || t.context.Offset == nil {
		return nil
	}
	offset, err := t.context.Offset(ctx, t.partition)
	if err != nil {
		return fmt.Errorf("read the stored offset: %w", err) // which says whether it passes
	}
	if t.at, err = t.source.Restore(offset); err != nil {
		return err
	}
	t.loaded = true
	return nil
}

// halt ends the Run under way and waits for it.
func (t *Task[P]) halt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue == nil {
		return
	}
	t.stop()
	<-t.done
	t.queue = nil
}

// Committed has nothing to do: sources that tell their server how far its log is needed have their
// own.
func (t *Task[P]) Committed(context.Context, plugin.Position) error { return nil }

// Close ends the Run under way and waits for it.
func (t *Task[P]) Close(context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.halt()
	return nil
}
