package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// GlobalTable is a table that every process has all of, so that streams join with any of
// its keys. It is filled before tasks start.
type GlobalTable[K, V any] struct {
	b     *Builder
	store *plan.Store
	view  view[K, V]
}

// GlobalTableFrom reads all partitions of a topic as a table. Options: Named, Materialized,
// InMemory.
func GlobalTableFrom[K, V any](b *Builder, topic string, ks serde.Serde[K], vs serde.Serde[V], opts ...Option) *GlobalTable[K, V] {
	o := b.readOptions("GlobalTableFrom", optName|optStore, opts)
	if o.store == "" {
		o.store = b.storeName(topic + "-")
	}
	g := newGlobalSource(b, topic, ks, vs, o)
	store := tableStore(b, g.processor, o.store, ks, vs, o)
	makeGlobal(store)
	store.Source = &g.topic
	b.add(&operator{name: g.processor, write: func(w *writer) {
		w.global(g.topic, store, g.node(), &plan.Node{Name: g.processor, Kind: plan.ProcessorNode})
	}})
	return &GlobalTable[K, V]{b: b, store: store, view: storeView[K, V](store.Name)}
}

// makeGlobal: the topic itself is the log of a global store.
func makeGlobal(s *plan.Store) { s.Global, s.Logged, s.Cached = true, false, false }

// globalSource reads the topic of a global store.
type globalSource[K, V any] struct {
	source, processor string
	topic             plan.Topic
	ks                serde.Serde[K]
	vs                serde.Serde[V]
}

func newGlobalSource[K, V any](b *Builder, topic string, ks serde.Serde[K], vs serde.Serde[V], o options) globalSource[K, V] {
	g := globalSource[K, V]{
		source: b.suffixed(o.name, "-source", "KSTREAM-SOURCE-"), processor: b.nodeName(o.name, "KTABLE-SOURCE-"),
		topic: plan.Topic{Name: b.valid("topic", topic)}, ks: ks, vs: vs,
	}
	b.needSerdes(g.processor, ks, vs)
	return g
}

func (g globalSource[K, V]) node() *plan.Node {
	return source[K, V](g.source, []plan.Topic{g.topic}, plan.ResetDefault, g.ks, g.vs, nil)
}
