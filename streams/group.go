package streams

import (
	"github.com/pabal-dev/pabal/streams/serde"
)

// Grouped is a stream whose records of one key are to be aggregated.
type Grouped[K, V any] struct {
	b       *Builder
	name    string // of the node whose output it is
	ks      serde.Serde[K]
	vs      serde.Serde[V]
	at      *operator
	sources []string
	rekeyed bool
	named   string // by the user, for the repartition topic; "" is after each store
	// partitioned is the repartitioning that aggregations share where it is named.
	partitioned *operator
}

// GroupByKey groups by the present key; it repartitions if keys may have changed. Option:
// Named, for the repartition topic.
func (s *Stream[K, V]) GroupByKey(opts ...Option) *Grouped[K, V] {
	o := s.b.readOptions("GroupByKey", optName, opts)
	if o.name != "" {
		s.b.valid("name", o.name)
	}
	return s.group(o.name)
}

// GroupBy groups by another key, through a repartition topic. Option: Named, for that
// topic too.
func GroupBy[K, V, KO any](s *Stream[K, V], f func(K, V) KO, ks serde.Serde[KO], opts ...Option) *Grouped[KO, V] {
	o := s.b.readOptions("GroupBy", optName, opts)
	return selectKey(s, f, ks, o.name).group(o.name)
}

func (s *Stream[K, V]) group(named string) *Grouped[K, V] {
	return &Grouped[K, V]{b: s.b, name: s.name, ks: s.ks, vs: s.vs, at: s.at, sources: s.sources, rekeyed: s.rekeyed, named: named}
}

// partition is where an aggregation connects, and the source nodes that lead there:
// behind a repartition topic, named by the user or after the store, if keys may have
// changed.
func (g *Grouped[K, V]) partition(store string) (parent *operator, sources []string) {
	if !g.rekeyed {
		return g.at, g.sources
	}
	prefix := g.named
	if prefix == "" {
		prefix = store
	}
	r := newRepartitioning(g.b, prefix, g.ks, g.vs)
	if g.partitioned == nil || g.named == "" {
		g.partitioned = r.operator()
	}
	g.b.add(g.partitioned, g.at)
	return g.partitioned, []string{g.partitioned.name}
}
