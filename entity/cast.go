package entity

import (
	"context"
	"sync/atomic"
	"time"
)

// entity is one in memory. It has no goroutine, timer or channel of its own.
type entity[S any] struct {
	identity
	// current is the last committed state this host knows of, nil before the first
	// was read; Read takes it without asking anybody.
	current atomic.Pointer[version[S]]
	// stale says that the writer must read the state before it decides.
	stale atomic.Bool
	// erased counts how often the entity was; what was read before is not shown after.
	erased atomic.Int64
	fault  atomic.Pointer[fault]
	// writer is the UUID of the next append; the host's where empty. Only who has the
	// turn uses it.
	writer string

	// Guarded by the host's lock.
	busy       bool
	queue      []*turn[S]
	used       int64 // Unix nanoseconds
	bytes      int64
	prev, next *entity[S]
}

// fault keeps an entity that cannot be recovered from being read all the time.
type fault struct {
	err      error
	until    time.Time
	failures int
}

// cast is the entities in memory, the longest unused first. It has no lock of its
// own.
type cast[S any] struct {
	all   map[string]*entity[S]
	ring  *entity[S] // ring.next is the longest unused one
	bytes int64
	drain context.CancelFunc // of the sweep
}

func newCast[S any]() cast[S] {
	ring := &entity[S]{}
	ring.prev, ring.next = ring, ring
	return cast[S]{all: map[string]*entity[S]{}, ring: ring}
}

// touch finds the entity or makes it.
func (c *cast[S]) touch(who identity, now time.Time) *entity[S] {
	e := c.all[who.pid]
	if e == nil {
		e = &entity[S]{identity: who}
		c.all[who.pid] = e
		e.prev, e.next = e, e
	}
	c.use(e, now)
	return e
}

// use makes it the last to go; one that has gone stays away.
func (c *cast[S]) use(e *entity[S], now time.Time) {
	if c.all[e.pid] != e {
		return
	}
	e.used = now.UnixNano()
	c.unlink(e)
	e.prev, e.next = c.ring.prev, c.ring
	e.prev.next, e.next.prev = e, e
}

func (c *cast[S]) unlink(e *entity[S]) {
	e.prev.next, e.next.prev = e.next, e.prev
	e.prev, e.next = e, e
}

// weigh notes the size of an entity's state.
func (c *cast[S]) weigh(e *entity[S], bytes int64) {
	if c.all[e.pid] != e {
		return
	}
	c.bytes += bytes - e.bytes
	e.bytes = bytes
}

func (c *cast[S]) remove(e *entity[S]) {
	c.unlink(e)
	c.bytes -= e.bytes
	delete(c.all, e.pid)
}

// excess is the entities to let go because of the bounds.
func (c *cast[S]) excess(cfg Config) (gone []*entity[S]) {
	count, bytes := len(c.all), c.bytes
	for e := c.ring.next; e != c.ring && over(count, bytes, cfg); e = e.next {
		if !e.busy {
			gone = append(gone, e)
			count, bytes = count-1, bytes-e.bytes
		}
	}
	return gone
}

func over(count int, bytes int64, cfg Config) bool {
	return count > cfg.MaxLive || cfg.MaxLiveBytes > 0 && bytes > cfg.MaxLiveBytes
}

// idle is the entities that nobody used since then, at most that many.
func (c *cast[S]) idle(since time.Time, limit int) (gone []*entity[S]) {
	for e := c.ring.next; e != c.ring && e.used <= since.UnixNano() && len(gone) < limit; e = e.next {
		if !e.busy {
			gone = append(gone, e)
		}
	}
	return gone
}

// passivate lets entities go; with the lock held.
func (h *Host[C, S, R]) passivate(gone []*entity[S]) {
	for _, e := range gone {
		h.cast.remove(e)
		h.health.recovered(e.pid)
	}
	h.counts.passivated.Add(len(gone))
}

// sweepAll lets idle entities go, one clock for all of them.
func (h *Host[C, S, R]) sweepAll(ctx context.Context) {
	if h.cfg.IdleTimeout < 0 {
		return
	}
	ticker := time.NewTicker(min(max(h.cfg.IdleTimeout/8, time.Millisecond), 10*time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			for h.sweep() && ctx.Err() == nil {
			}
		}
	}
}

// sweep lets some idle entities go, and says whether there may be more: nobody
// waits long for the lock.
func (h *Host[C, S, R]) sweep() (more bool) {
	const atOnce = 1000
	h.mu.Lock()
	defer h.mu.Unlock()
	gone := h.cast.idle(h.cfg.Clock().Add(-h.cfg.IdleTimeout), atOnce)
	h.passivate(gone)
	return len(gone) == atOnce
}
