package streams

import (
	"context"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/state"
)

// VersionedStore reads a versioned store, as Store does a key-value store.
type VersionedStore[K, V any] struct{ q *query }

// WaitVersionedStore is WaitStore for a versioned store.
func WaitVersionedStore[K, V any](ctx context.Context, app *App, name string, opts ...QueryOption) (*VersionedStore[K, V], error) {
	q, err := wait(ctx, app.queries(), name, opts, asVersioned[K, V])
	if err != nil {
		return nil, err
	}
	return &VersionedStore[K, V]{q}, nil
}

// Get returns the latest version; false where there is none or it was deleted.
func (s *VersionedStore[K, V]) Get(ctx context.Context, key K) (state.Timestamped[V], bool, error) {
	return s.one(ctx, key, func(v state.ReadOnlyVersioned[K, V]) (state.Timestamped[V], bool, error) { return v.Get(key) })
}

// GetAsOf returns the version that held at that time, in ms since 1970.
func (s *VersionedStore[K, V]) GetAsOf(ctx context.Context, key K, timestamp int64) (state.Timestamped[V], bool, error) {
	return s.one(ctx, key, func(v state.ReadOnlyVersioned[K, V]) (state.Timestamped[V], bool, error) {
		return v.GetAsOf(key, timestamp)
	})
}

// History yields the versions of a key that held within from <= t <= to, oldest first.
func (s *VersionedStore[K, V]) History(ctx context.Context, key K, from, to int64) iter.Seq2[state.Version[V], error] {
	ps, err := s.q.of(key)
	if err != nil {
		return failingQuery[state.Version[V]](err)
	}
	return each(ctx, s.q, ps, asVersioned[K, V], func(v state.ReadOnlyVersioned[K, V]) iter.Seq2[state.Version[V], error] {
		return v.History(key, from, to)
	})
}

func (s *VersionedStore[K, V]) one(ctx context.Context, key K, read func(state.ReadOnlyVersioned[K, V]) (state.Timestamped[V], bool, error)) (value state.Timestamped[V], ok bool, err error) {
	ps, err := s.q.of(key)
	if err != nil {
		return value, false, err
	}
	err = s.q.get(ctx, ps[0], func(r local.Reader) error {
		v, err := viewOf(s.q, r, asVersioned[K, V])
		if err == nil {
			value, ok, err = read(v)
		}
		return err
	})
	return value, ok, err
}

func asVersioned[K, V any](made any) (state.ReadOnlyVersioned[K, V], bool) {
	s, ok := made.(state.ReadOnlyVersioned[K, V])
	return s, ok
}
