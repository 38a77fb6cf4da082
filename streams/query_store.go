package streams

import (
	"context"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/state"
)

// Store reads a key-value store: what was committed. Each read of a partition is of one
// moment. It is safe for use by many goroutines, and stays good over rebalances.
//
// Reads of a key ask for its partition, by the hash that Kafka's clients use; records that
// were partitioned otherwise are found by iterations alone. Iterations go over one partition
// after another, within each in the order of the keys' bytes. They end at the first error.
type Store[K, V any] struct{ q *query }

// WaitStore returns a key-value store of an App when every partition of it is known and
// those here are restored, or ctx's error. Values of tables have timestamps: with V as
// state.Timestamped[T] they are returned, with V as T left out. A store that the
// topology does not have, or of other types, is ErrNoStore at once.
func WaitStore[K, V any](ctx context.Context, app *App, name string, opts ...QueryOption) (*Store[K, V], error) {
	q, err := wait(ctx, app.queries(), name, opts, asKeyValue[K, V])
	if err != nil {
		return nil, err
	}
	return &Store[K, V]{q}, nil
}

// wait checks the type before it waits.
func wait[S any](ctx context.Context, app querySource, name string, opts []QueryOption, as func(any) (S, bool)) (*query, error) {
	q, err := newQuery(app, name, opts)
	if err != nil {
		return nil, err
	}
	if _, err := viewOf(q, emptyReader{}, as); err != nil {
		return nil, err
	}
	return q, q.waitReady(ctx)
}

// Get returns false where there is none.
func (s *Store[K, V]) Get(ctx context.Context, key K) (value V, ok bool, err error) {
	ps, err := s.q.of(key)
	if err != nil {
		return value, false, err
	}
	err = s.q.get(ctx, ps[0], func(r local.Reader) error {
		v, err := viewOf(s.q, r, asKeyValue[K, V])
		if err == nil {
			value, ok, err = v.Get(key)
		}
		return err
	})
	return value, ok, err
}

// Range yields from <= key <= to.
func (s *Store[K, V]) Range(ctx context.Context, from, to K) iter.Seq2[state.Pair[K, V], error] {
	return s.each(ctx, func(v state.ReadOnlyKeyValue[K, V]) iter.Seq2[state.Pair[K, V], error] { return v.Range(from, to) })
}

// ReverseRange is Range from the end of each partition.
func (s *Store[K, V]) ReverseRange(ctx context.Context, from, to K) iter.Seq2[state.Pair[K, V], error] {
	return s.each(ctx, func(v state.ReadOnlyKeyValue[K, V]) iter.Seq2[state.Pair[K, V], error] {
		return v.ReverseRange(from, to)
	})
}

// All yields everything.
func (s *Store[K, V]) All(ctx context.Context) iter.Seq2[state.Pair[K, V], error] {
	return s.each(ctx, func(v state.ReadOnlyKeyValue[K, V]) iter.Seq2[state.Pair[K, V], error] { return v.All() })
}

// Prefix yields the keys whose bytes begin with these.
func (s *Store[K, V]) Prefix(ctx context.Context, prefix []byte) iter.Seq2[state.Pair[K, V], error] {
	return s.each(ctx, func(v state.ReadOnlyKeyValue[K, V]) iter.Seq2[state.Pair[K, V], error] { return v.Prefix(prefix) })
}

func (s *Store[K, V]) each(ctx context.Context, of func(state.ReadOnlyKeyValue[K, V]) iter.Seq2[state.Pair[K, V], error]) iter.Seq2[state.Pair[K, V], error] {
	ps, err := s.q.all()
	if err != nil {
		return failingQuery[state.Pair[K, V]](err)
	}
	return each(ctx, s.q, ps, asKeyValue[K, V], of)
}

// asKeyValue takes a store of V, or one of timestamped values.
func asKeyValue[K, V any](made any) (state.ReadOnlyKeyValue[K, V], bool) {
	switch s := made.(type) {
	case state.ReadOnlyKeyValue[K, V]:
		return s, true
	case state.ReadOnlyKeyValue[K, state.Timestamped[V]]:
		return untimed[K, V]{s}, true
	}
	return nil, false
}

// untimed leaves timestamps out.
type untimed[K, V any] struct {
	s state.ReadOnlyKeyValue[K, state.Timestamped[V]]
}

func (u untimed[K, V]) Get(key K) (V, bool, error) {
	v, ok, err := u.s.Get(key)
	return v.Value, ok, err
}

func (u untimed[K, V]) Range(from, to K) iter.Seq2[state.Pair[K, V], error] {
	return valuesOf(u.s.Range(from, to))
}

func (u untimed[K, V]) ReverseRange(from, to K) iter.Seq2[state.Pair[K, V], error] {
	return valuesOf(u.s.ReverseRange(from, to))
}

func (u untimed[K, V]) All() iter.Seq2[state.Pair[K, V], error] { return valuesOf(u.s.All()) }

func (u untimed[K, V]) ReverseAll() iter.Seq2[state.Pair[K, V], error] {
	return valuesOf(u.s.ReverseAll())
}

func (u untimed[K, V]) Prefix(prefix []byte) iter.Seq2[state.Pair[K, V], error] {
	return valuesOf(u.s.Prefix(prefix))
}

func (u untimed[K, V]) ApproximateCount() int64 { return u.s.ApproximateCount() }

func valuesOf[K, V any](seq iter.Seq2[state.Pair[K, state.Timestamped[V]], error]) iter.Seq2[state.Pair[K, V], error] {
	return func(yield func(state.Pair[K, V], error) bool) {
		for p, err := range seq {
			if !yield(state.Pair[K, V]{Key: p.Key, Value: p.Value.Value}, err) {
				return
			}
		}
	}
}

// emptyReader has nothing: a store over it tells its type.
type emptyReader struct{}

func (emptyReader) Get(_, dst []byte) ([]byte, bool, error) { return dst, false, nil }

func (emptyReader) Scan(_, _ []byte, _ bool) iter.Seq2[local.Pair, error] {
	return func(func(local.Pair, error) bool) {}
}
