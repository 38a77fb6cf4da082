package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// CountTable counts the values under each key. Options: Named, Materialized and its like,
// Versioned.
func CountTable[K, V any](g *GroupedTable[K, V], opts ...Option) *Table[K, int64] {
	return aggregateTable(g, "CountTable", "KTABLE-AGGREGATE-", adding[K, V, int64]{
		init:     func() int64 { return 0 },
		add:      func(_ K, _ V, n int64) int64 { return n + 1 },
		subtract: func(_ K, _ V, n int64) int64 { return n - 1 },
	}, serde.Int64(), opts)
}

// ReduceTable combines the values under each key; the first is the result itself. subtract
// takes out what add put in. Options: as CountTable.
func ReduceTable[K, V any](g *GroupedTable[K, V], add, subtract func(result, value V) V, opts ...Option) *Table[K, V] {
	g.b.need("ReduceTable", "function add", add)
	g.b.need("ReduceTable", "function subtract", subtract)
	return aggregateTable(g, "ReduceTable", "KTABLE-REDUCE-", adding[K, V, V]{
		add:      func(_ K, v, result V) V { return add(result, v) },
		subtract: func(_ K, v, result V) V { return subtract(result, v) },
		first:    func(v V) V { return v },
	}, g.vs, opts)
}

// AggregateTable adds the values under each key to what init makes. subtract takes out what
// add put in. Options: as CountTable.
func AggregateTable[K, V, A any](g *GroupedTable[K, V], init func() A, add, subtract func(K, V, A) A, as serde.Serde[A], opts ...Option) *Table[K, A] {
	g.b.need("AggregateTable", "function init", init)
	g.b.need("AggregateTable", "function add", add)
	g.b.need("AggregateTable", "function subtract", subtract)
	return aggregateTable(g, "AggregateTable", "KTABLE-AGGREGATE-", adding[K, V, A]{init: init, add: add, subtract: subtract}, as, opts)
}

// adding is how values under a key become one.
type adding[K, V, A any] struct {
	init          func() A
	add, subtract func(K, V, A) A
	// first makes the result of the first value, instead of init and add; nil does not.
	first func(V) A
}

func aggregateTable[K, V, A any](g *GroupedTable[K, V], what, prefix string, a adding[K, V, A], as serde.Serde[A], opts []Option) *Table[K, A] {
	b := g.b
	o := b.readOptions(what, optName|optStore|optVersioned, opts)
	storeName := o.store
	if storeName == "" {
		storeName = b.storeName("KTABLE-AGGREGATE-")
	}
	parent, source := g.partition(o.name, storeName)
	name := b.nodeName(o.name, prefix)
	from := &stored[K, A]{store: tableStore(b, name, storeName, g.ks, as, o)}
	op := &operator{name: name, versioned: o.versioned()}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, a.wire(name, from)), op.parentNames()...)
		w.store(from.store, name)
	}
	b.add(op, parent)
	return &Table[K, A]{b: b, name: name, ks: g.ks, vs: as, at: op, sources: []string{source}, queryable: o.store, origin: from}
}

func (a adding[K, V, A]) wire(name string, from *stored[K, A]) wiring[K, change[V], K, change[A]] {
	return func(c plan.Context, next receiver[K, change[A]]) (receiver[K, change[V]], error) {
		t, err := openTable(c, from.store, from.prior, next)
		if err != nil {
			return nil, err
		}
		return func(r Record[K, change[V]]) error {
			if r.NoKey {
				c.Dropped(name, "null key")
				return nil
			}
			old, found, err := t.get(r.Key)
			if err != nil {
				return err
			}
			out, ts := a.apply(r, old, found)
			out.prior, out.hasPrior = old.Value, found
			return t.put(r.Key, ts, r.Headers, out)
		}, nil
	}
}

// apply subtracts the value before and adds the new one.
func (a adding[K, V, A]) apply(r Record[K, change[V]], old state.Timestamped[A], found bool) (out change[A], ts int64) {
	ts = r.Timestamp
	out.next, out.hasNext = old.Value, found
	if r.Value.hasPrior && found {
		out.next = a.subtract(r.Key, r.Value.prior, old.Value)
		ts = max(ts, old.Timestamp)
	}
	if !r.Value.hasNext {
		return out, ts
	}
	if found {
		ts = max(ts, old.Timestamp)
	}
	switch {
	case out.hasNext:
		out.next = a.add(r.Key, r.Value.next, out.next)
	case a.first != nil:
		out.next = a.first(r.Value.next)
	default:
		out.next = a.add(r.Key, r.Value.next, a.init())
	}
	out.hasNext = true
	return out, ts
}
