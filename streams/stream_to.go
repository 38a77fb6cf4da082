package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// To produces the stream's records to a topic, a null key or value as null. Options: Named,
// PartitionBy.
func (s *Stream[K, V]) To(topic string, opts ...Option) {
	s.b.valid("topic", topic)
	s.to("To", sinkSpec[K, V]{topic: plan.Topic{Name: topic}}, opts)
}

// ToTopics produces each record to the topic that topic names. Options: as To.
func (s *Stream[K, V]) ToTopics(topic func(Record[K, V]) string, opts ...Option) {
	s.b.need("ToTopics", "function", topic)
	s.to("ToTopics", sinkSpec[K, V]{choose: topic}, opts)
}

func (s *Stream[K, V]) to(what string, spec sinkSpec[K, V], opts []Option) {
	o := s.b.readOptions(what, optName|optPartitionBy, opts)
	name := s.b.nodeName(o.name, "KSTREAM-SINK-")
	s.b.needSerdes(name, s.ks, s.vs)
	spec.ks, spec.vs = s.ks, s.vs
	spec.partition = typedOption[func(K, V, int32) int32](s.b, name, "PartitionBy", o.partitionBy)
	op := &operator{name: name}
	op.write = func(w *writer) { w.add(sink(name, spec), op.parentNames()...) }
	s.b.add(op, s.at)
}
