package state

import (
	"bytes"
	"iter"
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// timedValue is what a walk over all keys yields.
type timedValue[K, T any] struct {
	key   K
	a, b  int64
	value T
}

// changedCell is a dirty one with its key on disk.
type changedCell[T any] struct {
	disk []byte
	c    *cell[T]
}

// all yields the entries of a span in the order of the disk.
func (s *timed[K, T]) all(q span) iter.Seq2[timedValue[K, T], error] {
	return func(yield func(timedValue[K, T], error) bool) {
		q.timeFrom, q.timeTo = max(q.timeFrom, s.live()), min(q.timeTo, s.observed)
		changed := s.changedIn(q)
		for e, err := range s.lay.scan(s.Space, q) {
			if err != nil {
				yield(timedValue[K, T]{}, storeError(s.Store.Name, err))
				return
			}
			for len(changed) > 0 && (bytes.Compare(changed[0].disk, e.disk) < 0) != q.reverse && !bytes.Equal(changed[0].disk, e.disk) {
				if !s.yieldCell(changed[0].c, yield) {
					return
				}
				changed = changed[1:]
			}
			if len(changed) > 0 && bytes.Equal(changed[0].disk, e.disk) {
				changed = changed[1:]
			}
			if !s.yieldEntry(e, yield) {
				return
			}
		}
		for _, x := range changed {
			if !s.yieldCell(x.c, yield) {
				return
			}
		}
	}
}

// changedIn are the dirty cells of a span in order.
func (s *timed[K, T]) changedIn(q span) []changedCell[T] {
	var out []changedCell[T]
	for _, c := range s.dirty {
		if q.hasTime(c.a) && q.has([]byte(c.key)) {
			out = append(out, changedCell[T]{s.lay.disk(nil, c.key, c.a, c.b), c})
		}
	}
	slices.SortFunc(out, func(x, y changedCell[T]) int {
		if q.reverse {
			x, y = y, x
		}
		return bytes.Compare(x.disk, y.disk)
	})
	return out
}

// yieldEntry yields one of the disk with the value that memory has of it, if it has one.
func (s *timed[K, T]) yieldEntry(e timedEntry, yield func(timedValue[K, T], error) bool) bool {
	if g := s.groups[string(e.key)]; g != nil {
		if i, ok := g.search(e.a, e.b); ok {
			return s.yieldCell(g.cells[i], yield)
		}
		if e.a >= g.from { // removed in memory
			return true
		}
	}
	c := &cell[T]{key: string(e.key), a: e.a, b: e.b}
	if err := s.decodeInto(c, e.value); err != nil {
		return yield(timedValue[K, T]{}, err)
	}
	return s.yieldCell(c, yield)
}

func (s *timed[K, T]) yieldCell(c *cell[T], yield func(timedValue[K, T], error) bool) bool {
	value, ok, err := s.read(c)
	if err == nil && !ok {
		return true
	}
	v := timedValue[K, T]{a: c.a, b: c.b, value: value}
	if err == nil {
		if v.key, err = s.keys.Decode([]byte(c.key)); err != nil {
			err = s.failed(c, "decode the key of", err)
		}
	}
	return yield(v, err)
}

// timedView reads a moment of a space; it is for many goroutines.
type timedView[K, T any] struct {
	timedFormat[K, T]
	r local.Reader
}

// all yields the entries of a span, without what has expired.
func (v timedView[K, T]) all(q span) iter.Seq2[timedValue[K, T], error] {
	return func(yield func(timedValue[K, T], error) bool) {
		now, err := observed(v.r)
		if err != nil {
			yield(timedValue[K, T]{}, storeError(v.store, err))
			return
		}
		if q.timeTo = min(q.timeTo, now); v.retention > 0 {
			q.timeFrom = max(q.timeFrom, now-v.retention+1)
		}
		q.timeFrom = max(q.timeFrom, 0)
		for e, err := range v.lay.scan(v.r, q) {
			if err != nil {
				yield(timedValue[K, T]{}, storeError(v.store, err))
				return
			}
			if !yield(v.entry(e)) {
				return
			}
		}
	}
}

// get returns a value.
func (v timedView[K, T]) get(key K, a, b int64) (value T, ok bool, err error) {
	k, err := v.keys.Append([]byte{}, key)
	if err != nil {
		return value, false, keyError(v.store, err)
	}
	for e, err := range v.all(span{key: k, timeFrom: a, timeTo: a}) {
		if err != nil {
			return value, false, err
		}
		if e.b == b {
			return e.value, true, nil
		}
	}
	return value, false, nil
}
