package state

import "github.com/pabal-dev/pabal/streams/internal/local"

// Log sends each change to the changelog. Without one it sees to it that Apply, after the
// transaction, has nothing left that could fail in the store's serializer.
func (o *overlay[T]) Log() error {
	if o.StoreContext.Log == nil {
		return o.encodeAll()
	}
	for _, c := range o.dirty {
		if !c.is(unlogged) {
			continue
		}
		if err := o.log(c); err != nil {
			return err
		}
		c.flags &^= unlogged | owned
	}
	return nil
}

func (o *overlay[T]) encodeAll() error {
	for _, c := range o.dirty {
		if c.is(present) {
			if err := o.encode(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *overlay[T]) log(c *cell[T]) error {
	if c.is(silent) {
		return nil
	}
	key := o.carve(func(dst []byte) []byte { return o.layout.log(dst, c.key, c.a, c.b) })
	var value []byte
	if c.is(present) {
		if err := o.encode(c); err != nil {
			return err
		}
		value = o.codec.logged(c.data)
	}
	o.StoreContext.Log(key, value, o.stamp(c), nil)
	return nil
}

// stamp is the time of a change, stream time where the store has none.
func (o *overlay[T]) stamp(c *cell[T]) int64 {
	if o.byTime {
		return c.a
	}
	now := max(o.StreamTime(), 0)
	if !o.fixed && c.is(present) {
		return o.codec.stampOf(c.data, now)
	}
	return o.codec.stamp(c.value, now)
}

// encode fills data.
func (o *overlay[T]) encode(c *cell[T]) error {
	if !o.fixed || c.data != nil {
		return nil
	}
	var err error
	data := o.carve(func(dst []byte) []byte {
		dst, err = o.codec.append(dst, c.value)
		return dst
	})
	if err != nil {
		return o.failed(c, "encode", err)
	}
	c.data = data
	o.averages(len(data))
	return nil
}

// Apply puts the changes into b. The caller commits b before it uses the store again.
func (o *overlay[T]) Apply(b local.Batch) error {
	for _, c := range o.dirty {
		o.scratch = o.layout.disk(o.scratch[:0], c.key, c.a, c.b)
		if !c.is(present) {
			b.Delete(o.Space, o.scratch)
			continue
		}
		if err := o.encode(c); err != nil {
			return err
		}
		b.Set(o.Space, o.scratch, c.data)
	}
	for _, c := range o.dirty {
		o.clean(c)
		o.applied(c)
	}
	o.reset()
	return nil
}

func (o *overlay[T]) clean(c *cell[T]) {
	c.flags &^= dirty | unlogged | owned | silent | stored
	if c.is(present) {
		c.flags |= stored
	}
	if o.fixed {
		c.data = nil
	}
}

// Discard forgets the changes; the store forgets the cells.
func (o *overlay[T]) Discard() {
	o.cache.clear()
	o.reset()
}

func (o *overlay[T]) reset() {
	clear(o.dirty)
	if cap(o.dirty) > 4*len(o.dirty)+1024 {
		o.dirty = nil
	}
	o.dirty, o.changed = o.dirty[:0], 0
	o.arena.done()
}

// Dirty estimates the bytes of the changes.
func (o *overlay[T]) Dirty() int64 { return o.changed }

// Close releases memory.
func (o *overlay[T]) Close() {
	o.dirty = nil
	o.account.close()
}
