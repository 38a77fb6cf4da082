package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Processor handles records one at a time, with stores and punctuators. Each task has one
// of its own, which is used by one goroutine. Errors that its methods return are decided
// on by Config.OnFailure.
type Processor[K, V, KO, VO any] interface {
	// Init comes first; the context is valid until Close.
	Init(c Context[KO, VO]) error
	Process(r Record[K, V]) error
	// Close comes last; nothing can be forwarded any more.
	Close() error
}

// Process puts a processor between a stream and another, whose keys may differ. New makes
// one for each task. Options: Named, Using.
func Process[K, V, KO, VO any](s *Stream[K, V], New func() Processor[K, V, KO, VO], ks serde.Serde[KO], vs serde.Serde[VO], opts ...Option) *Stream[KO, VO] {
	name, op := process(s, "Process", "KSTREAM-PROCESSOR-", New, nil, opts)
	return thenRekeyed(s, name, ks, vs, op)
}

// ProcessValues is Process with keys that stay: what it forwards has the key of the record
// being processed. Options: Named, Using.
func ProcessValues[K, V, VO any](s *Stream[K, V], New func() Processor[K, V, K, VO], vs serde.Serde[VO], opts ...Option) *Stream[K, VO] {
	keep := func(p *processing[K, VO], r Record[K, V]) { p.key, p.noKey, p.within = r.Key, r.NoKey, true }
	name, op := process(s, "ProcessValues", "KSTREAM-PROCESSVALUES-", New, keep, opts)
	return then(s, name, vs, op)
}

func process[K, V, KO, VO any](s *Stream[K, V], what, prefix string, New func() Processor[K, V, KO, VO], keepKey keyKeeper[K, V, KO, VO], opts []Option) (string, *operator) {
	o := s.b.readOptions(what, optName|optStores, opts)
	name := o.name
	if name == "" {
		name = s.b.generate(prefix)
	}
	s.b.need(s.b.valid("name", name), "function that makes processors", New)
	op := &operator{name: name}
	op.write = func(w *writer) {
		n := processorNode(w, name, New, keepKey)
		w.add(n, op.parentNames()...)
		w.use(name, o.stores...)
	}
	return name, s.b.add(op, s.at)
}

// AddStore adds a store for processors that name it in Using.
func (b *Builder) AddStore(d state.Definition) {
	s := d.Plan()
	b.valid("store's name", s.Name)
	b.stores = append(b.stores, s)
}

// AddGlobalStore adds a store that every process has all of, filled from a topic by a
// processor, which alone writes it. Options: Named.
func AddGlobalStore[K, V any](b *Builder, d state.Definition, topic string, ks serde.Serde[K], vs serde.Serde[V], New func() Processor[K, V, struct{}, struct{}], opts ...Option) {
	o := b.readOptions("AddGlobalStore", optName, opts)
	s := d.Plan()
	b.valid("store's name", s.Name)
	makeGlobal(s)
	g := newGlobalSource(b, topic, ks, vs, o)
	b.need(g.processor, "function that makes processors", New)
	b.add(&operator{name: g.processor, write: func(w *writer) {
		n := processorNode(w, g.processor, New, nil)
		w.global(g.topic, s, g.node(), n)
		w.useGlobal(g.processor, s)
	}})
}

// keyKeeper notes the key that what is forwarded keeps; nil lets keys change.
type keyKeeper[K, V, KO, VO any] func(p *processing[KO, VO], r Record[K, V])

// processorNode makes the node of a processor.
func processorNode[K, V, KO, VO any](w *writer, name string, New func() Processor[K, V, KO, VO], keepKey keyKeeper[K, V, KO, VO]) *plan.Node {
	n := &plan.Node{Name: name, Kind: plan.ProcessorNode}
	global := w.globalStores
	n.New = func(c plan.Context, children []any) (plan.Instance, error) {
		p := &processing[KO, VO]{c: c, node: n, global: global, next: fanOut[KO, VO](children), children: children, keepKey: keepKey != nil}
		user, err := open(p, name, New)
		if err != nil {
			return plan.Instance{}, err
		}
		in := guarded(c, name, func(r Record[K, V]) error {
			if keepKey == nil {
				return user.Process(r)
			}
			keepKey(p, r)
			defer func() { p.within = false }()
			return user.Process(r)
		})
		in.Close = func() error { return p.close(user.Close) }
		return in, nil
	}
	return n
}
