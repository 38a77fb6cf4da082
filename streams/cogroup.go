package streams

import (
	"fmt"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Cogrouped is several grouped streams of the same keys that are aggregated into one
// value.
type Cogrouped[K, A any] struct {
	b     *Builder
	ks    serde.Serde[K]
	parts []cogroupPart[K, A]
}

// cogroupPart is one of the streams, without the type of its values.
type cogroupPart[K, A any] struct {
	b         *Builder
	partition func(store string) (parent *operator, sources []string)
	table     func(name string, t *stored[K, A], init func() A) *plan.Node
	windows   func(name string, t *windowedTable[K, A], init func() A) *plan.Node
	sessions  func(name string, t *sessionTable[K, A], init func() A, merge func(K, A, A) A) *plan.Node
}

// Cogroup begins a Cogrouped with a stream whose values add adds.
func Cogroup[K, V, A any](g *Grouped[K, V], add func(K, V, A) A) *Cogrouped[K, A] {
	return AndCogroup(&Cogrouped[K, A]{b: g.b, ks: g.ks}, g, add)
}

// AndCogroup is c with another stream, whose values add adds.
func AndCogroup[K, V, A any](c *Cogrouped[K, A], g *Grouped[K, V], add func(K, V, A) A) *Cogrouped[K, A] {
	c.b.need("Cogroup", "function", add)
	part := cogroupPart[K, A]{
		b: g.b, partition: g.partition,
		table: func(name string, t *stored[K, A], init func() A) *plan.Node {
			a := aggregation[K, V, A]{fold: func(k K, v V, result A, found bool) A {
				if !found {
					result = init()
				}
				return add(k, v, result)
			}}
			return newNode(name, plan.ProcessorNode, a.wire(name, t))
		},
		windows: func(name string, t *windowedTable[K, A], init func() A) *plan.Node {
			return newNode(name, plan.ProcessorNode, wireWindows(name, t, aggregating(init, add, nil)))
		},
		sessions: func(name string, t *sessionTable[K, A], init func() A, merge func(K, A, A) A) *plan.Node {
			return newNode(name, plan.ProcessorNode, wireSessions(name, t, aggregating(init, add, merge)))
		},
	}
	return &Cogrouped[K, A]{b: c.b, ks: c.ks, parts: append(c.parts[:len(c.parts):len(c.parts)], part)}
}

// Aggregate adds the values of each key to what init makes. Options: Named, Materialized
// and its like, Versioned.
func (c *Cogrouped[K, A]) Aggregate(init func() A, as serde.Serde[A], opts ...Option) *Table[K, A] {
	o := c.b.readOptions("Aggregate", optName|optStore|optVersioned, opts)
	c.b.need("Aggregate", "function init", init)
	s := c.begin(o)
	from := &stored[K, A]{store: tableStore(c.b, "Aggregate", s.store, c.ks, as, o)}
	op := s.add(from.store, o.versioned(), nil, merged[K, A], func(p cogroupPart[K, A], name string) *plan.Node {
		return p.table(name, from, init)
	})
	return &Table[K, A]{b: c.b, name: op.name, ks: c.ks, vs: as, at: op, sources: s.sources, queryable: o.store, origin: from}
}

// AggregateCogroupWindows adds the values of each key and window to what init makes.
// Options: Named, Materialized and its like, Retention.
func AggregateCogroupWindows[K, A any](c *Cogrouped[K, A], w Windows, init func() A, as serde.Serde[A], opts ...Option) *Table[state.Windowed[K], A] {
	o := c.b.readOptions("AggregateCogroupWindows", optName|optStore|optRetention, opts)
	c.b.need("AggregateCogroupWindows", "function init", init)
	s := c.begin(o)
	from := &windowedTable[K, A]{windows: w, ks: c.ks, store: windowStore(c.b, "AggregateCogroupWindows", s.store, w, c.ks, as, o)}
	op := s.add(from.store, new(bool), new(w.graceMs()), merged[state.Windowed[K], A], func(p cogroupPart[K, A], name string) *plan.Node {
		return p.windows(name, from, init)
	})
	return &Table[state.Windowed[K], A]{
		b: c.b, name: op.name, ks: state.TimeWindowedSerde(c.ks, w.Size()), vs: as,
		at: op, sources: s.sources, queryable: o.store, origin: from,
	}
}

// AggregateCogroupSessions adds the values of each key's sessions to what init makes; merge
// combines those of sessions that become one. Options: as AggregateCogroupWindows.
func AggregateCogroupSessions[K, A any](c *Cogrouped[K, A], w SessionWindows, init func() A, merge func(K, A, A) A, as serde.Serde[A], opts ...Option) *Table[state.Windowed[K], A] {
	o := c.b.readOptions("AggregateCogroupSessions", optName|optStore|optRetention, opts)
	c.b.need("AggregateCogroupSessions", "function init", init)
	c.b.need("AggregateCogroupSessions", "function merge", merge)
	s := c.begin(o)
	from := &sessionTable[K, A]{windows: w, ks: c.ks, store: sessionStore(c.b, "AggregateCogroupSessions", s.store, w, c.ks, as, o)}
	op := s.add(from.store, new(bool), new(w.retentionMs()), merged[state.Windowed[K], A], func(p cogroupPart[K, A], name string) *plan.Node {
		return p.sessions(name, from, init, merge)
	})
	return &Table[state.Windowed[K], A]{
		b: c.b, name: op.name, ks: state.SessionWindowedSerde(c.ks), vs: as,
		at: op, sources: s.sources, queryable: o.store, origin: from,
	}
}

// cogroupSteps are the operators of an aggregation of a Cogrouped.
type cogroupSteps[K, A any] struct {
	c       *Cogrouped[K, A]
	named   string
	store   string
	parents []*operator
	sources []string
}

const cogroupPrefix = "COGROUPKSTREAM-AGGREGATE-"

// begin names the store and repartitions what needs it.
func (c *Cogrouped[K, A]) begin(o options) cogroupSteps[K, A] {
	s := cogroupSteps[K, A]{c: c, named: o.name, store: o.store}
	if s.store == "" {
		s.store = c.b.storeName(cogroupPrefix)
	}
	var sources [][]string
	for _, p := range c.parts {
		c.b.same("Cogroup", p.b)
		parent, from := p.partition(s.store)
		s.parents = append(s.parents, parent)
		sources = append(sources, from)
	}
	s.sources = c.b.coPartition(sources...)
	return s
}

// add adds a node for each stream, and one that merges their results.
func (s cogroupSteps[K, A]) add(store *plan.Store, versioned *bool, grace *int64, merge func(name string) *plan.Node, node func(p cogroupPart[K, A], name string) *plan.Node) *operator {
	b := s.c.b
	var parts []*operator
	for i, p := range s.c.parts {
		op := &operator{name: b.suffixed(s.named, fmt.Sprintf("-cogroup-agg-%d", i), cogroupPrefix), versioned: versioned, grace: grace}
		op.write = func(w *writer) {
			w.add(node(p, op.name), op.parentNames()...)
			w.store(store, op.name)
		}
		parts = append(parts, b.add(op, s.parents[i]))
	}
	op := &operator{name: b.suffixed(s.named, "-cogroup-merge", "COGROUPKSTREAM-MERGE-")}
	op.write = func(w *writer) { w.add(merge(op.name), op.parentNames()...) }
	return b.add(op, parts...)
}

// merged passes the changes of all streams on.
func merged[K, A any](name string) *plan.Node {
	return newNode(name, plan.ProcessorNode, pass[K, change[A]]())
}
