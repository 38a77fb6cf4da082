package state

import (
	"fmt"
	"iter"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// keyValueView reads a moment of a key-value store; it is for many goroutines.
type keyValueView[K, T any] struct {
	ranges[K, T]
	r      local.Reader
	values codec[T]
}

func newKeyValueView[K, T any](store string, r local.Reader, keys serde.Serde[K], values codec[T]) keyValueView[K, T] {
	v := keyValueView[K, T]{r: r, values: values}
	v.ranges = ranges[K, T]{store: store, keys: keys}
	v.ranges.scan = v.scan
	return v
}

func (v keyValueView[K, T]) Get(key K) (value T, ok bool, err error) {
	k, err := v.keys.Append(nil, key)
	if err != nil {
		return value, false, keyError(v.store, err)
	}
	data, ok, err := v.r.Get(k, nil)
	if err != nil || !ok {
		return value, false, wrapStore(v.store, err)
	}
	if value, err = v.values.decode(data); err != nil {
		return value, false, fmt.Errorf("store %s: decode %s: %w", v.store, showKey(v.keys, k), err)
	}
	return value, true, nil
}

// ApproximateCount is -1 where the reader does not know it.
func (v keyValueView[K, T]) ApproximateCount() int64 { return countOf(v.r) }

func countOf(r local.Reader) int64 {
	if c, ok := r.(interface{ Keys() int64 }); ok {
		return c.Keys()
	}
	return -1
}

func (v keyValueView[K, T]) scan(low, high []byte, reverse bool) iter.Seq2[Pair[K, T], error] {
	return func(yield func(Pair[K, T], error) bool) {
		for p, err := range v.r.Scan(low, high, reverse) {
			if err != nil {
				yield(Pair[K, T]{}, storeError(v.store, err))
				return
			}
			if !yield(v.entry(p)) {
				return
			}
		}
	}
}

func (v keyValueView[K, T]) entry(p local.Pair) (e Pair[K, T], err error) {
	if e.Key, err = v.keys.Decode(p.Key); err != nil {
		return e, fmt.Errorf("store %s: decode the key %x: %w", v.store, p.Key, err)
	}
	if e.Value, err = v.values.decode(p.Value); err != nil {
		return e, fmt.Errorf("store %s: decode %s: %w", v.store, showKey(v.keys, p.Key), err)
	}
	return e, nil
}

// read yields entries for people.
func (v keyValueView[K, T]) read(q plan.Query) iter.Seq2[plan.RenderedEntry, error] {
	low, high := q.From, q.To
	switch {
	case q.Key != nil:
		low, high = q.Key, append(q.Key[:len(q.Key):len(q.Key)], 0)
	case q.Prefix != nil:
		low, high = prefixBounds(q.Prefix)
	case high != nil:
		high = append(high[:len(high):len(high)], 0)
	}
	return func(yield func(plan.RenderedEntry, error) bool) {
		for e, err := range v.scan(low, high, q.Reverse) {
			if !yield(v.render(e), err) {
				return
			}
		}
	}
}

func (v keyValueView[K, T]) render(e Pair[K, T]) plan.RenderedEntry {
	r := plan.RenderedEntry{Key: readable(e.Key)}
	r.Value, r.Timestamp = v.values.shown(e.Value)
	return r
}
