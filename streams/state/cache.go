package state

// Change is what became of a key between two flushes of the record cache.
type Change[T any] struct {
	// Next is the value now, Prior the one at the last flush.
	Next, Prior       T
	HasNext, HasPrior bool
	// Timestamp of the last change in ms.
	Timestamp int64
}

// Flushing is what every store of a task has in addition, for the operators: K is
// Windowed in window and session stores.
type Flushing[K, T any] interface {
	// SetFlush makes the store hold its changes back and send one for each key to forward: when
	// the task flushes, in the order of their last change, or earlier where they take more
	// than the store's share of the cache. It returns false, and changes are to be
	// forwarded by the caller, where the store was not made with Cached.
	SetFlush(forward func(key K, c Change[T]) error) bool
}

// waiting is a change in the record cache, in a list ordered by the last change.
type waiting[T any] struct {
	prior      T
	data       []byte // of prior, in a store that keeps bytes
	had        bool
	size       int64
	prev, next *cell[T]
}

// recordCache holds the changes that were not forwarded yet.
type recordCache[T any] struct {
	forward        func(*cell[T], Change[T]) error
	oldest, newest *cell[T]
	bytes          int64
}

// hold puts a cell that is about to change into the record cache, with what it has now.
func (o *overlay[T]) hold(c *cell[T]) {
	w := &waiting[T]{had: c.is(present), size: int64(c.size)}
	if w.had {
		w.prior, w.data = c.value, c.data
		c.flags &^= owned
	}
	c.waiting = w
	o.cache.bytes += w.size
	o.cache.push(c)
}

// overflow forwards the oldest changes where they take too much.
func (o *overlay[T]) overflow() error {
	if o.cache.forward == nil {
		return nil
	}
	for o.cache.oldest != nil && o.cache.bytes > o.CacheBytes {
		if err := o.release(o.cache.oldest); err != nil {
			return err
		}
	}
	return nil
}

// Flush forwards everything that waits.
func (o *overlay[T]) Flush() error {
	for o.cache.oldest != nil {
		if err := o.release(o.cache.oldest); err != nil {
			return err
		}
	}
	return nil
}

// release forwards a change; a key that was not there and is not is none.
func (o *overlay[T]) release(c *cell[T]) (err error) {
	w := c.waiting
	o.cache.unlink(c)
	o.cache.bytes -= w.size
	c.waiting = nil
	if !w.had && !c.is(present) {
		return nil
	}
	change := Change[T]{Prior: w.prior, HasPrior: w.had, Timestamp: o.stamp(c)}
	if w.had && !o.fixed {
		if change.Prior, err = o.codec.decode(w.data); err != nil {
			return o.failed(c, "decode", err)
		}
	}
	if change.Next, change.HasNext, err = o.read(c); err != nil {
		return err
	}
	return o.cache.forward(c, change)
}

func (r *recordCache[T]) clear() {
	for c := r.oldest; c != nil; {
		next := c.waiting.next
		c.waiting = nil
		c = next
	}
	r.oldest, r.newest, r.bytes = nil, nil, 0
}

// renew makes a cell the newest.
func (r *recordCache[T]) renew(c *cell[T]) {
	if r.newest != c {
		r.unlink(c)
		r.push(c)
	}
}

func (r *recordCache[T]) push(c *cell[T]) {
	c.waiting.prev, c.waiting.next = r.newest, nil
	if r.newest != nil {
		r.newest.waiting.next = c
	} else {
		r.oldest = c
	}
	r.newest = c
}

func (r *recordCache[T]) unlink(c *cell[T]) {
	w := c.waiting
	if w.prev != nil {
		w.prev.waiting.next = w.next
	} else {
		r.oldest = w.next
	}
	if w.next != nil {
		w.next.waiting.prev = w.prev
	} else {
		r.newest = w.prev
	}
}
