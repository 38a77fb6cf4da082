package mysql

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/connect/plugin"
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
	if passing(err) {
		return nil, fmt.Errorf("%w: %w", plugin.ErrRetry, err)
	}
	return nil, err
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
				return nil, fmt.Errorf("%w: read the stored offset: %w", plugin.ErrRetry, err)
			}
			if t.at, err = positionOf(t.options.flavor, partition, offset); err != nil {
				return nil, err
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
		queue: newQueue(memory, t.options.MaxQueue), positions: t.context.Positions, from: t.at,
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	t.run, t.stop, t.done = r, stop, make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		r.queue.fail(r.do(life))
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
	<-t.done
	t.run = nil
}

// Committed has nothing to do: the server keeps its log by time or size.
func (t *task) Committed(context.Context, plugin.Position) error { return nil }

// Close ends the run.
func (t *task) Close(context.Context) error {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.halt()
	return nil
}
