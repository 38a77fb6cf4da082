package codec

import (
	"maps"
	"sync"
	"sync/atomic"
)

// remembered is a map that is read with every record, and written hardly ever: who reads waits for
// nobody. It forgets everything before it has more than most entries.
type remembered[K comparable, V any] struct {
	most int

	writing sync.Mutex
	all     atomic.Pointer[map[K]V] // never changed, only replaced
}

func (r *remembered[K, V]) get(k K) (v V, ok bool) {
	if all := r.all.Load(); all != nil {
		v, ok = (*all)[k]
	}
	return v, ok
}

func (r *remembered[K, V]) put(k K, v V) {
	r.writing.Lock()
	defer r.writing.Unlock()
	next := map[K]V{}
	if all := r.all.Load(); all != nil && len(*all) < r.most {
		next = maps.Clone(*all)
	}
	next[k] = v
	r.all.Store(&next)
}
