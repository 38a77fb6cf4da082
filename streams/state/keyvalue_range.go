package state

import (
	"iter"

	"github.com/pabal-dev/pabal/streams/serde"
)

// scanner ranges over a store: low <= key < high, nil bounds are the ends.
type scanner[K, T any] func(low, high []byte, reverse bool) iter.Seq2[Pair[K, T], error]

// ranges are the iterations of a key-value store.
type ranges[K, T any] struct {
	store string
	keys  serde.Serde[K]
	scan  scanner[K, T]
}

// Range yields from <= key <= to.
func (r ranges[K, T]) Range(from, to K) iter.Seq2[Pair[K, T], error] {
	return r.between(from, to, false)
}

// ReverseRange is Range from its end.
func (r ranges[K, T]) ReverseRange(from, to K) iter.Seq2[Pair[K, T], error] {
	return r.between(from, to, true)
}

// All yields every key.
func (r ranges[K, T]) All() iter.Seq2[Pair[K, T], error] { return r.scan(nil, nil, false) }

// ReverseAll is All from its end.
func (r ranges[K, T]) ReverseAll() iter.Seq2[Pair[K, T], error] { return r.scan(nil, nil, true) }

// Prefix yields the keys whose bytes begin with these.
func (r ranges[K, T]) Prefix(prefix []byte) iter.Seq2[Pair[K, T], error] {
	low, high := prefixBounds(prefix)
	return r.scan(low, high, false)
}

func (r ranges[K, T]) between(from, to K, reverse bool) iter.Seq2[Pair[K, T], error] {
	low, high, err := keyBounds(r.keys, from, to)
	if err != nil {
		return failing[Pair[K, T]](keyError(r.store, err))
	}
	return r.scan(low, high, reverse)
}
