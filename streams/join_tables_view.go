package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/state"
)

// view reads a join from its store, or joins what the two tables have.
func (j *tableJoin[K, L, R, O]) view() view[K, O] {
	if j.store != nil {
		return storeView[K, O](j.store.Name)
	}
	return view[K, O]{stores: union(j.leftView.stores, j.rightView.stores), open: func(c plan.Context) (lookup[K, O], error) {
		left, err := j.leftView.open(c)
		if err != nil {
			return nil, err
		}
		right, err := j.rightView.open(c)
		if err != nil {
			return nil, err
		}
		return joinLookup[K, L, R, O]{left, right, j.need, j.f}, nil
	}}
}

// joinLookup joins what it finds.
type joinLookup[K, L, R, O any] struct {
	left  lookup[K, L]
	right lookup[K, R]
	need  sides
	f     joinFunc[L, R, O]
}

func (j joinLookup[K, L, R, O]) get(key K) (out state.Timestamped[O], found bool, err error) {
	l, hasL, err := j.left.get(key)
	if err != nil || j.need.left && !hasL {
		return out, false, err
	}
	r, hasR, err := j.right.get(key)
	if err != nil || j.need.right && !hasR || !hasL && !hasR {
		return out, false, err
	}
	switch {
	case hasL && hasR:
		out.Timestamp = max(l.Timestamp, r.Timestamp)
	case hasL:
		out.Timestamp = l.Timestamp
	default:
		out.Timestamp = r.Timestamp
	}
	out.Value = j.f(l.Value, hasL, r.Value, hasR)
	return out, true, nil
}

// A join is never versioned, even of two tables that are.
func (j joinLookup[K, L, R, O]) versioned() bool { return false }
func (j joinLookup[K, L, R, O]) getAsOf(key K, _ int64) (state.Timestamped[O], bool, error) {
	return j.get(key)
}
