// Package coord is what the coordinators of groups and of transactions are
// built on: decisions under one lock, answers that wait until the log holds
// what they tell of, and deadlines.
//
// A coordinator changes its memory at once, appends records, and holds back
// every answer that could tell of them until they are durable. So decisions
// never wait for the disk, nobody learns of what a crash could undo, and the
// log holds decisions in the order in which they were made.
package coord

import (
	"sync"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
)

// Log keeps records. It is called under a coordinator's lock.
type Log interface {
	// Append queues records, all or none of which survive a crash, and returns
	// without waiting. It owns them from then on. It calls done once, after
	// Append has returned: with nil when they are durable, else with why not.
	// Records become durable, and done is called, in the order of the calls.
	Append(records []keylog.Record, done func(error))
	// Full says that so much is queued that requests are to be refused for now.
	Full() bool
}

// Core is the lock, the queue of answers and the deadlines of one coordinator.
// Its methods except Do, Tick, NextDeadline and Err are called within Do only.
type Core struct {
	mu       sync.Mutex
	log      Log
	timers   timers
	appended uint64   // sets given to the log
	durable  uint64   // of these, how many are durable
	waiting  []answer // in the order of their sets
	ready    []func() // to be called once the lock is free
	failed   error
	wake     func()
	earliest time.Time // the deadline that was last told to wake
	quiet    bool
}

type answer struct {
	after uint64 // the set that must be durable first
	give  func(error)
}

// NewCore makes a core over log. wake, unless nil, is called without the lock
// whenever the next deadline has come nearer; it must not block.
func NewCore(log Log, wake func()) *Core {
	return &Core{log: log, wake: wake, timers: newTimers()}
}

// Do runs decide under the lock, then gives the answers that are due, without
// it: they may call the coordinator again, and one that blocks holds up its
// caller alone.
func (c *Core) Do(decide func()) {
	c.mu.Lock()
	decide()
	ready := c.ready
	c.ready = nil
	if c.nearer() && c.wake != nil {
		ready = append(ready, c.wake)
	}
	c.mu.Unlock()
	for _, give := range ready {
		give()
	}
}

// nearer says whether the next deadline is earlier than the last one told.
func (c *Core) nearer() bool {
	next, ok := c.timers.next()
	before := c.earliest
	c.earliest = next
	return ok && (before.IsZero() || next.Before(before))
}

// Append gives the log one atomic set of records. Once the log has failed it
// does nothing: what is in memory is then more than what is kept.
func (c *Core) Append(records ...keylog.Record) {
	if c.failed != nil || len(records) == 0 {
		return
	}
	c.appended++
	set := c.appended
	c.log.Append(records, func(err error) {
		c.Do(func() { c.settle(set, err) })
	})
}

// settle takes note that a set is durable, or that the log has failed.
func (c *Core) settle(set uint64, err error) {
	if err != nil && c.failed == nil {
		c.failed = err
	}
	if err == nil && c.failed == nil {
		c.durable = max(c.durable, set)
	}
	n := 0
	for n < len(c.waiting) && (c.failed != nil || c.waiting[n].after <= c.durable) {
		give, failed := c.waiting[n].give, c.failed
		c.ready = append(c.ready, func() { give(failed) })
		n++
	}
	c.waiting = c.waiting[n:]
	if len(c.waiting) == 0 {
		c.waiting = nil
	}
}

// Reply gives an answer once everything appended so far is durable, or the
// error of the log, whose records are then in doubt until a restart.
func (c *Core) Reply(give func(error)) {
	if c.failed != nil || c.durable == c.appended {
		failed := c.failed
		c.ready = append(c.ready, func() { give(failed) })
		return
	}
	c.waiting = append(c.waiting, answer{after: c.appended, give: give})
}

// Now gives an answer that tells of nothing kept, without waiting for the log.
func (c *Core) Now(give func()) {
	c.ready = append(c.ready, give)
}

// Durable says whether everything up to the set that Mark returned is durable.
func (c *Core) Durable(set uint64) bool { return c.failed == nil && set <= c.durable }

// Mark numbers the last set appended, for Durable.
func (c *Core) Mark() uint64 { return c.appended }

// Failed is why the log failed, nil while it has not. After that nothing is
// decided any more: answer with an error until the coordinator is built anew.
func (c *Core) Failed() error { return c.failed }

// Unavailable says whether requests are refused, which may be tried again: the log has failed,
// or too much waits for it.
func (c *Core) Unavailable() bool { return c.failed != nil || c.log.Full() }

// Err is Failed for callers outside Do.
func (c *Core) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed
}

// Quiet has no deadline fire any more.
func (c *Core) Quiet() { c.quiet = true }

// Set arms the deadline of a key, which must be comparable, instead of the one
// it had. fire runs under the lock.
func (c *Core) Set(key any, at time.Time, fire func()) { c.timers.set(key, at, fire) }

// Cancel disarms the deadline of a key, if it has one.
func (c *Core) Cancel(key any) { c.timers.cancel(key) }

// NextDeadline is when Tick has something to do; false while there is nothing.
func (c *Core) NextDeadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.timers.next()
}

// Tick fires the deadlines up to now, earliest first.
func (c *Core) Tick(now time.Time) {
	c.Do(func() {
		for fire := c.timers.pop(now); fire != nil; fire = c.timers.pop(now) {
			if c.failed == nil && !c.quiet {
				fire()
			}
		}
	})
}
