// Package batch gathers items and flushes them many at a time: by count, by bytes,
// or once the first has waited for a while. Each item gets a result of its own.
//
// A Batcher is idle until an item comes, which starts a timer. It flushes when the
// batch is full or the timer ends, whichever is first; items that follow do not
// start the timer anew. Without a timer (Linger 0) it flushes as soon as a flush is
// free, and whatever came meanwhile goes together: a single caller waits for
// nothing, many callers share flushes.
//
// Items with the same key are never in two flushes at a time, and keep their order.
// What was accepted and has no result yet is bounded in bytes: Do and Submit wait
// for room.
//
// The package imports only the standard library; Batcher is a lifecycle.Service.
package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Errors of an item.
var (
	// ErrStopped: the Batcher does not run, or was stopped before the item's flush
	// succeeded.
	ErrStopped = errors.New("batch: stopped")
	// ErrTooLarge: the item alone is larger than Config.MaxPendingBytes.
	ErrTooLarge = errors.New("batch: item larger than MaxPendingBytes")
	// ErrUnanswered: the caller's context ended after the item was accepted. It will
	// be flushed, and nobody learns what became of it.
	ErrUnanswered = errors.New("batch: gave up waiting for the item's result")
	// ErrResults: the flush function returned another number of results than it got
	// items. What became of them is unknown.
	ErrResults = errors.New("batch: wrong number of results")
)

// Result is what became of one item.
type Result[R any] struct {
	Value R
	Err   error
}

// Flush handles items. It returns a result for each, in their order, or none at
// all where every one succeeded with the zero value. Its error is of all items:
// they are flushed again, as Config.Attempts says. It owns neither the slice nor
// what it returns after it returned. ctx ends only where Stop gives up.
type Flush[T, R any] func(ctx context.Context, items []T) ([]Result[R], error)

// Batcher gathers items. Make it with New; it accepts items from Start to Stop.
type Batcher[T, R any] struct {
	cfg     Config[T]
	flush   Flush[T, R]
	problem error // of the configuration

	mu        sync.Mutex
	run       *run // nil where it does not run
	accepting bool
	machine   *machine[*entry[T, R]]
	room      room
	// disarm cancels the timer that is set.
	disarm func()
	drains map[int]chan struct{}
	drain  int

	life    sync.Mutex // Start and Stop
	entries sync.Pool  // of Do
}

// entry is an item on its way to a result.
type entry[T, R any] struct {
	item   T
	key    string
	size   int
	result chan Result[R] // holds one
}

// New returns a Batcher. What is wrong with the configuration is told by Start.
func New[T, R any](c Config[T], flush func(ctx context.Context, items []T) ([]Result[R], error)) *Batcher[T, R] {
	return &Batcher[T, R]{cfg: c.withDefaults(), flush: flush, problem: c.validate()}
}

// Do hands an item in and waits for its result. Where ctx ends before the item is
// accepted its error is ctx's, and nothing was done; after that it wraps
// ErrUnanswered and ctx's. Otherwise it is the item's own error, the last one of
// its flush, ErrStopped or ErrTooLarge.
func (b *Batcher[T, R]) Do(ctx context.Context, item T) (R, error) {
	var none R
	e, _ := b.entries.Get().(*entry[T, R])
	if e == nil {
		e = &entry[T, R]{result: make(chan Result[R], 1)}
	}
	alone, err := b.accept(ctx, e, item, b.cfg.InCaller)
	if err != nil {
		return none, err
	}
	if alone != nil {
		alone(ctx)
	}
	select {
	case r := <-e.result:
		e.item = *new(T)
		b.entries.Put(e)
		return r.Value, r.Err
	case <-ctx.Done():
		if alone != nil { // its result is there, too
			r := <-e.result
			return r.Value, r.Err
		}
		return none, fmt.Errorf("%w: %w", ErrUnanswered, ctx.Err())
	}
}

// Submit hands an item in and waits only for room. The channel gets one result.
func (b *Batcher[T, R]) Submit(ctx context.Context, item T) (<-chan Result[R], error) {
	e := &entry[T, R]{result: make(chan Result[R], 1)}
	if _, err := b.accept(ctx, e, item, false); err != nil {
		return nil, err
	}
	return e.result, nil
}

// Drain flushes what was accepted, and returns when all of that has results. Where
// it returns early its error is ctx's, or ErrStopped where Stop gave items up.
func (b *Batcher[T, R]) Drain(ctx context.Context) error {
	b.mu.Lock()
	if b.run == nil {
		b.mu.Unlock()
		return ErrStopped
	}
	run := b.run
	drained := make(chan struct{})
	b.drain++
	b.drains[b.drain] = drained
	b.apply(b.machine.drain(b.drain))
	b.mu.Unlock()
	select {
	case <-drained:
		return nil
	case <-run.hard.Done():
	case <-ctx.Done():
	}
	select {
	case <-drained: // at the same moment: Stop ends the run once all is flushed
		return nil
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return ErrStopped
}

// Pending is how many items have no result yet, and their bytes.
func (b *Batcher[T, R]) Pending() (items, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.machine == nil {
		return 0, 0
	}
	return b.machine.outstanding(), b.room.used
}
