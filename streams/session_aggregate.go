package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// sessionAggregate aggregates by key and session within a task.
type sessionAggregate[K, V, A any] struct {
	c       plan.Context
	node    string
	gap     int64 // ms
	grace   int64 // ms
	fold    fold[K, V, A]
	store   state.SessionStore[K, A]
	prior   bool
	closing *closing[K, A]
	next    receiver[state.Windowed[K], change[A]]
	time    int64
	near    []state.Pair[state.Windowed[K], A] // sessions that the record joins, reused
}

func (p *sessionAggregate[K, V, A]) receive(r Record[K, V]) error {
	if r.NoKey {
		p.c.Dropped(p.node, droppedNoKey)
		return nil
	}
	p.time = max(p.time, r.Timestamp)
	closeTime := p.time - p.grace - p.gap
	if p.closing != nil {
		if err := p.closing.emit(closeTime, r.Headers); err != nil {
			return err
		}
	}
	if err := p.find(r); err != nil {
		return err
	}
	merged := mergedSession(r.Timestamp, p.near)
	if merged.End < closeTime {
		p.c.Dropped(p.node, droppedLate)
		return nil
	}
	if merged.Start != merged.End {
		if err := p.remove(r); err != nil {
			return err
		}
	}
	return p.put(r, merged)
}

// find fills near with the sessions that the record belongs to.
func (p *sessionAggregate[K, V, A]) find(r Record[K, V]) error {
	var err error
	p.near, err = p.store.AppendSessions(reusable(p.near), r.Key, r.Timestamp-p.gap, r.Timestamp+p.gap)
	return err
}

// mergedSession spans a record and the sessions it joins.
func mergedSession[K, A any](timestamp int64, near []state.Pair[state.Windowed[K], A]) state.Window {
	w := state.Window{Start: timestamp, End: timestamp}
	for i := range near {
		w.Start = min(w.Start, near[i].Key.Window.Start)
		w.End = max(w.End, near[i].Key.Window.End)
	}
	return w
}

// remove takes away the sessions that the merged one replaces.
func (p *sessionAggregate[K, V, A]) remove(r Record[K, V]) error {
	for i := range p.near {
		s := &p.near[i]
		if err := p.store.Remove(s.Key); err != nil {
			return err
		}
		if p.closing != nil {
			if err := p.closing.gone(s.Key.Window.End, s.Key); err != nil {
				return err
			}
			continue
		}
		out := Record[state.Windowed[K], change[A]]{Key: s.Key, Timestamp: s.Key.Window.End}
		if p.prior {
			out.Value.prior, out.Value.hasPrior = s.Value, true
		}
		if err := p.next(out); err != nil {
			return err
		}
	}
	return nil
}

// put stores the merged session with the record in it.
func (p *sessionAggregate[K, V, A]) put(r Record[K, V], merged state.Window) error {
	agg, has := p.fold.init()
	for i := range p.near {
		agg, has = p.fold.merge(r.Key, agg, has, p.near[i].Value, true)
	}
	agg, has = p.fold.add(r.Key, r.Value, r.NoValue, agg, has)
	key := state.Windowed[K]{Key: r.Key, Window: merged}
	var err error
	if has {
		err = p.store.Put(key, agg)
	} else {
		err = p.store.Remove(key)
	}
	if err != nil {
		return err
	}
	if p.closing != nil {
		return p.closing.opened(merged.End, key)
	}
	out := Record[state.Windowed[K], change[A]]{Key: key, Timestamp: merged.End}
	out.Value.next, out.Value.hasNext = agg, has
	return p.next(out)
}

// idle closes sessions when stream time moved on without a record.
func (p *sessionAggregate[K, V, A]) idle(streamTime int64) error {
	p.time = max(p.time, streamTime)
	if p.closing == nil {
		return nil
	}
	return p.closing.emit(p.time-p.grace-p.gap, nil)
}
