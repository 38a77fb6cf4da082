package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// JoinGlobal joins each record with a global table's value of the key that key chooses;
// records without one are dropped. It needs no co-partitioning. Option: Named.
func JoinGlobal[K, V, GK, G, O any](s *Stream[K, V], t *GlobalTable[GK, G], key func(K, V) GK, f func(V, G) O, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	s.b.need("JoinGlobal", "function", f)
	return joinGlobal(s, t, "JoinGlobal", false, key, func(v V, _ bool, g G, _ bool) O { return f(v, g) }, vs, opts)
}

// LeftJoinGlobal is JoinGlobal where a record without a value in the table is joined with
// nil. Option: Named.
func LeftJoinGlobal[K, V, GK, G, O any](s *Stream[K, V], t *GlobalTable[GK, G], key func(K, V) GK, f func(V, *G) O, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	s.b.need("LeftJoinGlobal", "function", f)
	return joinGlobal(s, t, "LeftJoinGlobal", true, key, func(v V, _ bool, g G, has bool) O { return f(v, pointer(g, has)) }, vs, opts)
}

func joinGlobal[K, V, GK, G, O any](s *Stream[K, V], t *GlobalTable[GK, G], what string, left bool, key func(K, V) GK, f joinFunc[V, G, O], vs serde.Serde[O], opts []Option) *Stream[K, O] {
	b := s.b
	o := b.readOptions(what, optName, opts)
	name := b.nodeName(o.name, "KSTREAM-LEFTJOIN-")
	b.same(name, t.b)
	b.need(name, "function of the key", key)
	j := streamJoin[K, V, GK, G, O]{name: name, left: left, f: f, view: t.view,
		key: func(r Record[K, V]) (GK, bool) { return key(r.Key, r.Value), true }}
	op := &operator{name: name, keepsNullKeys: left}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, j.wire), op.parentNames()...)
		w.useGlobal(name, t.store)
	}
	b.add(op, s.at)
	return then(s, name, vs, op)
}
