package streams

import (
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// slidingAggregate aggregates by key and sliding window within a task. Of each record
// there are up to two windows: the left one ends at its time, the right one begins 1 ms
// after it, and is made once a record is in it.
type slidingAggregate[K, V, A any] struct {
	c          plan.Context
	node       string
	difference int64 // ms
	grace      int64 // ms
	fold       fold[K, V, A]
	store      state.WindowStore[K, state.Timestamped[A]]
	prior      bool
	closing    *closing[K, A]
	next       receiver[state.Windowed[K], change[A]]
	time       int64
	near       []slide[A] // windows near the record, reused
}

// slide is a window that is there.
type slide[A any] struct {
	start int64
	// agg has the time of the window's latest record.
	agg state.Timestamped[A]
}

func (p *slidingAggregate[K, V, A]) receive(r Record[K, V]) error {
	if r.NoKey || r.NoValue {
		p.c.Dropped(p.node, droppedNoKeyOrValue)
		return nil
	}
	p.time = max(p.time, r.Timestamp)
	closeTime := p.time - p.grace
	if r.Timestamp+p.difference < closeTime {
		p.c.Dropped(p.node, droppedLate)
		return nil
	}
	if r.Timestamp < p.difference {
		return p.early(r, closeTime)
	}
	if p.closing != nil {
		if err := p.closing.emit(closeTime, r.Headers); err != nil {
			return err
		}
	}
	return p.add(r, closeTime)
}

// surroundings is what add and early learn of the windows that are there.
type surroundings[A any] struct {
	// right is an aggregate of the records after this one's time, left of those before it.
	right, left       *state.Timestamped[A]
	hasRight, hasLeft bool  // its right and left windows are there
	previous          int64 // time of the record before it, -1 for none
}

// add updates the windows that the record is in, the latest first, and makes those that it
// is the first reason for.
func (p *slidingAggregate[K, V, A]) add(r Record[K, V], closeTime int64) error {
	t := r.Timestamp
	if err := p.findLatest(r.Key, max(0, t-2*p.difference), t+1, t-p.difference); err != nil {
		return err
	}
	s := surroundings[A]{previous: -1}
	for i := range p.near {
		w := &p.near[i]
		end := w.start + p.difference
		if end < t {
			s.left, s.previous = &w.agg, w.agg.Timestamp
			break
		}
		switch {
		case w.start == t+1:
			s.hasRight = true
			continue
		case end == t:
			s.hasLeft = true
		case s.right == nil:
			s.right = &w.agg
		}
		if err := p.update(r, closeTime, w.start, w.agg, true); err != nil {
			return err
		}
		if end == t {
			if w.agg.Timestamp >= t {
				return nil // a record of this time has made all its windows
			}
			s.previous = w.agg.Timestamp
		}
	}
	return p.create(r, closeTime, s)
}

// create makes the right window of the record before, the left and the right one of this.
func (p *slidingAggregate[K, V, A]) create(r Record[K, V], closeTime int64, s surroundings[A]) error {
	t := r.Timestamp
	if start := s.previous + 1; s.previous >= 0 && start+p.difference >= t && !p.there(start) {
		if err := p.begin(r, closeTime, start); err != nil {
			return err
		}
	}
	if !s.hasLeft {
		var err error
		if s.previous >= 0 && t-p.difference <= s.previous && s.left != nil {
			err = p.update(r, closeTime, t-p.difference, state.Timestamped[A]{Value: s.left.Value, Timestamp: t}, true)
		} else {
			err = p.begin(r, closeTime, t-p.difference)
		}
		if err != nil {
			return err
		}
	}
	if !s.hasRight && s.right != nil && s.right.Timestamp > t {
		return p.copyRight(r, *s.right)
	}
	return nil
}

// early adds a record whose left window would begin before 0: all these share the window
// that begins at 0.
func (p *slidingAggregate[K, V, A]) early(r Record[K, V], closeTime int64) error {
	t := r.Timestamp
	if err := p.find(r.Key, 0, t+1); err != nil {
		return err
	}
	var combined *state.Timestamped[A]
	s := surroundings[A]{previous: -1}
	for i := range p.near {
		w := &p.near[i]
		switch {
		case w.start == 0:
			combined = &w.agg
			if w.agg.Timestamp < t {
				s.previous = w.agg.Timestamp
			}
		case w.start <= t:
			s.right = &w.agg
			if err := p.update(r, closeTime, w.start, w.agg, true); err != nil {
				return err
			}
		default:
			s.hasRight = true
		}
	}
	if s.right == nil && combined != nil && combined.Timestamp > t {
		s.right = combined
	}
	if !s.hasRight && s.right != nil && s.right.Timestamp > t {
		if err := p.copyRight(r, *s.right); err != nil {
			return err
		}
	}
	if s.previous >= 0 && !p.there(s.previous+1) {
		if err := p.begin(r, closeTime, s.previous+1); err != nil {
			return err
		}
	}
	if combined == nil {
		return p.begin(r, closeTime, 0)
	}
	return p.update(r, closeTime, 0, *combined, true)
}

// find fills near with the windows that begin in a span, the earliest first.
func (p *slidingAggregate[K, V, A]) find(key K, from, to int64) error {
	clear(p.near)
	p.near = p.near[:0]
	for w, err := range p.store.FetchRange(key, from, to) {
		if err != nil {
			return err
		}
		p.near = append(p.near, slide[A]{start: w.Key.Window.Start, agg: w.Value})
	}
	return nil
}

// findLatest fills near with the windows that begin in a span, the latest first, up to the
// first that begins before last.
func (p *slidingAggregate[K, V, A]) findLatest(key K, from, to, last int64) error {
	clear(p.near)
	p.near = p.near[:0]
	for w, err := range p.store.ReverseFetchRange(key, from, to) {
		if err != nil {
			return err
		}
		p.near = append(p.near, slide[A]{start: w.Key.Window.Start, agg: w.Value})
		if w.Key.Window.Start < last {
			break
		}
	}
	return nil
}

// there says whether a window of near begins at start.
func (p *slidingAggregate[K, V, A]) there(start int64) bool {
	return slices.ContainsFunc(p.near, func(w slide[A]) bool { return w.start == start })
}

// begin makes a window with the record alone in it.
func (p *slidingAggregate[K, V, A]) begin(r Record[K, V], closeTime, start int64) error {
	agg, has := p.fold.init()
	return p.update(r, closeTime, start, state.Timestamped[A]{Value: agg, Timestamp: r.Timestamp}, has)
}

// update adds the record to a window, if it is not closed.
func (p *slidingAggregate[K, V, A]) update(r Record[K, V], closeTime, start int64, old state.Timestamped[A], has bool) error {
	w := state.Window{Start: start, End: start + p.difference}
	if w.End < closeTime {
		p.c.Dropped(p.node, droppedLate)
		return nil
	}
	agg, hasAgg := p.fold.add(r.Key, r.Value, r.NoValue, old.Value, has)
	timestamp := r.Timestamp
	if has {
		timestamp = max(timestamp, old.Timestamp)
	}
	if err := putWindow(p.store, r.Key, start, agg, hasAgg, timestamp); err != nil {
		return err
	}
	if p.closing != nil {
		return p.closing.opened(w.Start, state.Windowed[K]{Key: r.Key, Window: w})
	}
	return p.next(windowUpdate(r, w, timestamp, agg, hasAgg, old.Value, has && p.prior))
}

// copyRight makes the right window of the record, which does not contain it.
func (p *slidingAggregate[K, V, A]) copyRight(r Record[K, V], agg state.Timestamped[A]) error {
	w := state.Window{Start: r.Timestamp + 1, End: r.Timestamp + 1 + p.difference}
	if err := p.store.Put(r.Key, w.Start, agg); err != nil {
		return err
	}
	if p.closing != nil {
		return p.closing.opened(w.Start, state.Windowed[K]{Key: r.Key, Window: w})
	}
	return p.next(windowUpdate(r, w, agg.Timestamp, agg.Value, true, agg.Value, false))
}

// idle closes windows when stream time moved on without a record.
func (p *slidingAggregate[K, V, A]) idle(streamTime int64) error {
	p.time = max(p.time, streamTime)
	if p.closing == nil {
		return nil
	}
	return p.closing.emit(p.time-p.grace, nil)
}
