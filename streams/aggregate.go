package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Count counts the records of each key that have a value. Options: Named, Materialized and
// its like.
func Count[K, V any](g *Grouped[K, V], opts ...Option) *Table[K, int64] {
	o := g.b.readOptions("Count", optName|optStore|optVersioned, opts)
	if o.given&optStore != 0 && o.store == "" {
		g.b.storeName("KSTREAM-AGGREGATE-") // Kafka Streams takes two numbers here
	}
	return aggregate(g, aggregation[K, V, int64]{
		prefix: "KSTREAM-AGGREGATE-", vs: serde.Int64(),
		fold: func(_ K, _ V, n int64, _ bool) int64 { return n + 1 },
	}, o)
}

// Reduce combines the values of each key; the first is the result itself. Options: Named,
// Materialized and its like.
func (g *Grouped[K, V]) Reduce(f func(result, value V) V, opts ...Option) *Table[K, V] {
	o := g.b.readOptions("Reduce", optName|optStore|optVersioned, opts)
	g.b.need("Reduce", "function", f)
	return aggregate(g, aggregation[K, V, V]{
		prefix: "KSTREAM-REDUCE-", vs: g.vs,
		fold: func(_ K, v, result V, found bool) V {
			if !found {
				return v
			}
			return f(result, v)
		},
	}, o)
}

// Aggregate adds the values of each key to what init makes. Options: Named, Materialized
// and its like.
func Aggregate[K, V, A any](g *Grouped[K, V], init func() A, add func(K, V, A) A, as serde.Serde[A], opts ...Option) *Table[K, A] {
	o := g.b.readOptions("Aggregate", optName|optStore|optVersioned, opts)
	g.b.need("Aggregate", "function init", init)
	g.b.need("Aggregate", "function add", add)
	return aggregate(g, aggregation[K, V, A]{
		prefix: "KSTREAM-AGGREGATE-", vs: as,
		fold: func(k K, v V, result A, found bool) A {
			if !found {
				result = init()
			}
			return add(k, v, result)
		},
	}, o)
}

// aggregation is how values of a key become one.
type aggregation[K, V, A any] struct {
	prefix string
	vs     serde.Serde[A]
	// fold adds v; found is false for the first one.
	fold func(k K, v V, result A, found bool) A
}

func aggregate[K, V, A any](g *Grouped[K, V], a aggregation[K, V, A], o options) *Table[K, A] {
	b := g.b
	storeName := o.store
	if storeName == "" {
		storeName = b.storeName(a.prefix)
	}
	name := b.nodeName(o.name, a.prefix)
	from := &stored[K, A]{store: tableStore(b, name, storeName, g.ks, a.vs, o)}
	parent, sources := g.partition(storeName)
	op := &operator{name: name, versioned: o.versioned()}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, a.wire(name, from)), op.parentNames()...)
		w.store(from.store, name)
	}
	b.add(op, parent)
	return &Table[K, A]{b: b, name: name, ks: g.ks, vs: a.vs, at: op, sources: sources, queryable: o.store, origin: from}
}

func (a aggregation[K, V, A]) wire(name string, from *stored[K, A]) wiring[K, V, K, change[A]] {
	return func(c plan.Context, next receiver[K, change[A]]) (receiver[K, V], error) {
		t, err := openTable(c, from.store, from.prior, next)
		if err != nil {
			return nil, err
		}
		return func(r Record[K, V]) error {
			if r.NoKey || r.NoValue {
				c.Dropped(name, "null key or value")
				return nil
			}
			old, found, err := t.get(r.Key)
			if err != nil {
				return err
			}
			ts := r.Timestamp
			if found {
				ts = max(ts, old.Timestamp)
			}
			result := a.fold(r.Key, r.Value, old.Value, found)
			return t.put(r.Key, ts, r.Headers, change[A]{next: result, hasNext: true, prior: old.Value, hasPrior: found})
		}, nil
	}
}
