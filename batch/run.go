package batch

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// run is the time from Start to Stop.
type run struct {
	// hard ends where Stop gives up.
	hard   context.Context
	giveUp context.CancelFunc
	// stopping is closed by Stop: nothing new is accepted.
	stopping chan struct{}
	flights  sync.WaitGroup
}

// Start accepts items from now on. It fails where the configuration is wrong.
func (b *Batcher[T, R]) Start(ctx context.Context) error {
	b.life.Lock()
	defer b.life.Unlock()
	if b.problem != nil {
		return b.problem
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run != nil {
		return errors.New("batch: it runs already")
	}
	r := &run{stopping: make(chan struct{})}
	r.hard, r.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	c := b.cfg
	b.machine = newMachine[*entry[T, R]](limits{
		items: c.MaxItems, bytes: c.MaxBytes, flushes: c.Flushes, onePerKey: c.OnePerKey, lingers: c.Linger > 0,
	})
	b.room = room{limit: c.MaxPendingBytes}
	b.drains = map[int]chan struct{}{}
	b.run, b.accepting = r, true
	return nil
}

// Stop accepts nothing new, flushes what was accepted and returns when all has
// results. Where ctx ends first, flushes under way are cancelled and waited for,
// what has no result gets ErrStopped, and ctx's error is returned.
func (b *Batcher[T, R]) Stop(ctx context.Context) error {
	b.life.Lock()
	defer b.life.Unlock()
	b.mu.Lock()
	r := b.run
	if r == nil {
		b.mu.Unlock()
		return nil
	}
	b.accepting = false
	close(r.stopping)
	b.room.clear()
	b.apply(b.machine.close())
	flushed := make(chan struct{})
	b.drain++
	b.drains[b.drain] = flushed
	b.apply(b.machine.drain(b.drain))
	b.mu.Unlock()

	var err error
	select {
	case <-flushed:
	case <-ctx.Done():
		err = ctx.Err()
		b.abandon()
	}
	r.giveUp()
	r.flights.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.run = nil
	return err
}

// abandon fails what is not in flight, and cancels what is.
func (b *Batcher[T, R]) abandon() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.machine.abandon() {
		b.answer(e, Result[R]{Err: ErrStopped})
	}
	b.run.giveUp()
}

// accept waits for room and adds the item. Where the caller is to flush it, and it
// can go at once and alone, alone does that.
func (b *Batcher[T, R]) accept(ctx context.Context, e *entry[T, R], item T, byCaller bool) (alone func(context.Context), err error) {
	e.item, e.key, e.size = item, b.cfg.Key(item), max(0, b.cfg.Size(item))
	if e.size > b.cfg.MaxPendingBytes {
		return nil, fmt.Errorf("%w: %q takes %d bytes, got one of %d", ErrTooLarge, b.cfg.Name, b.cfg.MaxPendingBytes, e.size)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	b.mu.Lock()
	if !b.accepting {
		b.mu.Unlock()
		return nil, ErrStopped
	}
	if b.room.take(e.size) {
		s := b.machine.add(e, e.key, e.size)
		if byCaller && len(s.flights) == 1 && len(s.flights[0].items) == 1 && s.flights[0].items[0] == e {
			alone = b.inCaller(s.flights[0])
			s.flights = nil
		}
		b.apply(s)
		b.mu.Unlock()
		return alone, nil
	}
	return nil, b.awaitRoom(ctx, e)
}

// inCaller is a flight as its only item's caller makes it. b.mu is held.
func (b *Batcher[T, R]) inCaller(f *flight[*entry[T, R]]) func(context.Context) {
	r := b.run
	r.flights.Add(1)
	return func(ctx context.Context) {
		either, cancel := context.WithCancel(r.hard)
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		b.fly(either, r, f)
	}
}

// awaitRoom adds the item once there is room. b.mu is held, and released.
func (b *Batcher[T, R]) awaitRoom(ctx context.Context, e *entry[T, R]) error {
	granted := make(chan struct{})
	place := b.room.wait(e.size, func() {
		close(granted)
		b.apply(b.machine.add(e, e.key, e.size))
	})
	r := b.run
	b.mu.Unlock()
	select {
	case <-granted:
		return nil
	case <-ctx.Done():
	case <-r.stopping:
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-granted: // meanwhile
		return nil
	default:
	}
	b.room.leave(place)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return ErrStopped
}

// apply does what the machine decided. b.mu is held.
func (b *Batcher[T, R]) apply(s step[*entry[T, R]]) {
	for _, f := range s.flights {
		r := b.run
		r.flights.Add(1)
		go b.fly(r.hard, r, f)
	}
	if s.disarm {
		b.disarm()
	}
	if s.arm {
		r := b.run
		b.disarm = b.cfg.Clock(b.cfg.Linger, func() { b.expired(r, s.timer) })
	}
	for _, id := range s.drained {
		close(b.drains[id])
		delete(b.drains, id)
	}
}

func (b *Batcher[T, R]) expired(r *run, timer uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.run == r { // otherwise it is one of an earlier run
		b.apply(b.machine.expired(timer))
	}
}

// fly flushes until the items have results.
func (b *Batcher[T, R]) fly(ctx context.Context, r *run, f *flight[*entry[T, R]]) {
	defer r.flights.Done()
	items := make([]T, len(f.items))
	for i, e := range f.items {
		items[i] = e.item
	}
	results, err := []Result[R](nil), errPanicked
	defer func() { b.land(f, results, err) }() // also where a panic goes on to the caller
	results, err = b.attempt(ctx, r, items)
}

// errPanicked is the result of the items of a flush that did not return.
var errPanicked = fmt.Errorf("%w: the flush panicked", ErrResults)

// land hands out the results.
func (b *Batcher[T, R]) land(f *flight[*entry[T, R]], results []Result[R], err error) {
	bytes := 0
	for i, e := range f.items {
		bytes += e.size
		var result Result[R]
		switch {
		case err != nil:
			result.Err = err
		case results != nil:
			result = results[i]
		}
		e.result <- result
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// What waits for room joins before the next flush is cut.
	b.room.giveBack(bytes)
	b.apply(b.machine.landed(f))
}

// attempt flushes until it succeeds or is given up.
func (b *Batcher[T, R]) attempt(ctx context.Context, r *run, items []T) ([]Result[R], error) {
	for failures := 1; ; failures++ {
		results, err := b.flush(ctx, items)
		switch {
		case err == nil && results != nil && len(results) != len(items):
			return nil, fmt.Errorf("%w: %q: %d for %d items", ErrResults, b.cfg.Name, len(results), len(items))
		case err == nil:
			return results, nil
		case r.hard.Err() == nil && failures == b.cfg.Attempts:
			return nil, err
		case r.hard.Err() == nil:
			b.cfg.Logger.Warn("flush failed, the batch is tried again", "batch", b.cfg.Name, "items", len(items), "failures", failures, "error", err)
			b.pause(r, failures)
		}
		if r.hard.Err() != nil {
			return nil, fmt.Errorf("%w: the last flush: %w", ErrStopped, err)
		}
	}
}

// pause waits between attempts. Stop cuts short the one it comes upon.
func (b *Batcher[T, R]) pause(r *run, failures int) {
	over := make(chan struct{})
	cancel := b.cfg.Clock(b.cfg.Backoff.After(failures), func() { close(over) })
	defer cancel()
	stopping := r.stopping
	select {
	case <-stopping:
		stopping = nil // known already
	default:
	}
	select {
	case <-over:
	case <-stopping:
	case <-r.hard.Done():
	}
}

// answer gives an item that is not in flight its result. b.mu is held.
func (b *Batcher[T, R]) answer(e *entry[T, R], result Result[R]) {
	b.room.used -= e.size // nobody waits for it any more
	e.result <- result    // from now on the entry is its caller's
}
