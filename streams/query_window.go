package streams

import (
	"context"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/state"
)

// WindowStore reads a window store, as Store does a key-value store. Times are starts of
// windows in ms since 1970, both included.
type WindowStore[K, V any] struct{ q *query }

// WaitWindowStore is WaitStore for a window store.
func WaitWindowStore[K, V any](ctx context.Context, app *App, name string, opts ...QueryOption) (*WindowStore[K, V], error) {
	q, err := wait(ctx, app.queries(), name, opts, asWindow[K, V])
	if err != nil {
		return nil, err
	}
	return &WindowStore[K, V]{q}, nil
}

// Fetch returns the value of the window of key that begins at start, false where there is none.
func (s *WindowStore[K, V]) Fetch(ctx context.Context, key K, start int64) (value V, ok bool, err error) {
	ps, err := s.q.of(key)
	if err != nil {
		return value, false, err
	}
	err = s.q.get(ctx, ps[0], func(r local.Reader) error {
		w, err := viewOf(s.q, r, asWindow[K, V])
		value, ok = *new(V), false
		if err != nil {
			return err
		}
		for p, err := range w(windowSpan[K]{one: true, from: key, timeFrom: start, timeTo: start}) {
			if err != nil {
				return err
			}
			value, ok = p.Value, true
			break
		}
		return nil
	})
	return value, ok, err
}

// FetchRange yields the windows of a key in order of their starts.
func (s *WindowStore[K, V]) FetchRange(ctx context.Context, key K, from, to int64) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	ps, err := s.q.of(key)
	if err != nil {
		return failingQuery[state.Pair[state.Windowed[K], V]](err)
	}
	return s.each(ctx, ps, windowSpan[K]{one: true, from: key, timeFrom: from, timeTo: to})
}

// FetchKeys yields the windows of the keys from <= key <= to.
func (s *WindowStore[K, V]) FetchKeys(ctx context.Context, from, to K, timeFrom, timeTo int64) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	return s.everywhere(ctx, windowSpan[K]{some: true, from: from, to: to, timeFrom: timeFrom, timeTo: timeTo})
}

// FetchAll yields the windows of all keys.
func (s *WindowStore[K, V]) FetchAll(ctx context.Context, timeFrom, timeTo int64) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	return s.everywhere(ctx, windowSpan[K]{timeFrom: timeFrom, timeTo: timeTo})
}

func (s *WindowStore[K, V]) everywhere(ctx context.Context, span windowSpan[K]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	ps, err := s.q.all()
	if err != nil {
		return failingQuery[state.Pair[state.Windowed[K], V]](err)
	}
	return s.each(ctx, ps, span)
}

func (s *WindowStore[K, V]) each(ctx context.Context, ps []int32, span windowSpan[K]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	return each(ctx, s.q, ps, asWindow[K, V], func(w windowReader[K, V]) iter.Seq2[state.Pair[state.Windowed[K], V], error] { return w(span) })
}

// windowSpan is one key, some keys, or all, within times.
type windowSpan[K any] struct {
	one, some        bool
	from, to         K
	timeFrom, timeTo int64
}

// windowReader reads a partition.
type windowReader[K, V any] func(windowSpan[K]) iter.Seq2[state.Pair[state.Windowed[K], V], error]

// asWindow takes a store of V, or one of timestamped values.
func asWindow[K, V any](made any) (windowReader[K, V], bool) {
	switch s := made.(type) {
	case state.ReadOnlyWindow[K, V]:
		return func(span windowSpan[K]) iter.Seq2[state.Pair[state.Windowed[K], V], error] { return fetchSpan(s, span) }, true
	case state.ReadOnlyWindow[K, state.Timestamped[V]]:
		return func(span windowSpan[K]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
			return valuesOf(fetchSpan(s, span))
		}, true
	}
	return nil, false
}

func fetchSpan[K, V any](s state.ReadOnlyWindow[K, V], span windowSpan[K]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	switch {
	case span.one:
		return s.FetchRange(span.from, span.timeFrom, span.timeTo)
	case span.some:
		return s.FetchKeys(span.from, span.to, span.timeFrom, span.timeTo)
	}
	return s.FetchAll(span.timeFrom, span.timeTo)
}

// SessionStore reads a session store, as Store does a key-value store.
type SessionStore[K, V any] struct{ q *query }

// WaitSessionStore is WaitStore for a session store.
func WaitSessionStore[K, V any](ctx context.Context, app *App, name string, opts ...QueryOption) (*SessionStore[K, V], error) {
	q, err := wait(ctx, app.queries(), name, opts, asSession[K, V])
	if err != nil {
		return nil, err
	}
	return &SessionStore[K, V]{q}, nil
}

// Fetch yields the sessions of a key in order of their ends.
func (s *SessionStore[K, V]) Fetch(ctx context.Context, key K) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	return s.of(ctx, key, func(v state.ReadOnlySession[K, V]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
		return v.Fetch(key)
	})
}

// Find yields the sessions of a key that end at or after earliestEnd and start at or before
// latestStart (ms).
func (s *SessionStore[K, V]) Find(ctx context.Context, key K, earliestEnd, latestStart int64) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	return s.of(ctx, key, func(v state.ReadOnlySession[K, V]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
		return v.Find(key, earliestEnd, latestStart)
	})
}

// All yields the sessions of all keys.
func (s *SessionStore[K, V]) All(ctx context.Context) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	ps, err := s.q.all()
	if err != nil {
		return failingQuery[state.Pair[state.Windowed[K], V]](err)
	}
	return each(ctx, s.q, ps, asSession[K, V], func(v state.ReadOnlySession[K, V]) iter.Seq2[state.Pair[state.Windowed[K], V], error] { return v.All() })
}

func (s *SessionStore[K, V]) of(ctx context.Context, key K, of func(state.ReadOnlySession[K, V]) iter.Seq2[state.Pair[state.Windowed[K], V], error]) iter.Seq2[state.Pair[state.Windowed[K], V], error] {
	ps, err := s.q.of(key)
	if err != nil {
		return failingQuery[state.Pair[state.Windowed[K], V]](err)
	}
	return each(ctx, s.q, ps, asSession[K, V], of)
}

func asSession[K, V any](made any) (state.ReadOnlySession[K, V], bool) {
	s, ok := made.(state.ReadOnlySession[K, V])
	return s, ok
}
