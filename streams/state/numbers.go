package state

import (
	"fmt"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// numbers is a task's KeyValueStore[K, T] where T is numbers only, as counts and sums are, and
// there is no record cache. It does what keyValue does in a third of the memory.
type numbers[K, T any] struct {
	plan.StoreContext
	account
	arena
	ranges[K, T]
	codec   codec[T]
	table   table[T]
	last    uint32 // slot found last, and 1; 0 is none
	key     []byte
	scratch []byte
	dirty   []uint32 // slots
	encoded [][]byte // of each, what was logged
	changed int64
	sorted  sortedKeys
	grown   int
}

func newNumbers[K, T any](c plan.StoreContext, keys serde.Serde[K], values codec[T]) *numbers[K, T] {
	s := &numbers[K, T]{
		StoreContext: c, account: account{memory: c.Memory}, codec: values, table: newTable[T](),
	}
	s.ranges = ranges[K, T]{c.Store.Name, keys, s.scan}
	return s
}

// Get returns false where there is none.
func (s *numbers[K, T]) Get(key K) (value T, ok bool, err error) {
	i, err := s.find(key, true)
	if err != nil {
		return value, false, err
	}
	if e := s.table.slot(i); e.is(present) {
		return e.value, true, nil
	}
	return value, false, nil
}

// Put sets the value of a key.
func (s *numbers[K, T]) Put(key K, value T) error {
	i, err := s.find(key, false)
	if err == nil {
		s.write(i, value)
	}
	return err
}

// PutIfAbsent returns what was there.
func (s *numbers[K, T]) PutIfAbsent(key K, value T) (T, bool, error) {
	had, ok, err := s.Get(key)
	if err != nil || ok {
		return had, ok, err
	}
	return had, false, s.Put(key, value)
}

// Delete returns what was there. The time of the deletion is the task's stream time.
func (s *numbers[K, T]) Delete(key K) (T, bool, error) {
	return s.DeleteAt(key, max(s.StreamTime(), 0))
}

// DeleteAt is Delete with the time of the record that asks for it, in ms.
func (s *numbers[K, T]) DeleteAt(key K, timestamp int64) (had T, ok bool, err error) {
	i, err := s.find(key, true)
	if err != nil {
		return had, false, err
	}
	e := s.table.slot(i)
	if ok = e.is(present); ok {
		had = e.value
	}
	e.value = s.codec.tombstone(timestamp)
	e.clear(present)
	s.touched(i)
	return had, ok, nil
}

// SetFlush is Flushing's; there is no record cache.
func (s *numbers[K, T]) SetFlush(func(K, Change[T]) error) bool { return false }

// find returns the slot of a key; a new one has what the space has, if known is to be.
func (s *numbers[K, T]) find(key K, known bool) (uint32, error) {
	var err error
	if s.key, err = s.keys.Append(s.key[:0], key); err != nil {
		return 0, keyError(s.Store.Name, err)
	}
	if s.last > 0 && string(s.table.key(s.last-1)) == string(s.key) {
		return s.last - 1, nil
	}
	i, ok := s.table.find(s.key)
	if ok {
		s.table.slot(i).set(used)
	} else if i, err = s.add(known); err != nil {
		return 0, err
	}
	s.last = i + 1
	return i, nil
}

// add makes a slot for s.key.
func (s *numbers[K, T]) add(known bool) (uint32, error) {
	var value T
	var has bool
	if known {
		data, ok, err := s.Space.Get(s.key, s.scratch[:0])
		if err != nil {
			return 0, s.failed("read", s.key, err)
		}
		if has = ok; ok {
			s.scratch = data
			if value, err = s.codec.decode(data); err != nil {
				return 0, s.failed("decode", s.key, err)
			}
		}
	}
	i, err := s.table.add(s.key)
	if err != nil {
		return 0, storeError(s.Store.Name, err)
	}
	if has {
		e := s.table.slot(i)
		e.value = value
		e.set(present | stored)
	}
	s.holds(s.table.bytes(1, int64(len(s.key))))
	s.last = i + 1 // which is not evicted
	s.grow()
	return i, nil
}

func (s *numbers[K, T]) grow() {
	if s.grown++; s.grown < evictEvery {
		return
	}
	s.grown = 0
	if s.tight() {
		s.table.sweep(4*evictEvery, s.evict)
	}
}

// evict says that a slot is to go.
func (s *numbers[K, T]) evict(i uint32) bool {
	e := s.table.slot(i)
	if e.is(dirty) || i+1 == s.last {
		return false
	}
	if e.is(used) {
		e.clear(used)
		return false
	}
	s.holds(-s.table.bytes(1, int64(e.length())))
	return true
}

func (s *numbers[K, T]) write(i uint32, value T) {
	e := s.table.slot(i)
	e.value = value
	e.set(present)
	s.touched(i)
}

// touched marks a change.
func (s *numbers[K, T]) touched(i uint32) {
	e := s.table.slot(i)
	if !e.is(dirty) {
		s.dirty = append(s.dirty, i)
		s.changed += s.table.bytes(1, int64(e.length()))
		if s.sorted.tree != nil {
			s.sorted.add(string(s.table.key(i)))
		}
	}
	e.set(dirty | unlogged)
}

// ApproximateCount of the entries.
func (s *numbers[K, T]) ApproximateCount() int64 {
	n := s.Space.Keys()
	if n < 0 {
		return -1
	}
	for _, i := range s.dirty {
		switch e := s.table.slot(i); {
		case e.is(present) && !e.is(stored):
			n++
		case !e.is(present) && e.is(stored):
			n--
		}
	}
	return max(n, 0)
}

// scan is that of ranges.
func (s *numbers[K, T]) scan(low, high []byte, reverse bool) iter.Seq2[Pair[K, T], error] {
	m := merged[K, T]{s.Store.Name, s.Space, s.keys, s.codec, func(key []byte) (value T, there, known bool, err error) {
		i, ok := s.table.find(key)
		if !ok {
			return value, false, false, nil
		}
		e := s.table.slot(i)
		return e.value, e.is(present), true, nil
	}}
	return func(yield func(Pair[K, T], error) bool) {
		s.sorted.start(func(yield func(string) bool) {
			for _, i := range s.dirty {
				if !yield(string(s.table.key(i))) {
					return
				}
			}
		})
		m.scan(&s.sorted, low, high, reverse)(yield)
	}
}

func (s *numbers[K, T]) failed(doing string, key []byte, err error) error {
	return fmt.Errorf("store %s: %s %s: %w", s.Store.Name, doing, showKey(s.keys, key), err)
}
