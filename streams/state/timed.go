package state

import (
	"fmt"
	"iter"
	"math"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// timed is what window, session and versioned stores of a task have in common: values by key,
// time and second time. A key's values are together in memory, because operators look for
// all of one key within a span.
type timed[K, T any] struct {
	overlay[T]
	keys      serde.Serde[K]
	lay       timedLayout
	retention int64 // ms; 0 keeps everything
	groups    map[string]*group[T]
	last      *group[T]
	key       []byte
	clock     clock[*group[T]]
	grown     int
	// observed is the highest time put, -1 before; noted the one that the space has.
	observed, noted int64
	// fresh is the first time for which nothing is on disk that is not in memory: all
	// since was put by this store, and nothing of it dropped from memory.
	fresh  int64
	cached bool
}

func newTimed[K, T any](c plan.StoreContext, lay timedLayout, retention int64, keys serde.Serde[K], values codec[T]) (*timed[K, T], error) {
	s := &timed[K, T]{
		overlay: newOverlay(c, lay, values), keys: keys, lay: lay, retention: retention,
		groups: map[string]*group[T]{}, cached: c.Store.Cached,
	}
	s.dirtied = func(c *cell[T]) { c.group.busy++ }
	s.applied = func(c *cell[T]) {
		c.group.busy--
		if !c.is(present) && c.waiting == nil {
			s.holds(-c.group.remove(c))
		}
	}
	var err error
	if s.noted, err = observed(c.Space); err != nil {
		return nil, storeError(c.Store.Name, err)
	}
	s.observed, s.fresh = s.noted, s.noted+1
	return s, nil
}

// live is the first time that has not expired.
func (s *timed[K, T]) live() int64 {
	if s.retention == 0 {
		return 0
	}
	return max(s.observed-s.retention+1, 0)
}

// put sets a value; one that has expired is left out, and false returned.
func (s *timed[K, T]) put(key K, a, b int64, value T) (bool, error) {
	if a < 0 || b < 0 {
		return false, fmt.Errorf("store %s: the time %d is negative", s.Store.Name, min(a, b))
	}
	s.observed = max(s.observed, a)
	if a < s.live() {
		return false, nil
	}
	g, err := s.group(key)
	if err != nil {
		return false, err
	}
	c, err := s.cell(g, a, b, s.cache.forward != nil)
	if err != nil {
		return false, err
	}
	return true, s.write(c, value)
}

// remove deletes a value.
func (s *timed[K, T]) remove(key K, a, b int64) error {
	s.observed = max(s.observed, a)
	if a < s.live() {
		return nil
	}
	g, err := s.group(key)
	if err != nil {
		return err
	}
	c, err := s.cell(g, a, b, s.cache.forward != nil)
	if err != nil {
		return err
	}
	return s.overlay.remove(c, max(s.StreamTime(), 0))
}

// get returns a value.
func (s *timed[K, T]) get(key K, a, b int64) (value T, ok bool, err error) {
	if a < s.live() {
		return value, false, nil
	}
	g, err := s.group(key)
	if err != nil {
		return value, false, err
	}
	if i, ok := g.search(a, b); ok {
		return s.read(g.cells[i])
	}
	if a >= g.from {
		return value, false, nil
	}
	c, err := s.cell(g, a, b, true)
	if err != nil {
		return value, false, err
	}
	return s.read(c)
}

// between yields the values of a key with a first time from <= a <= to.
func (s *timed[K, T]) between(key K, from, to int64, reverse bool) iter.Seq2[*cell[T], error] {
	return func(yield func(*cell[T], error) bool) {
		g, cells, err := s.within(key, from, to)
		if err != nil {
			yield(nil, err)
			return
		}
		if len(cells) == 0 {
			return
		}
		g.busy++
		defer func() { g.busy-- }()
		for _, c := range forWalk(cells, reverse) {
			if c.is(present) && !yield(c, nil) {
				return
			}
		}
	}
}

// within are the cells of a key with a first time from <= a <= to, removed ones too. They are
// the group's: valid until the store is changed.
func (s *timed[K, T]) within(key K, from, to int64) (*group[T], []*cell[T], error) {
	g, err := s.group(key)
	if err != nil {
		return nil, nil, err
	}
	if from = max(from, s.live()); from > to {
		return g, nil, nil
	}
	if err := s.complete(g, from); err != nil {
		return nil, nil, err
	}
	return g, g.within(from, to), nil
}

// complete reads what the group lacks from a time on.
func (s *timed[K, T]) complete(g *group[T], from int64) error {
	if from >= g.from {
		return nil
	}
	return s.readFrom(g, from)
}

func (s *timed[K, T]) readFrom(g *group[T], from int64) error {
	missing := span{key: []byte(g.key), timeFrom: from, timeTo: min(g.from-1, s.observed)}
	for e, err := range s.lay.scan(s.Space, missing) {
		if err != nil {
			return storeError(s.Store.Name, err)
		}
		i, ok := g.search(e.a, e.b)
		if ok {
			continue
		}
		c := &cell[T]{key: g.key, a: e.a, b: e.b}
		if err := s.fill(c, e.value); err != nil {
			return err
		}
		s.counts(c)
		g.insert(i, c)
	}
	g.from = from
	return nil
}

// group finds or makes the group of a key; the encoded key is left in s.key.
func (s *timed[K, T]) group(key K) (*group[T], error) {
	var err error
	if s.key, err = s.keys.Append(s.key[:0], key); err != nil {
		return nil, keyError(s.Store.Name, err)
	}
	if g := s.last; g != nil && g.key == string(s.key) {
		return g, nil
	}
	g, ok := s.groups[string(s.key)]
	if !ok {
		g = &group[T]{key: string(s.key), from: s.fresh}
		s.groups[g.key] = g
		s.clock.add(g)
		s.holds(groupBytes + int64(len(g.key)))
	}
	g.used = true
	s.last = g // which is not evicted
	if !ok {
		s.grow()
	}
	return g, nil
}

const groupBytes = 200 // with its places in map and clock

// cell finds or makes a cell, with what the disk has if known is to be.
func (s *timed[K, T]) cell(g *group[T], a, b int64, known bool) (*cell[T], error) {
	i, ok := g.search(a, b)
	if ok {
		return g.cells[i], nil
	}
	c := &cell[T]{key: g.key, a: a, b: b}
	if known && a < g.from {
		if err := s.load(c); err != nil {
			return nil, err
		}
	}
	s.counts(c)
	if i > 64 {
		if n := g.trim(s.live()); n > 0 {
			s.holds(-n)
			i, _ = g.search(a, b)
		}
	}
	g.insert(i, c)
	s.grow()
	return c, nil
}

// grow looks now and then whether groups have to go.
func (s *timed[K, T]) grow() {
	if s.grown++; s.grown < evictEvery {
		return
	}
	s.grown = 0
	if s.tight() {
		s.clock.sweep(4*evictEvery, s.evict)
	}
}

// evict drops a clean group from memory.
func (s *timed[K, T]) evict(g *group[T]) bool {
	if g == s.last || g.busy > 0 {
		return false
	}
	if g.used {
		g.used = false
		return false
	}
	bytes := groupBytes + int64(len(g.key))
	for _, c := range g.cells {
		if c.waiting != nil {
			return false
		}
		bytes += int64(c.size)
	}
	if n := len(g.cells); n > 0 {
		s.fresh = max(s.fresh, g.cells[n-1].a+1)
	}
	delete(s.groups, g.key)
	s.holds(-bytes)
	return true
}

// Discard forgets the changes, and everything else in memory: it is rare.
func (s *timed[K, T]) Discard() {
	if len(s.dirty) == 0 && s.observed == s.noted {
		return
	}
	s.overlay.Discard()
	s.fresh = max(s.fresh, s.observed+1)
	s.observed = s.noted
	s.empty()
}

func (s *timed[K, T]) empty() {
	s.groups, s.last, s.clock = map[string]*group[T]{}, nil, clock[*group[T]]{}
	s.holds(-s.held)
}

// Close releases memory.
func (s *timed[K, T]) Close() {
	s.empty()
	s.overlay.Close()
}

// setFlush makes a record cache.
func (s *timed[K, T]) setFlush(forward func(key K, a, b int64, change Change[T]) error) bool {
	if !s.cached {
		return false
	}
	s.cache.forward = func(c *cell[T], change Change[T]) error {
		key, err := s.keys.Decode([]byte(c.key))
		if err != nil {
			return s.failed(c, "decode the key of", err)
		}
		return forward(key, c.a, c.b, change)
	}
	return true
}

// forever is a time after all.
const forever = math.MaxInt64
