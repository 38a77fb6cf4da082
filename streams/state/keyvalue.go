package state

import (
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// keyValue is a task's KeyValueStore[K, T]; T is V or Timestamped[V].
type keyValue[K, T any] struct {
	overlay[T]
	ranges[K, T]
	cells  map[string]*cell[T]
	last   *cell[T] // found last: an operator's get and put are of one key
	key    []byte
	clock  clock[*cell[T]]
	cached bool
	sorted sortedKeys
	grown  int
}

func newKeyValue[K, T any](c plan.StoreContext, keys serde.Serde[K], values codec[T]) *keyValue[K, T] {
	s := &keyValue[K, T]{
		overlay: newOverlay(c, keyLayout[K]{keys}, values),
		cells:   map[string]*cell[T]{}, cached: c.Store.Cached,
	}
	s.ranges = ranges[K, T]{c.Store.Name, keys, s.scan}
	s.dirtied = func(c *cell[T]) { s.sorted.add(c.key) }
	return s
}

// Get returns false where there is none.
func (s *keyValue[K, T]) Get(key K) (T, bool, error) {
	c, err := s.find(key)
	if err != nil {
		var none T
		return none, false, err
	}
	return s.read(c)
}

// Put sets the value of a key.
func (s *keyValue[K, T]) Put(key K, value T) error {
	c, err := s.touch(key)
	if err != nil {
		return err
	}
	return s.write(c, value)
}

// PutIfAbsent returns what was there.
func (s *keyValue[K, T]) PutIfAbsent(key K, value T) (T, bool, error) {
	c, err := s.find(key)
	if err != nil {
		var none T
		return none, false, err
	}
	had, ok, err := s.read(c)
	if err != nil || ok {
		return had, ok, err
	}
	return had, false, s.write(c, value)
}

// Delete returns what was there. The time of the deletion is the task's stream time.
func (s *keyValue[K, T]) Delete(key K) (T, bool, error) {
	return s.DeleteAt(key, max(s.StreamTime(), 0))
}

// DeleteAt is Delete with the time of the record that asks for it, in ms.
func (s *keyValue[K, T]) DeleteAt(key K, timestamp int64) (T, bool, error) {
	c, err := s.find(key)
	if err != nil {
		var none T
		return none, false, err
	}
	had, ok, err := s.read(c)
	if err != nil {
		return had, false, err
	}
	return had, ok, s.remove(c, timestamp)
}

// SetFlush is Flushing's.
func (s *keyValue[K, T]) SetFlush(forward func(K, Change[T]) error) bool {
	if !s.cached {
		return false
	}
	s.cache.forward = func(c *cell[T], change Change[T]) error {
		key, err := s.keys.Decode([]byte(c.key))
		if err != nil {
			return s.failed(c, "decode the key", err)
		}
		return forward(key, change)
	}
	return true
}

// ApproximateCount of the entries.
func (s *keyValue[K, T]) ApproximateCount() int64 {
	n := s.Space.Keys()
	if n < 0 {
		return -1
	}
	for _, c := range s.dirty {
		switch {
		case c.is(present) && !c.is(stored):
			n++
		case !c.is(present) && c.is(stored):
			n--
		}
	}
	return max(n, 0)
}

// find returns the cell of a key, with what the space has of it.
func (s *keyValue[K, T]) find(key K) (*cell[T], error) {
	if c, err := s.lookup(key); c != nil || err != nil {
		return c, err
	}
	c := s.slab.take()
	c.key = string(s.key)
	if err := s.load(c); err != nil {
		s.slab.give(c)
		return nil, err
	}
	s.add(c)
	return c, nil
}

// touch is find without reading the space, unless the record cache needs what is there.
func (s *keyValue[K, T]) touch(key K) (*cell[T], error) {
	if s.cache.forward != nil {
		return s.find(key)
	}
	if c, err := s.lookup(key); c != nil || err != nil {
		return c, err
	}
	c := s.slab.take()
	c.key = string(s.key)
	s.add(c)
	return c, nil
}

// lookup leaves the encoded key in s.key.
func (s *keyValue[K, T]) lookup(key K) (*cell[T], error) {
	var err error
	if s.key, err = s.keys.Append(s.key[:0], key); err != nil {
		return nil, keyError(s.Store.Name, err)
	}
	if c := s.last; c != nil && c.key == string(s.key) {
		return c, nil
	}
	c := s.cells[string(s.key)]
	if c != nil {
		c.flags |= used
		s.last = c
	}
	return c, nil
}

// evictEvery new cells it is looked whether others have to go.
const evictEvery = 32

func (s *keyValue[K, T]) add(c *cell[T]) {
	s.counts(c)
	s.cells[c.key] = c
	s.clock.add(c)
	s.last = c
	if s.grown++; s.grown >= evictEvery {
		s.grown = 0
		if s.tight() {
			s.clock.sweep(4*evictEvery, s.evict)
		}
	}
}

func (s *keyValue[K, T]) evict(c *cell[T]) bool {
	switch {
	case c == s.last || c.is(dirty) || c.waiting != nil:
		return false
	case c.is(used):
		c.flags &^= used
		return false
	}
	delete(s.cells, c.key)
	s.holds(-int64(c.size))
	s.slab.give(c)
	return true
}

// Discard forgets the changes, and everything else in memory: it is rare.
func (s *keyValue[K, T]) Discard() {
	if len(s.dirty) > 0 {
		s.overlay.Discard()
		s.empty()
	}
}

func (s *keyValue[K, T]) empty() {
	s.cells, s.last, s.sorted, s.clock, s.slab = map[string]*cell[T]{}, nil, sortedKeys{}, clock[*cell[T]]{}, slab[T]{}
	s.holds(-s.held)
}

// Apply puts the changes into b.
func (s *keyValue[K, T]) Apply(b local.Batch) error {
	if err := s.overlay.Apply(b); err != nil {
		return err
	}
	s.sorted.applied()
	return nil
}

// Close releases memory.
func (s *keyValue[K, T]) Close() {
	s.empty()
	s.overlay.Close()
}

// scan is that of ranges.
func (s *keyValue[K, T]) scan(low, high []byte, reverse bool) iter.Seq2[Pair[K, T], error] {
	m := merged[K, T]{s.Store.Name, s.Space, s.keys, s.codec, func(key []byte) (value T, there, known bool, err error) {
		c := s.cells[string(key)]
		if c == nil {
			return value, false, false, nil
		}
		value, there, err = s.read(c)
		return value, there, true, err
	}}
	return func(yield func(Pair[K, T], error) bool) {
		s.sorted.start(func(yield func(string) bool) {
			for _, c := range s.dirty {
				if !yield(c.key) {
					return
				}
			}
		})
		m.scan(&s.sorted, low, high, reverse)(yield)
	}
}
