package state

import (
	"fmt"
	"iter"

	"github.com/tidwall/btree"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/serde"
)

// merged is what a range over a task's key-value store needs.
type merged[K, T any] struct {
	store  string
	space  local.Reader
	keys   serde.Serde[K]
	values codec[T]
	// live returns what memory has of a key: known is false if nothing, there if a value.
	live func(key []byte) (value T, there, known bool, err error)
}

// scan merges the changed keys with the space: low <= key < high, nil bounds are the
// ends. The keys are those at the beginning; the values are of the moment they are reached.
func (m merged[K, T]) scan(changed *sortedKeys, low, high []byte, reverse bool) iter.Seq2[Pair[K, T], error] {
	return func(yield func(Pair[K, T], error) bool) {
		walk := changed.walk(low, high, reverse)
		for p, err := range m.space.Scan(low, high, reverse) {
			if err != nil {
				yield(Pair[K, T]{}, storeError(m.store, err))
				return
			}
			for walk.ok && walk.before(p.Key) {
				if !m.entry([]byte(walk.next()), nil, yield) {
					return
				}
			}
			if walk.ok && walk.key == string(p.Key) {
				walk.next()
			}
			if !m.entry(p.Key, p.Value, yield) {
				return
			}
		}
		for walk.ok {
			if !m.entry([]byte(walk.next()), nil, yield) {
				return
			}
		}
	}
}

// entry yields a key with what memory has of it, or else data.
func (m merged[K, T]) entry(key, data []byte, yield func(Pair[K, T], error) bool) bool {
	var p Pair[K, T]
	value, there, known, err := m.live(key)
	switch {
	case err != nil:
	case known && !there, !known && data == nil:
		return true
	case known:
		p.Value = value
	default:
		if p.Value, err = m.values.decode(data); err != nil {
			err = fmt.Errorf("store %s: decode %s: %w", m.store, showKey(m.keys, key), err)
		}
	}
	if err == nil {
		if p.Key, err = m.keys.Decode(key); err != nil {
			err = fmt.Errorf("store %s: decode the key %x: %w", m.store, key, err)
		}
	}
	return yield(p, err)
}

// sortedKeys has the changed keys in order, once there was a range over them.
type sortedKeys struct{ tree *btree.Map[string, struct{}] }

// add notes a key, if anybody ranges.
func (k *sortedKeys) add(key string) {
	if k.tree != nil {
		k.tree.Set(key, struct{}{})
	}
}

// start fills in the keys before the first range.
func (k *sortedKeys) start(all iter.Seq[string]) {
	if k.tree != nil {
		return
	}
	k.tree = &btree.Map[string, struct{}]{}
	for key := range all {
		k.tree.Set(key, struct{}{})
	}
}

// applied forgets the keys; who did not range since the last time pays no more.
func (k *sortedKeys) applied() {
	if k.tree != nil && k.tree.Len() == 0 {
		k.tree = nil
	} else if k.tree != nil {
		k.tree = &btree.Map[string, struct{}]{}
	}
}

// keyWalk goes over the keys as they were when it was made.
type keyWalk struct {
	it        btree.MapIter[string, struct{}]
	low, high []byte
	reverse   bool
	ok        bool
	key       string // the next one, if ok
}

func (k *sortedKeys) walk(low, high []byte, reverse bool) keyWalk {
	w := keyWalk{low: low, high: high, reverse: reverse}
	if k.tree.Len() == 0 {
		return w
	}
	w.it = k.tree.Copy().Iter()
	switch {
	case !reverse && low == nil:
		w.ok = w.it.First()
	case !reverse:
		w.ok = w.it.Seek(string(low))
	case high == nil:
		w.ok = w.it.Last()
	default: // the last one before high
		if w.ok = w.it.Seek(string(high)); w.ok {
			w.ok = w.it.Prev()
		} else {
			w.ok = w.it.Last()
		}
	}
	w.settle()
	return w
}

// next returns the present one and goes on.
func (w *keyWalk) next() string {
	key := w.key
	if w.reverse {
		w.ok = w.it.Prev()
	} else {
		w.ok = w.it.Next()
	}
	w.settle()
	return key
}

func (w *keyWalk) settle() {
	if !w.ok {
		return
	}
	w.key = w.it.Key()
	if w.reverse {
		w.ok = w.low == nil || w.key >= string(w.low)
	} else {
		w.ok = w.high == nil || w.key < string(w.high)
	}
}

// before says that the present one comes before a key of the space.
func (w *keyWalk) before(key []byte) bool {
	if w.reverse {
		return w.key > string(key)
	}
	return w.key < string(key)
}
