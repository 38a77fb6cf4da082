package streams

import (
	"strconv"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Split gives each record to the stream of the first predicate that says so; the last
// stream has the rest.
func (s *Stream[K, V]) Split(predicates ...func(K, V) bool) []*Stream[K, V] {
	return s.SplitNamed("", predicates...)
}

// SplitNamed is Split with a name, which begins those of its streams.
func (s *Stream[K, V]) SplitNamed(name string, predicates ...func(K, V) bool) []*Stream[K, V] {
	name = s.b.nodeName(name, "KSTREAM-BRANCH-")
	for _, p := range predicates {
		s.b.need(name, "predicate", p)
	}
	op := &operator{name: name}
	op.write = func(w *writer) { w.add(splitter(name, predicates), op.parentNames()...) }
	s.b.add(op, s.at)
	out := make([]*Stream[K, V], len(predicates)+1)
	for i := range predicates {
		out[i] = s.branch(op, i+1)
	}
	out[len(predicates)] = s.branch(op, 0)
	return out
}

// branch is the n-th stream of a split; 0 is the rest.
func (s *Stream[K, V]) branch(split *operator, n int) *Stream[K, V] {
	name := split.name + strconv.Itoa(n)
	s.b.generate("")
	return then(s, name, s.vs, step(s.b, split, name, pass[K, V]()))
}

// splitter's children are the predicates' streams and that of the rest.
func splitter[K, V any](name string, predicates []func(K, V) bool) *plan.Node {
	return &plan.Node{Name: name, Kind: plan.ProcessorNode, New: func(c plan.Context, children []any) (plan.Instance, error) {
		return guarded(c, name, func(r Record[K, V]) error {
			for i, p := range predicates {
				if p(r.Key, r.Value) {
					return children[i].(receiver[K, V])(r)
				}
			}
			return children[len(predicates)].(receiver[K, V])(r)
		}), nil
	}}
}
