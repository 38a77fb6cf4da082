package streams

import (
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// Stream is an unbounded sequence of records, each a fact of its own. It is only a
// description: its operators run in an App.
type Stream[K, V any] struct {
	b    *Builder
	name string // of the node whose output it is
	ks   serde.Serde[K]
	vs   serde.Serde[V]
	at   *operator
	// sources are the source nodes of its sub-topology that lead to it.
	sources []string
	// rekeyed: keys may have changed since records were partitioned by them.
	rekeyed bool
	// partitioned is the repartitioning that joins share.
	partitioned *operator
}

// From reads a topic as a stream. Options: Named, WithTimestamp, Earliest, Latest.
func From[K, V any](b *Builder, topic string, ks serde.Serde[K], vs serde.Serde[V], opts ...Option) *Stream[K, V] {
	return FromTopics(b, []string{topic}, ks, vs, opts...)
}

// FromTopics reads several topics as one stream. Options: as From.
func FromTopics[K, V any](b *Builder, topics []string, ks serde.Serde[K], vs serde.Serde[V], opts ...Option) *Stream[K, V] {
	o := b.readOptions("From", optName|optTimestamp|optReset, opts)
	name := b.nodeName(o.name, "KSTREAM-SOURCE-")
	when := typedOption[func(Record[K, V]) int64](b, name, "WithTimestamp", o.timestamp)
	b.needSerdes(name, ks, vs)
	if len(topics) == 0 {
		b.problem("%s: no topic", name)
	}
	read := b.topics(topics)
	op := b.add(&operator{name: name, source: newSourceSpec(topics, o.reset, when)})
	op.write = func(w *writer) { w.source(source(name, read, o.reset, ks, vs, when)) }
	return &Stream[K, V]{b: b, name: name, ks: ks, vs: vs, at: op, sources: []string{name}}
}

// topics are local names as the plan has them.
func (b *Builder) topics(names []string) []plan.Topic {
	var out []plan.Topic
	for _, n := range names {
		b.valid("topic", n)
		if t := (plan.Topic{Name: n}); !slices.Contains(out, t) {
			out = append(out, t)
		} else {
			b.problem("topic %s is named twice in FromTopics", n)
		}
	}
	return out
}

func (b *Builder) needSerdes(node string, ks, vs any) {
	b.need(node, "serde of keys", ks)
	b.need(node, "serde of values", vs)
}

// source adds a source node.
func (w *writer) source(n *plan.Node) {
	for _, t := range n.Topics {
		w.reads(t, n.Name)
	}
	w.add(n)
}

// then is the stream after an operator that leaves keys as they are.
func then[K, V, VO any](s *Stream[K, V], name string, vs serde.Serde[VO], op *operator) *Stream[K, VO] {
	return &Stream[K, VO]{b: s.b, name: name, ks: s.ks, vs: vs, at: op, sources: s.sources, rekeyed: s.rekeyed}
}

// thenRekeyed is the stream after an operator that may have changed keys.
func thenRekeyed[K, V, KO, VO any](s *Stream[K, V], name string, ks serde.Serde[KO], vs serde.Serde[VO], op *operator) *Stream[KO, VO] {
	return &Stream[KO, VO]{b: s.b, name: name, ks: ks, vs: vs, at: op, sources: s.sources, rekeyed: true}
}

// step adds a processor node without stores below another.
func step[K, V, KO, VO any](b *Builder, parent *operator, name string, wire wiring[K, V, KO, VO]) *operator {
	op := &operator{name: name}
	op.write = func(w *writer) { w.add(newNode(name, plan.ProcessorNode, wire), op.parentNames()...) }
	return b.add(op, parent)
}

// simple wires a function that needs nothing of its task.
func simple[K, V, KO, VO any](f func(r Record[K, V], next receiver[KO, VO]) error) wiring[K, V, KO, VO] {
	return func(_ plan.Context, next receiver[KO, VO]) (receiver[K, V], error) {
		return func(r Record[K, V]) error { return f(r, next) }, nil
	}
}

// Filter keeps the records that keep says; Option: Named. Of a null key or value it sees
// the zero value.
func (s *Stream[K, V]) Filter(keep func(K, V) bool, opts ...Option) *Stream[K, V] {
	return s.filter("Filter", keep, true, opts)
}

// FilterNot drops the records that drop says; Option: Named.
func (s *Stream[K, V]) FilterNot(drop func(K, V) bool, opts ...Option) *Stream[K, V] {
	return s.filter("FilterNot", drop, false, opts)
}

func (s *Stream[K, V]) filter(what string, f func(K, V) bool, want bool, opts []Option) *Stream[K, V] {
	o := s.b.readOptions(what, optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-FILTER-")
	s.b.need(name, "function", f)
	return then(s, name, s.vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[K, V]) error {
		if f(r.Key, r.Value) != want {
			return nil
		}
		return next(r)
	})))
}

// Peek calls see with each record, which goes on unchanged; Option: Named.
func (s *Stream[K, V]) Peek(see func(Record[K, V]), opts ...Option) *Stream[K, V] {
	o := s.b.readOptions("Peek", optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-PEEK-")
	s.b.need(name, "function", see)
	return then(s, name, s.vs, step(s.b, s.at, name, simple(func(r Record[K, V], next receiver[K, V]) error {
		see(r)
		return next(r)
	})))
}

// Foreach calls do with each record and ends the stream; Option: Named. After a failure, it
// may be called again with the same records.
func (s *Stream[K, V]) Foreach(do func(Record[K, V]), opts ...Option) {
	o := s.b.readOptions("Foreach", optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-FOREACH-")
	s.b.need(name, "function", do)
	step(s.b, s.at, name, simple(func(r Record[K, V], _ receiver[K, V]) error {
		do(r)
		return nil
	}))
}

// Merge is the records of both streams, without an order between them; Option: Named.
func (s *Stream[K, V]) Merge(other *Stream[K, V], opts ...Option) *Stream[K, V] {
	o := s.b.readOptions("Merge", optName, opts)
	name := s.b.nodeName(o.name, "KSTREAM-MERGE-")
	s.b.same(name, other.b)
	op := &operator{name: name}
	op.write = func(w *writer) { w.add(newNode(name, plan.ProcessorNode, pass[K, V]()), op.parentNames()...) }
	s.b.add(op, s.at, other.at)
	return &Stream[K, V]{b: s.b, name: name, ks: s.ks, vs: s.vs, at: op,
		sources: union(s.sources, other.sources), rekeyed: s.rekeyed || other.rekeyed}
}

// pass lets everything through.
func pass[K, V any]() wiring[K, V, K, V] {
	return func(_ plan.Context, next receiver[K, V]) (receiver[K, V], error) { return next, nil }
}
