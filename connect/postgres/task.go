package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/postgres/internal/replication"
)

// task makes the records of one connector. Its run makes them in a goroutine of its own, from the
// first Poll until Close or an error; after an error that may pass, the next Poll starts another
// one where the last record was.
type task struct {
	options *options
	context plugin.SourceContext
	headers []plugin.Header

	mu     sync.Mutex
	closed bool
	run    *run
	stop   context.CancelFunc
	done   chan struct{}

	// at is the last position that Poll returned; only Poll uses it.
	at     *position
	loaded bool
	used   int // times in a row that the slot was in use
	// confirmed is the log position that the server may let go.
	confirmed atomic.Uint64
}

// pollWait is how long Poll waits for records.
const pollWait = time.Second

// defaultMemory is for contexts that do not say how much there is.
const defaultMemory = 64 << 20

// Poll returns the next records.
func (t *task) Poll(ctx context.Context) ([]plugin.SourceRecord, error) {
	q, err := t.running(ctx)
	if err != nil {
		return nil, err
	}
	records, done, err := q.take(ctx, t.options.MaxBatch, pollWait)
	if n := len(records); n > 0 {
		t.at = records[n-1].At.(*position)
		t.used = 0
		return records, nil
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !done:
		return nil, nil
	case err == nil: // all that there is was made
		return nil, idle(ctx)
	}
	t.halt()
	return nil, t.failure(ctx, err)
}

func idle(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pollWait):
		return nil
	}
}

// running is the queue of the run under way, or of a new one.
func (t *task) running(ctx context.Context) (*queue, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil, context.Canceled
	}
	if t.run != nil {
		return t.run.queue, nil
	}
	partition := map[string]any{"server": t.options.Naming.Prefix}
	if !t.loaded {
		if t.context.Offset != nil {
			offset, err := t.context.Offset(ctx, partition)
			if err != nil {
				return nil, fmt.Errorf("read the stored offset: %w", err) // which says whether it passes
			}
			if t.at, err = positionOf(partition, offset); err != nil {
				return nil, err
			}
			if t.at != nil {
				t.at.offset = offset
			}
		}
		t.loaded = true
	}
	memory := t.context.Memory
	if memory <= 0 {
		memory = defaultMemory
	}
	if most := t.options.MaxQueueBytes; most > 0 {
		memory = min(memory, most)
	}
	r := &run{
		options: t.options, log: t.context.Logger, values: t.context.Config, partition: partition, headers: t.headers,
		queue: newQueue(memory, t.options.MaxQueue), confirmed: &t.confirmed, positions: t.context.Positions, from: t.at,
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	t.run, t.stop, t.done = r, stop, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		r.queue.fail(guard(func() error { return r.do(life) }))
	}(t.done)
	return r.queue, nil
}

// halt ends the run under way and waits for it.
func (t *task) halt() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.run == nil {
		return
	}
	t.stop()
	t.run.interrupt()
	<-t.done
	t.run = nil
}

// failure says whether an error may pass. A slot that another connection uses does for a while: it
// may be that of a worker that is gone, which the server has not noticed yet.
func (t *task) failure(ctx context.Context, err error) error {
	if slotInUse(err) {
		if t.used++; t.used > t.options.slotRetries {
			return fmt.Errorf("the replication slot %q is used by another connection: stop it, or give this connector a slot.name of its own: %w", t.options.slot, err)
		}
		select {
		case <-time.After(t.options.slotDelay):
		case <-ctx.Done():
		}
		return fmt.Errorf("%w: the replication slot %q is in use: %w", plugin.ErrRetry, t.options.slot, err)
	}
	if passing(err) {
		return fmt.Errorf("%w: %w", plugin.ErrRetry, err)
	}
	return err
}

// Committed lets the server know soon that the log up to there is not needed any more.
func (t *task) Committed(_ context.Context, at plugin.Position) error {
	p, ok := at.(*position)
	if !ok || !t.options.flush || p.flush == 0 {
		return nil
	}
	for {
		old := t.confirmed.Load()
		if uint64(p.flush) <= old || t.confirmed.CompareAndSwap(old, uint64(p.flush)) {
			return nil
		}
	}
}

// Close ends the run, tells the server how far its log is needed, and drops the slot where that is
// wanted.
func (t *task) Close(ctx context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.halt()
	if !t.options.dropOnStop {
		return nil
	}
	config, err := connection(t.context.Config)
	if err != nil {
		return err
	}
	c, err := replication.Connect(ctx, &config.Config)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	return c.DropSlot(ctx, t.options.slot)
}
