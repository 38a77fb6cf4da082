package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// JoinForeign joins each value of the left table with the right table's value of the key
// that foreign takes out of it; false is none, and no result. The tables need not have
// the same number of partitions: subscriptions and responses go through topics of the
// application. Options: Named, Materialized and its like, Versioned.
func JoinForeign[K, L, KR, R, O any](l *Table[K, L], r *Table[KR, R], foreign func(L) (KR, bool), f func(L, R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	l.b.need("JoinForeign", "function that takes out the foreign key", foreign)
	return JoinForeignWithKey(l, r, func(_ K, v L) (KR, bool) { return foreign(v) }, f, vs, opts...)
}

// LeftJoinForeign is JoinForeign where the right value is nil if there is none, or no
// foreign key. Options: as JoinForeign.
func LeftJoinForeign[K, L, KR, R, O any](l *Table[K, L], r *Table[KR, R], foreign func(L) (KR, bool), f func(L, *R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	l.b.need("LeftJoinForeign", "function that takes out the foreign key", foreign)
	return LeftJoinForeignWithKey(l, r, func(_ K, v L) (KR, bool) { return foreign(v) }, f, vs, opts...)
}

// JoinForeignWithKey is JoinForeign where the foreign key is made of the left key, too.
func JoinForeignWithKey[K, L, KR, R, O any](l *Table[K, L], r *Table[KR, R], foreign func(K, L) (KR, bool), f func(L, R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	l.b.need("JoinForeign", "function", f)
	return joinForeign(l, r, "JoinForeign", false, foreign,
		func(l L, r R, _ bool) O { return f(l, r) }, vs, opts)
}

// LeftJoinForeignWithKey is LeftJoinForeign where the foreign key is made of the left key,
// too.
func LeftJoinForeignWithKey[K, L, KR, R, O any](l *Table[K, L], r *Table[KR, R], foreign func(K, L) (KR, bool), f func(L, *R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	l.b.need("LeftJoinForeign", "function", f)
	return joinForeign(l, r, "LeftJoinForeign", true, foreign,
		func(l L, r R, has bool) O { return f(l, pointer(r, has)) }, vs, opts)
}

// foreignJoin is a join by foreign key. The left table sends subscriptions to the partition
// of the foreign key; there they are kept and, together with the right table's changes,
// make responses; these go back to the partition of the left key.
type foreignJoin[K, L, KR, R, O any] struct {
	left    *Table[K, L]
	right   *Table[KR, R]
	outer   bool // a left join
	foreign func(K, L) (KR, bool)
	join    func(l L, r R, has bool) O
	names   foreignNames
	asks    plan.Topic
	answers plan.Topic
	store   *plan.Store // of subscriptions
	// views of the tables, to look values up.
	leftView  view[K, L]
	rightView view[KR, R]
	// inOrder: the table is versioned, and late changes of it are left out.
	leftInOrder, rightInOrder bool
}

// foreignNames are those of a join's nodes, topics and store.
type foreignNames struct {
	asks, register, registerSink, registerSource, store, receive, joinForeign, foreignJoin,
	answers, responseSink, responseSource, resolve, result string
}

// foreignNames are numbered as in Kafka Streams.
func (b *Builder) foreignNames(named string) foreignNames {
	const prefix = "KTABLE-FK-JOIN-"
	return foreignNames{
		asks:           b.suffixed(named, "-subscription-registration", prefix+"SUBSCRIPTION-REGISTRATION-") + "-topic",
		register:       b.suffixed(named, "-subscription-registration-processor", prefix+"SUBSCRIPTION-REGISTRATION-"),
		registerSink:   b.suffixed(named, "-subscription-registration-sink", "KTABLE-SINK-"),
		registerSource: b.suffixed(named, "-subscription-registration-source", "KTABLE-SOURCE-"),
		store:          b.suffixed(named, "-subscription-store", prefix+"SUBSCRIPTION-STATE-STORE-"),
		receive:        b.suffixed(named, "-subscription-receive", prefix+"SUBSCRIPTION-PROCESSOR-"),
		joinForeign:    b.suffixed(named, "-subscription-join-foreign", prefix+"SUBSCRIPTION-PROCESSOR-"),
		foreignJoin:    b.suffixed(named, "-foreign-join-subscription", prefix+"SUBSCRIPTION-PROCESSOR-"),
		answers:        b.suffixed(named, "-subscription-response", prefix+"SUBSCRIPTION-RESPONSE-") + "-topic",
		responseSink:   b.suffixed(named, "-subscription-response-sink", "KTABLE-SINK-"),
		responseSource: b.suffixed(named, "-subscription-response-source", "KTABLE-SOURCE-"),
		resolve:        b.suffixed(named, "-subscription-response-resolver", prefix+"SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR-"),
		result:         b.suffixed(named, "-result", prefix+"OUTPUT-"),
	}
}

func joinForeign[K, L, KR, R, O any](l *Table[K, L], r *Table[KR, R], what string, outer bool, foreign func(K, L) (KR, bool), join func(L, R, bool) O, vs serde.Serde[O], opts []Option) *Table[K, O] {
	b := l.b
	o := b.readOptions(what, optName|optStore|optVersioned, opts)
	b.same(what, r.b)
	r.enablePrior(true)
	l.enablePrior(true)
	j := &foreignJoin[K, L, KR, R, O]{left: l, right: r, outer: outer, foreign: foreign, join: join, names: b.foreignNames(o.name)}
	b.need(j.names.result, "function that takes out the foreign key", foreign)
	b.needSerdes(j.names.result, l.ks, l.vs)
	b.needSerdes(j.names.result, r.ks, r.vs)
	j.asks = plan.Topic{Name: j.names.asks, Repartition: true, Unsuffixed: true}
	j.answers = plan.Topic{Name: j.names.answers, Repartition: true, Unsuffixed: true}
	j.store = state.TimestampedKeyValue[[]byte, subscription](j.names.store, serde.Bytes(), subscriptionSerde{}).Plan()
	j.leftView, j.rightView = l.origin.view(), r.origin.view()
	resolved := j.add(b)
	store := o.store
	if store == "" {
		store = b.storeName("KTABLE-FK-JOIN-OUTPUT-")
	}
	from := &tableFrom[K, O]{store: tableStore(b, j.names.result, store, l.ks, vs, o), materialized: o.store != ""}
	op := &operator{name: j.names.result, versioned: o.versioned()}
	op.write = func(w *writer) {
		w.add(newNode(op.name, plan.ProcessorNode, from.wire(op.name)), op.parentNames()...)
		if from.materialized {
			w.store(from.store, op.name)
		}
	}
	b.add(op, resolved)
	b.coPartition(r.sources, []string{j.names.registerSource})
	sources := b.coPartition(l.sources, []string{j.names.responseSource})
	return &Table[K, O]{b: b, name: op.name, ks: l.ks, vs: vs, at: op, sources: sources, queryable: o.store, origin: from}
}

// add adds the join's operators in the order of Kafka Streams, up to that which resolves
// responses.
func (j *foreignJoin[K, L, KR, R, O]) add(b *Builder) *operator {
	n := &j.names
	// Each of these makes tables of its own; whether theirs are versioned does not matter.
	put := func(name string, write func(w *writer, parents []string), parents ...*operator) *operator {
		op := &operator{name: name, versioned: new(bool)}
		op.write = func(w *writer) { write(w, op.parentNames()) }
		return b.add(op, parents...)
	}
	register := put(n.register, func(w *writer, parents []string) {
		w.add(newNode(n.register, plan.ProcessorNode, j.register), parents...)
	}, j.left.at)
	register.heedVersions = func(string) { j.leftInOrder = true }
	ask := put(n.registerSink, func(w *writer, parents []string) {
		w.add(sink(n.registerSink, sinkSpec[KR, subscription]{topic: j.asks, ks: j.right.ks, vs: subscriptionSerde{}}), parents...)
	}, register)
	asked := put(n.registerSource, func(w *writer, _ []string) {
		w.source(source[KR, subscription](n.registerSource, []plan.Topic{j.asks}, plan.ResetDefault, j.right.ks, subscriptionSerde{}, nil))
	}, ask)
	receive := put(n.receive, func(w *writer, parents []string) {
		w.add(newNode(n.receive, plan.ProcessorNode, j.receive), parents...)
		w.store(j.store, n.receive)
	}, asked)
	answer := put(n.joinForeign, func(w *writer, parents []string) {
		w.add(newNode(n.joinForeign, plan.ProcessorNode, j.answer), parents...)
		w.use(n.joinForeign, j.rightView.stores...)
	}, receive)
	changed := put(n.foreignJoin, func(w *writer, parents []string) {
		w.add(newNode(n.foreignJoin, plan.ProcessorNode, j.changed), parents...)
		w.store(j.store, n.foreignJoin)
	}, j.right.at)
	changed.heedVersions = func(string) { j.rightInOrder = true }
	respond := put(n.responseSink, func(w *writer, parents []string) {
		w.add(sink(n.responseSink, sinkSpec[[]byte, response[R]]{
			topic: j.answers, ks: serde.Bytes(), vs: responseSerde[R]{j.right.vs},
			partition: func(_ []byte, r response[R], _ int32) int32 { return r.partition },
		}), parents...)
	}, answer, changed)
	responded := put(n.responseSource, func(w *writer, _ []string) {
		w.source(source[K, response[R]](n.responseSource, []plan.Topic{j.answers}, plan.ResetDefault, j.left.ks, responseSerde[R]{j.right.vs}, nil))
	}, respond)
	return put(n.resolve, func(w *writer, parents []string) {
		w.add(newNode(n.resolve, plan.ProcessorNode, j.resolve), parents...)
		w.use(n.resolve, j.leftView.stores...)
	}, responded)
}
