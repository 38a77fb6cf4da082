package entity

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
)

// turn is a place in an entity's mailbox. Whoever has the turn is the entity's
// one writer.
type turn[S any] struct {
	// run has the turn while it runs, on a goroutine of the host. Where nil, granted
	// is closed and the turn ends with release.
	run     func(*entity[S])
	granted chan struct{}
}

// enqueue puts a turn into the mailbox, and begins it where the entity is free.
func (h *Host[C, S, R]) enqueue(who identity, t *turn[S]) (*entity[S], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.running:
		return nil, fmt.Errorf("%s: %w", who.pid, ErrStopped)
	case h.pending >= h.cfg.MaxPending:
		h.counts.busy.Add(1)
		return nil, fmt.Errorf("%s: %w: the host has %d", who.pid, ErrBusy, h.pending)
	}
	e := h.cast.touch(who, h.cfg.Clock())
	if len(e.queue) >= h.cfg.MailboxSize {
		h.counts.busy.Add(1)
		return nil, fmt.Errorf("%s: %w: %d for this entity", who.pid, ErrBusy, len(e.queue))
	}
	h.pending++
	if e.busy {
		e.queue = append(e.queue, t)
		return e, nil
	}
	e.busy = true
	h.begin(e, t)
	h.passivate(h.cast.excess(h.cfg))
	return e, nil
}

// begin gives the turn; with the lock held. Each turn that is not on a goroutine of
// ours counts as work by itself.
func (h *Host[C, S, R]) begin(e *entity[S], t *turn[S]) {
	if t.run == nil {
		h.work.Add(1)
		close(t.granted)
		return
	}
	h.work.Go(func() {
		for next := t; next != nil; next = h.end(e) {
			next.run(e)
		}
	})
}

// end ends the turn and returns the next one, where it is to be run by the caller.
func (h *Host[C, S, R]) end(e *entity[S]) *turn[S] {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pending--
	h.cast.use(e, h.cfg.Clock())
	if len(e.queue) == 0 {
		e.busy, e.queue = false, nil
		h.passivate(h.cast.excess(h.cfg))
		return nil
	}
	next := e.queue[0]
	e.queue[0] = nil
	e.queue = e.queue[1:]
	if next.run == nil {
		h.begin(e, next)
		return nil
	}
	return next
}

// release ends a turn that was granted.
func (h *Host[C, S, R]) release(e *entity[S]) {
	defer h.work.Done()
	if next := h.end(e); next != nil {
		h.work.Go(func() {
			for ; next != nil; next = h.end(e) {
				next.run(e)
			}
		})
	}
}

// leave takes a turn that has not begun out of the mailbox.
func (h *Host[C, S, R]) leave(e *entity[S], t *turn[S]) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := slices.Index(e.queue, t)
	if at < 0 {
		return false
	}
	e.queue = slices.Delete(e.queue, at, at+1)
	h.pending--
	return true
}

// call is a command on its way.
type call[C, R any] struct {
	ctx     context.Context
	command C
	stage   atomic.Int32
	done    chan struct{}
	reply   R // after done
	err     error
}

// Stages of a call.
const (
	undecided int32 = iota // nothing was written
	writing
	givenUp
)

// commit is what the writer calls before it writes; false where the caller has
// gone.
func (c *call[C, R]) commit() bool { return c.stage.CompareAndSwap(undecided, writing) }

// undo follows a conflict: nothing was written.
func (c *call[C, R]) undo() { c.stage.Store(undecided) }

// giveUp is what the caller calls when it goes; false where it is too late.
func (c *call[C, R]) giveUp() bool { return c.stage.CompareAndSwap(undecided, givenUp) }

func (c *call[C, R]) abandoned() bool { return c.stage.Load() == givenUp }
