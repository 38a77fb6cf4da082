package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Filter keeps the keys whose values keep says; others are as if deleted. Options: Named,
// Materialized and its like, Versioned.
func (t *Table[K, V]) Filter(keep func(K, V) bool, opts ...Option) *Table[K, V] {
	return t.filter("Filter", keep, true, opts)
}

// FilterNot drops the keys whose values drop says. Options: as Filter.
func (t *Table[K, V]) FilterNot(drop func(K, V) bool, opts ...Option) *Table[K, V] {
	return t.filter("FilterNot", drop, false, opts)
}

func (t *Table[K, V]) filter(what string, f func(K, V) bool, want bool, opts []Option) *Table[K, V] {
	o := t.b.readOptions(what, optName|optStore|optVersioned, opts)
	t.b.need(what, "function", f)
	m := &mapping[K, V, V]{parent: t, skip: true, f: func(k K, v V) (V, bool) { return v, f(k, v) == want }}
	out := mapTable(m, "KTABLE-FILTER-", t.vs, o)
	m.prior = t.enablePrior(false) // spares tombstones of keys that were not there
	return out
}

// MapTableValues makes another value of each key's. Options: Named, Materialized and its
// like, Versioned.
func MapTableValues[K, V, VO any](t *Table[K, V], f func(V) VO, vs serde.Serde[VO], opts ...Option) *Table[K, VO] {
	t.b.need("MapTableValues", "function", f)
	return mapTableValues(t, "MapTableValues", func(_ K, v V) VO { return f(v) }, vs, opts)
}

// MapTableValuesWithKey is MapTableValues with the key.
func MapTableValuesWithKey[K, V, VO any](t *Table[K, V], f func(K, V) VO, vs serde.Serde[VO], opts ...Option) *Table[K, VO] {
	t.b.need("MapTableValuesWithKey", "function", f)
	return mapTableValues(t, "MapTableValuesWithKey", f, vs, opts)
}

func mapTableValues[K, V, VO any](t *Table[K, V], what string, f func(K, V) VO, vs serde.Serde[VO], opts []Option) *Table[K, VO] {
	o := t.b.readOptions(what, optName|optStore|optVersioned, opts)
	m := &mapping[K, V, VO]{parent: t, f: func(k K, v V) (VO, bool) { return f(k, v), true }}
	return mapTable(m, "KTABLE-MAPVALUES-", vs, o)
}

// mapping is the origin of a table whose values are made of another's.
type mapping[K, V, VO any] struct {
	parent *Table[K, V]
	// f makes the value; false is none.
	f func(K, V) (VO, bool)
	// skip spares changes from no value to none; allVersions does not.
	skip, allVersions bool
	store             *plan.Store // nil is not materialized
	prior             bool
}

func mapTable[K, V, VO any](m *mapping[K, V, VO], prefix string, vs serde.Serde[VO], o options) *Table[K, VO] {
	t := m.parent
	if o.given&optStore != 0 && o.store == "" {
		t.b.storeName(prefix) // takes a number, but an unnamed one is not stored
		if o.history > 0 {
			t.b.problem("%s: Versioned goes with the name of a store, in Materialized", prefix)
		}
	}
	name := t.b.nodeName(o.name, prefix)
	op := &operator{name: name}
	if o.store != "" {
		m.store = tableStore(t.b, name, o.store, t.ks, vs, o)
		op.versioned = o.versioned()
	}
	if m.skip {
		op.heedVersions = func(string) { m.allVersions = true }
	}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, m.wire), op.parentNames()...)
		if m.store != nil {
			w.store(m.store, name)
		}
	}
	t.b.add(op, t.at)
	return &Table[K, VO]{b: t.b, name: name, ks: t.ks, vs: vs, at: op, sources: t.sources, queryable: o.store, origin: m}
}

func (m *mapping[K, V, VO]) enablePrior(force bool) bool {
	if m.store != nil || m.parent.enablePrior(force) {
		m.prior = true
	}
	return m.prior
}

func (m *mapping[K, V, VO]) wire(c plan.Context, next receiver[K, change[VO]]) (receiver[K, change[V]], error) {
	if m.store != nil {
		return m.wireStored(c, next)
	}
	return func(r Record[K, change[V]]) error {
		ch := change[VO]{late: r.Value.late}
		ch.next, ch.hasNext = m.of(r.Key, r.Value.next, r.Value.hasNext)
		if m.prior {
			ch.prior, ch.hasPrior = m.of(r.Key, r.Value.prior, r.Value.hasPrior)
		}
		if m.needless(ch) {
			return nil
		}
		return next(withValue(r, ch))
	}, nil
}

func (m *mapping[K, V, VO]) wireStored(c plan.Context, next receiver[K, change[VO]]) (receiver[K, change[V]], error) {
	t, err := openTable(c, m.store, m.prior, next)
	if err != nil {
		return nil, err
	}
	return func(r Record[K, change[V]]) error {
		var ch change[VO]
		ch.next, ch.hasNext = m.of(r.Key, r.Value.next, r.Value.hasNext)
		if m.prior {
			old, found, err := t.get(r.Key)
			if err != nil {
				return err
			}
			ch.prior, ch.hasPrior = old.Value, found
		}
		if m.needless(ch) {
			return nil
		}
		return t.put(r.Key, r.Timestamp, r.Headers, ch)
	}, nil
}

// of maps a value, or its absence.
func (m *mapping[K, V, VO]) of(k K, v V, present bool) (out VO, ok bool) {
	if present {
		if out, ok = m.f(k, v); !ok {
			var none VO
			return none, false
		}
	}
	return out, ok
}

func (m *mapping[K, V, VO]) needless(ch change[VO]) bool {
	return m.skip && m.prior && !m.allVersions && !ch.hasNext && !ch.hasPrior
}

func (m *mapping[K, V, VO]) view() view[K, VO] {
	if m.store != nil {
		return storeView[K, VO](m.store.Name)
	}
	parent := m.parent.origin.view()
	return view[K, VO]{stores: parent.stores, open: func(c plan.Context) (lookup[K, VO], error) {
		l, err := parent.open(c)
		if err != nil {
			return nil, err
		}
		return mappedLookup[K, V, VO]{l, m}, nil
	}}
}

// mappedLookup maps what it finds.
type mappedLookup[K, V, VO any] struct {
	parent lookup[K, V]
	m      *mapping[K, V, VO]
}

func (l mappedLookup[K, V, VO]) versioned() bool { return l.parent.versioned() }

func (l mappedLookup[K, V, VO]) get(key K) (state.Timestamped[VO], bool, error) {
	return l.mapped(key)(l.parent.get(key))
}

func (l mappedLookup[K, V, VO]) getAsOf(key K, at int64) (state.Timestamped[VO], bool, error) {
	return l.mapped(key)(l.parent.getAsOf(key, at))
}

func (l mappedLookup[K, V, VO]) mapped(key K) func(state.Timestamped[V], bool, error) (state.Timestamped[VO], bool, error) {
	return func(v state.Timestamped[V], found bool, err error) (state.Timestamped[VO], bool, error) {
		if err != nil || !found {
			return state.Timestamped[VO]{}, false, err
		}
		out, ok := l.m.f(key, v.Value)
		return state.Timestamped[VO]{Value: out, Timestamp: v.Timestamp}, ok, nil
	}
}
