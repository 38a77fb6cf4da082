package streams

import (
	"fmt"
	"math"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// tableStore defines the store of a table.
func tableStore[K, V any](b *Builder, node, name string, ks serde.Serde[K], vs serde.Serde[V], o options) *plan.Store {
	b.need("store "+name+" of "+node, "serde of keys", ks)
	b.need("store "+name+" of "+node, "serde of values", vs)
	if o.given&optVersioned != 0 {
		if o.history <= 0 {
			b.problem("%s: Versioned(%v): longer than 0", node, o.history)
		}
		if o.cached {
			b.problem("%s: Versioned goes without Cached", node)
		}
		return state.Versioned(name, o.history, ks, vs, o.stateOptions()...).Plan()
	}
	return state.TimestampedKeyValue(name, ks, vs, o.stateOptions()...).Plan()
}

// stateOptions are those of package state.
func (o options) stateOptions() []state.Option {
	var out []state.Option
	if o.inMemory {
		out = append(out, state.InMemory())
	}
	if o.cached {
		out = append(out, state.Cached())
	}
	if o.changelogConfig != nil {
		out = append(out, state.Logged(o.changelogConfig))
	}
	if o.notLogged {
		out = append(out, state.NotLogged())
	}
	return out
}

// versioned says whether the table that an operator stores is versioned.
func (o options) versioned() *bool {
	yes := o.given&optVersioned != 0
	return &yes
}

// table is a table's store within a task.
type table[K, V any] struct {
	lookup[K, V]
	next receiver[K, change[V]]
	// prior: changes carry the value before.
	prior bool
	// set stores a value or its absence: taken is false where it is too old to keep, late
	// where there is a later one.
	set func(key K, v state.Timestamped[V], present bool) (taken, late bool, err error)
	// held: the record cache passes changes on, not put.
	held bool
}

// put stores a change and passes it on.
func (t *table[K, V]) put(key K, timestamp int64, headers []kgo.RecordHeader, ch change[V]) error {
	taken, late, err := t.set(key, state.Timestamped[V]{Value: ch.next, Timestamp: timestamp}, ch.hasNext)
	if err != nil || !taken || t.held {
		return err
	}
	ch.late = late
	if !t.prior {
		var none V
		ch.prior, ch.hasPrior = none, false
	}
	return t.next(Record[K, change[V]]{Key: key, Value: ch, Timestamp: timestamp, Headers: headers})
}

// openTable opens a table's store, for the node that puts into it.
func openTable[K, V any](c plan.Context, s *plan.Store, prior bool, next receiver[K, change[V]]) (*table[K, V], error) {
	look, err := openLookup[K, V](c, s.Name)
	if err != nil {
		return nil, err
	}
	t := &table[K, V]{lookup: look, next: next, prior: prior}
	switch look := look.(type) {
	case keyValueLookup[K, V]:
		err = t.setKeyValue(c, s.Name, look.store)
	case versionedLookup[K, V]:
		err = t.setVersioned(s.Name, look.store)
	}
	return t, err
}

// timestampedStore is what a table's key-value store can do.
type timestampedStore[K, V any] interface {
	state.KeyValueStore[K, state.Timestamped[V]]
	state.Flushing[K, state.Timestamped[V]]
	DeleteAt(key K, timestamp int64) (state.Timestamped[V], bool, error)
}

func (t *table[K, V]) setKeyValue(c plan.Context, name string, store any) error {
	s, ok := store.(timestampedStore[K, V])
	if !ok {
		return fmt.Errorf("store %s is a %T, which no table writes", name, store)
	}
	t.set = func(key K, v state.Timestamped[V], present bool) (taken, late bool, err error) {
		if present {
			return true, false, s.Put(key, v)
		}
		_, _, err = s.DeleteAt(key, v.Timestamp)
		return true, false, err
	}
	t.held = s.SetFlush(func(key K, ch state.Change[state.Timestamped[V]]) error {
		out := change[V]{next: ch.Next.Value, hasNext: ch.HasNext}
		if t.prior {
			out.prior, out.hasPrior = ch.Prior.Value, ch.HasPrior
		}
		return t.next(Record[K, change[V]]{Key: key, Value: out, Timestamp: ch.Timestamp})
	})
	return nil
}

// versionedTable is what a table's versioned store can do.
type versionedTable[K, V any] interface {
	state.VersionedStore[K, V]
	PutTombstone(key K, timestamp int64) (to int64, ok bool, err error)
}

func (t *table[K, V]) setVersioned(name string, store any) error {
	s, ok := store.(versionedTable[K, V])
	if !ok {
		return fmt.Errorf("store %s is a %T, which no table writes", name, store)
	}
	t.set = func(key K, v state.Timestamped[V], present bool) (taken, late bool, err error) {
		var until int64
		if present {
			until, taken, err = s.Put(key, v.Value, v.Timestamp)
		} else {
			until, taken, err = s.PutTombstone(key, v.Timestamp)
		}
		return taken, until != math.MaxInt64, err
	}
	return nil
}

// stored is the origin of a table that always has a store.
type stored[K, V any] struct {
	store *plan.Store
	prior bool
}

func (s *stored[K, V]) enablePrior(bool) bool { s.prior = true; return true }
func (s *stored[K, V]) view() view[K, V]      { return storeView[K, V](s.store.Name) }

// storeView reads a table from its store.
func storeView[K, V any](store string) view[K, V] {
	return view[K, V]{stores: []string{store}, open: func(c plan.Context) (lookup[K, V], error) {
		return openLookup[K, V](c, store)
	}}
}

func openLookup[K, V any](c plan.Context, store string) (lookup[K, V], error) {
	s, err := c.Store(store)
	if err != nil {
		return nil, err
	}
	switch s := s.(type) {
	case state.ReadOnlyKeyValue[K, state.Timestamped[V]]:
		return keyValueLookup[K, V]{s}, nil
	case state.ReadOnlyVersioned[K, V]:
		return versionedLookup[K, V]{s}, nil
	}
	return nil, fmt.Errorf("store %s is a %T, which is no table of %T", store, s, *new(state.Pair[K, V]))
}

// keyValueLookup reads a timestamped key-value store.
type keyValueLookup[K, V any] struct {
	store state.ReadOnlyKeyValue[K, state.Timestamped[V]]
}

func (l keyValueLookup[K, V]) get(key K) (state.Timestamped[V], bool, error) { return l.store.Get(key) }
func (l keyValueLookup[K, V]) versioned() bool                               { return false }
func (l keyValueLookup[K, V]) getAsOf(key K, _ int64) (state.Timestamped[V], bool, error) {
	return l.store.Get(key)
}

// versionedLookup reads a versioned store.
type versionedLookup[K, V any] struct{ store state.ReadOnlyVersioned[K, V] }

func (l versionedLookup[K, V]) get(key K) (state.Timestamped[V], bool, error) {
	return l.store.Get(key)
}
func (l versionedLookup[K, V]) versioned() bool { return true }
func (l versionedLookup[K, V]) getAsOf(key K, at int64) (state.Timestamped[V], bool, error) {
	return l.store.GetAsOf(key, at)
}
