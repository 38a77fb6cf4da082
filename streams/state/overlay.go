package state

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"unsafe"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// overlay holds the changes of a store above its space until they are applied. It knows
// cells, not how a store finds them.
type overlay[T any] struct {
	plan.StoreContext
	account
	arena
	codec  codec[T]
	layout layout
	fixed  bool // values are kept decoded
	texts  bool // there are strings in them
	byTime bool // the time of a change is that of its cell
	// dirtied is called when a cell becomes dirty, applied when it is in a batch.
	dirtied, applied func(*cell[T])

	slab    slab[T]
	dirty   []*cell[T]
	changed int64 // estimated bytes of dirty
	average int64 // bytes of an encoded value, roughly
	scratch []byte
	cache   recordCache[T]
}

// layout makes the keys of cells.
type layout interface {
	// disk appends the key in the space, log the one in the changelog.
	disk(dst []byte, key string, a, b int64) []byte
	log(dst []byte, key string, a, b int64) []byte
	// show names a key in errors.
	show(key string, a, b int64) string
}

func newOverlay[T any](c plan.StoreContext, l layout, values codec[T]) overlay[T] {
	nothing := func(*cell[T]) {}
	fixed := unshared(reflect.TypeFor[T]())
	return overlay[T]{
		StoreContext: c, account: account{memory: c.Memory}, layout: l, codec: values, fixed: fixed, texts: fixed && hasStrings(reflect.TypeFor[T]()),
		dirtied: nothing, applied: nothing, average: 16,
	}
}

// read returns what a cell has.
func (o *overlay[T]) read(c *cell[T]) (v T, ok bool, err error) {
	if !c.is(present) {
		return v, false, nil
	}
	if o.fixed {
		return c.value, true, nil
	}
	v, err = o.codec.decode(c.data)
	if err != nil {
		return v, false, o.failed(c, "decode", err)
	}
	return v, true, nil
}

// write changes a cell's value.
func (o *overlay[T]) write(c *cell[T], v T) error {
	if o.cache.forward != nil && c.waiting == nil {
		o.hold(c)
	}
	if o.fixed {
		c.value, c.data = v, nil
	} else if err := o.replace(c, v); err != nil {
		return errors.Join(err, o.know(c))
	}
	c.flags |= present | owned
	o.touched(c)
	return o.overflow()
}

// know reads a cell that was made to be written, and was not: it must not stand for nothing.
func (o *overlay[T]) know(c *cell[T]) error {
	if c.is(dirty | present | stored) {
		return nil
	}
	before := len(c.data)
	err := o.load(c)
	o.resized(c, len(c.data)-before)
	return err
}

// replace encodes v into data.
func (o *overlay[T]) replace(c *cell[T], v T) (err error) {
	if o.scratch, err = o.codec.append(o.scratch[:0], v); err != nil {
		return o.failed(c, "encode", err)
	}
	before := len(c.data)
	if c.is(owned) {
		c.data = append(c.data[:0], o.scratch...)
	} else {
		c.data = append([]byte(nil), o.scratch...)
	}
	o.resized(c, len(c.data)-before)
	return nil
}

// remove makes a cell a tombstone of that time.
func (o *overlay[T]) remove(c *cell[T], timestamp int64) error {
	if o.cache.forward != nil && c.waiting == nil {
		o.hold(c)
	}
	o.resized(c, -len(c.data))
	c.value, c.data = o.codec.tombstone(timestamp), nil
	c.flags &^= present | owned
	o.touched(c)
	return o.overflow()
}

// touched marks a change.
func (o *overlay[T]) touched(c *cell[T]) {
	if !c.is(dirty) {
		o.dirty = append(o.dirty, c)
		o.changed += int64(c.size)
		c.flags |= dirty | unlogged
		o.dirtied(c)
	}
	c.flags |= unlogged
	if c.waiting != nil {
		o.cache.renew(c)
	}
}

// load fills a cell with what the disk has of its key.
func (o *overlay[T]) load(c *cell[T]) error {
	o.scratch = o.layout.disk(o.scratch[:0], c.key, c.a, c.b)
	n := len(o.scratch)
	buf, ok, err := o.Space.Get(o.scratch, o.scratch)
	if err != nil {
		return o.failed(c, "read", err)
	}
	if !ok {
		return nil
	}
	o.scratch = buf
	return o.fill(c, buf[n:])
}

// fill makes a clean cell of the bytes on disk, which it does not keep.
func (o *overlay[T]) fill(c *cell[T], data []byte) error {
	if err := o.decodeInto(c, data); err != nil {
		return err
	}
	o.averages(len(data))
	return nil
}

// decodeInto sets a cell to the bytes on disk.
func (o *overlay[T]) decodeInto(c *cell[T], data []byte) (err error) {
	if !o.fixed {
		c.data = append([]byte(nil), data...)
	} else if c.value, err = o.codec.decode(data); err != nil {
		return o.failed(c, "decode", err)
	}
	c.flags |= present | stored
	return nil
}

func (o *overlay[T]) averages(encoded int) { o.average = (7*o.average + int64(encoded)) / 8 }

// cellBytes is what a cell takes beside its key and bytes: itself and its places in map and
// clock.
func (o *overlay[T]) cellBytes() int64 { return int64(unsafe.Sizeof(cell[T]{})) + 48 }

// counts adds a new cell to what is held.
func (o *overlay[T]) counts(c *cell[T]) {
	size := o.cellBytes() + int64(len(c.key)) + int64(len(c.data))
	if o.texts {
		size += o.average
	}
	c.size = int32(min(size, math.MaxInt32))
	o.holds(int64(c.size))
}

func (o *overlay[T]) resized(c *cell[T], by int) {
	c.size += int32(by)
	if c.is(dirty) {
		o.changed += int64(by)
	}
	o.holds(int64(by))
}

func (o *overlay[T]) failed(c *cell[T], doing string, err error) error {
	return fmt.Errorf("store %s: %s %s: %w", o.Store.Name, doing, o.layout.show(c.key, c.a, c.b), err)
}
