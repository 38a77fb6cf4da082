package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// joinSide is one side of a stream-stream join within a task: its records (T) meet those
// of the other (U), which are in a window store.
type joinSide[K, T, U, O any] struct {
	c             plan.Context
	node          string
	left          bool
	before, after int64 // ms, by which records of the other side may be apart
	other         state.WindowStore[K, U]
	match         func(T, U) O
	// alone is the result of a record that met none; nil where there is no result.
	alone func(T) O
	// unmatched holds records that wait for their window to close; nil in an inner join.
	unmatched *unmatched[K, O]
	// keep encodes a value for it.
	keep func(value T) ([]byte, error)
	next receiver[K, O]
	near []state.Pair[state.Windowed[K], U] // what a record meets, reused
}

func (p *joinSide[K, T, U, O]) receive(r Record[K, T]) error {
	if p.unmatched != nil {
		p.unmatched.times.advance(r.Timestamp)
	}
	switch {
	case r.NoKey && !r.NoValue && p.alone != nil:
		return p.next(joined(r, r.Timestamp, p.alone(r.Value)))
	case r.NoKey || r.NoValue:
		p.c.Dropped(p.node, droppedNoKeyOrValue)
		return nil
	}
	if p.unmatched != nil && r.Timestamp == p.unmatched.times.stream {
		if err := p.unmatched.emit(p.after, r.Headers, p.next); err != nil {
			return err
		}
	}
	to := max(0, r.Timestamp+p.after)
	met, err := p.meet(r, max(0, r.Timestamp-p.before), to)
	if met || p.alone == nil || err != nil {
		return err
	}
	if to < p.unmatched.times.stream {
		return p.next(joined(r, r.Timestamp, p.alone(r.Value)))
	}
	value, err := p.keep(r.Value)
	if err != nil {
		return err
	}
	return p.unmatched.add(r.Key, r.Timestamp, p.left, value)
}

// meet joins the record with those of the other side from these times.
func (p *joinSide[K, T, U, O]) meet(r Record[K, T], from, to int64) (met bool, err error) {
	p.near, err = p.other.AppendRange(p.near[:0], r.Key, from, to)
	defer func() { p.near = reusable(p.near) }()
	if err != nil {
		return false, err
	}
	for i := range p.near {
		o := &p.near[i]
		met = true
		at := o.Key.Window.Start
		if p.unmatched != nil {
			if err := p.unmatched.drop(r.Key, at, !p.left); err != nil {
				return met, err
			}
		}
		if err := p.next(joined(r, max(r.Timestamp, at), p.match(r.Value, o.Value))); err != nil {
			return met, err
		}
	}
	return met, nil
}

// mostReused entries stay in a buffer for the next record: one key with many must not hold
// memory for good.
const mostReused = 1024

// reusable is the buffer of entries, empty.
func reusable[K, V any](b []state.Pair[K, V]) []state.Pair[K, V] {
	if cap(b) > mostReused {
		return nil
	}
	clear(b)
	return b[:0]
}

// joined is a result for the record.
func joined[K, T, O any](r Record[K, T], timestamp int64, value O) Record[K, O] {
	return Record[K, O]{Key: r.Key, NoKey: r.NoKey, Value: value, Timestamp: timestamp, Headers: r.Headers}
}

// idle emits what is unmatched when stream time moved on without a record.
func (p *joinSide[K, T, U, O]) idle(streamTime int64) error {
	t := p.unmatched.times
	t.advance(streamTime)
	earliest, _, _, err := p.unmatched.store.first()
	if err != nil {
		return err
	}
	t.min = earliest
	return p.unmatched.emit(p.after, nil, p.next)
}

// windowed puts the records of one side into its store, for the other side.
func windowed[K, T any](store state.WindowStore[K, T], next receiver[K, T]) receiver[K, T] {
	return func(r Record[K, T]) error {
		if err := next(r); err != nil || r.NoKey || r.NoValue {
			return err
		}
		return store.Put(r.Key, r.Timestamp, r.Value)
	}
}
