package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// windowAggregate aggregates by key and time window within a task.
type windowAggregate[K, V, A any] struct {
	c       plan.Context
	node    string
	windows TimeWindows
	fold    fold[K, V, A]
	store   state.WindowStore[K, state.Timestamped[A]]
	// prior says that children need the value before a change.
	prior bool
	// closing emits windows when they close instead of with each change; nil does not.
	closing *closing[K, A]
	next    receiver[state.Windowed[K], change[A]]
	// time is the highest one of the records that came here.
	time int64
}

func (p *windowAggregate[K, V, A]) receive(r Record[K, V]) error {
	if r.NoKey {
		p.c.Dropped(p.node, droppedNoKey)
		return nil
	}
	p.time = max(p.time, r.Timestamp)
	closeTime := p.time - p.windows.graceMs()
	if p.closing != nil {
		if err := p.closing.emit(closeTime, r.Headers); err != nil {
			return err
		}
	}
	size, advance := p.windows.size.Milliseconds(), p.windows.advance.Milliseconds()
	for start := p.windows.firstStart(r.Timestamp); start <= r.Timestamp; start += advance {
		if start+size <= closeTime {
			p.c.Dropped(p.node, droppedLate)
			continue
		}
		if err := p.update(r, state.Window{Start: start, End: start + size}); err != nil {
			return err
		}
	}
	return nil
}

// update adds the record to one window.
func (p *windowAggregate[K, V, A]) update(r Record[K, V], w state.Window) error {
	old, has, err := p.store.Fetch(r.Key, w.Start)
	if err != nil {
		return err
	}
	timestamp, found := r.Timestamp, has
	if found {
		timestamp = max(timestamp, old.Timestamp)
	} else {
		old.Value, has = p.fold.init()
	}
	agg, hasAgg := p.fold.add(r.Key, r.Value, r.NoValue, old.Value, has)
	if err := putWindow(p.store, r.Key, w.Start, agg, hasAgg, timestamp); err != nil {
		return err
	}
	if p.closing != nil {
		if found {
			return nil
		}
		return p.closing.opened(w.Start, state.Windowed[K]{Key: r.Key, Window: w})
	}
	return p.next(windowUpdate(r, w, timestamp, agg, hasAgg, old.Value, has && p.prior))
}

// putWindow stores an aggregate, or deletes what is there if it is none.
func putWindow[K, A any](s state.WindowStore[K, state.Timestamped[A]], key K, start int64, agg A, has bool, timestamp int64) error {
	if !has {
		return s.Delete(key, start)
	}
	return s.Put(key, start, state.Timestamped[A]{Value: agg, Timestamp: timestamp})
}

// windowUpdate is the change of a window that the record made.
func windowUpdate[K, V, A any](r Record[K, V], w state.Window, timestamp int64, next A, hasNext bool, prior A, hasPrior bool) Record[state.Windowed[K], change[A]] {
	out := Record[state.Windowed[K], change[A]]{
		Key:       state.Windowed[K]{Key: r.Key, Window: w},
		Timestamp: timestamp, Headers: r.Headers,
	}
	if hasNext {
		out.Value.next, out.Value.hasNext = next, true
	}
	if hasPrior {
		out.Value.prior, out.Value.hasPrior = prior, true
	}
	return out
}

// idle closes windows when stream time moved on without a record.
func (p *windowAggregate[K, V, A]) idle(streamTime int64) error {
	p.time = max(p.time, streamTime)
	if p.closing == nil {
		return nil
	}
	return p.closing.emit(p.time-p.windows.graceMs(), nil)
}
