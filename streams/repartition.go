package streams

import (
	"regexp"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// repartitioning sends records through a topic of the application, so that those of one
// key are in one partition.
type repartitioning[K, V any] struct {
	sink, filter, source string // names of its nodes
	topic                plan.Topic
	ks                   serde.Serde[K]
	vs                   serde.Serde[V]
	partition            func(K, V, int32) int32
}

var generatedStream = regexp.MustCompile(`^KSTREAM.*-[0-9]{10}$`)

// newRepartitioning names a repartitioning, after what the user named or after a store or
// node.
func newRepartitioning[K, V any](b *Builder, prefix string, ks serde.Serde[K], vs serde.Serde[V]) *repartitioning[K, V] {
	r := &repartitioning[K, V]{
		sink: b.generate("KSTREAM-SINK-"), filter: b.generate("KSTREAM-FILTER-"), source: b.generate("KSTREAM-SOURCE-"),
		topic: plan.Topic{Name: prefix, Repartition: true}, ks: ks, vs: vs,
	}
	if !generatedStream.MatchString(prefix) {
		topic := prefix + "-repartition"
		r.sink, r.filter, r.source = topic+"-sink", topic+"-filter", topic+"-source"
	}
	b.need("repartition topic "+prefix, "serde of keys", ks)
	b.need("repartition topic "+prefix, "serde of values", vs)
	return r
}

// operator makes the operator of a repartitioning; it is not added yet.
func (r *repartitioning[K, V]) operator() *operator {
	op := &operator{name: r.source}
	op.write = func(w *writer) {
		wire := pass[K, V]()
		if !op.nullKeysMatter(w.matters) {
			wire = dropNullKeys[K, V](r.filter)
		}
		w.add(newNode(r.filter, plan.ProcessorNode, wire), op.parentNames()...)
		w.add(sink(r.sink, sinkSpec[K, V]{topic: r.topic, ks: r.ks, vs: r.vs, partition: r.partition}), r.filter)
		w.source(source(r.source, []plan.Topic{r.topic}, plan.ResetDefault, r.ks, r.vs, nil))
	}
	return op
}

// dropNullKeys: records without a key cannot be grouped or joined.
func dropNullKeys[K, V any](name string) wiring[K, V, K, V] {
	return func(c plan.Context, next receiver[K, V]) (receiver[K, V], error) {
		return func(r Record[K, V]) error {
			if r.NoKey {
				c.Dropped(name, "null key")
				return nil
			}
			return next(r)
		}, nil
	}
}

// forJoin repartitions a stream, if its keys may have changed, under that name.
func (s *Stream[K, V]) forJoin(named string) *Stream[K, V] {
	if !s.rekeyed {
		return s
	}
	name := named
	if name == "" {
		name = s.name
	}
	r := newRepartitioning(s.b, name, s.ks, s.vs)
	if s.partitioned == nil || name != s.name {
		s.partitioned = s.b.add(r.operator(), s.at)
	}
	source := s.partitioned.name
	return &Stream[K, V]{b: s.b, name: source, ks: s.ks, vs: s.vs, at: s.partitioned, sources: []string{source}}
}

// Repartition sends the stream through a topic of the application. Options: Named (the
// topic's name, too), Partitions, PartitionBy.
func (s *Stream[K, V]) Repartition(opts ...Option) *Stream[K, V] {
	o := s.b.readOptions("Repartition", optName|optPartitions|optPartitionBy, opts)
	name := o.name
	if name == "" {
		name = s.b.generate("KSTREAM-REPARTITION-")
	}
	r := newRepartitioning(s.b, s.b.valid("name", name), s.ks, s.vs)
	r.topic.Partitions = o.partitions
	if o.partitions < 0 || o.given&optPartitions != 0 && o.partitions == 0 {
		s.b.problem("%s: Partitions(%d): at least 1", name, o.partitions)
	}
	r.partition = typedOption[func(K, V, int32) int32](s.b, name, "PartitionBy", o.partitionBy)
	op := s.b.add(r.operator(), s.at)
	return &Stream[K, V]{b: s.b, name: r.source, ks: s.ks, vs: s.vs, at: op, sources: []string{r.source}}
}
