package streams

import (
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// JoinStreams is f of each two records of the same key whose times are as w says; its time
// is the later one. Records without key or value are left out. Both streams are
// repartitioned if their keys may have changed. Options: Named, Materialized (begins the
// names of the stores) and its like.
func JoinStreams[K, L, R, O any](l *Stream[K, L], r *Stream[K, R], f func(L, R) O, w JoinWindows, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	l.b.need("JoinStreams", "function", f)
	return joinStreams(l, r, streamsJoin[K, L, R, O]{
		what: "JoinStreams", windows: w,
		match: f,
	}, vs, opts)
}

// LeftJoinStreams is JoinStreams with, in addition, f(l, nil) of each left record that meets
// no right one until its window and the grace have passed, and at once of one without a
// key.
func LeftJoinStreams[K, L, R, O any](l *Stream[K, L], r *Stream[K, R], f func(L, *R) O, w JoinWindows, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	l.b.need("LeftJoinStreams", "function", f)
	return joinStreams(l, r, streamsJoin[K, L, R, O]{
		what: "LeftJoinStreams", windows: w,
		match:     func(l L, r R) O { return f(l, &r) },
		leftAlone: func(l L) O { return f(l, nil) },
	}, vs, opts)
}

// OuterJoinStreams is LeftJoinStreams for both sides: f(nil, r) of each right record that
// meets no left one.
func OuterJoinStreams[K, L, R, O any](l *Stream[K, L], r *Stream[K, R], f func(*L, *R) O, w JoinWindows, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	l.b.need("OuterJoinStreams", "function", f)
	return joinStreams(l, r, streamsJoin[K, L, R, O]{
		what: "OuterJoinStreams", windows: w,
		match:      func(l L, r R) O { return f(&l, &r) },
		leftAlone:  func(l L) O { return f(&l, nil) },
		rightAlone: func(r R) O { return f(nil, &r) },
	}, vs, opts)
}

// streamsJoin is a join of two streams.
type streamsJoin[K, L, R, O any] struct {
	what    string
	windows JoinWindows
	match   func(L, R) O
	// leftAlone and rightAlone are the results of records that meet none; nil: no result.
	leftAlone  func(L) O
	rightAlone func(R) O
	ks         serde.Serde[K]
	ls         serde.Serde[L]
	rs         serde.Serde[R]
	names      joinNames
	leftStore  *plan.Store
	rightStore *plan.Store
	unmatched  *plan.Store // nil in an inner join
}

// joinNames are those of a join's nodes.
type joinNames struct {
	leftWindowed, rightWindowed, left, right, merge string
	// stores begin with these.
	leftStore, rightStore, unmatched string
}

func joinStreams[K, L, R, O any](l *Stream[K, L], r *Stream[K, R], j streamsJoin[K, L, R, O], vs serde.Serde[O], opts []Option) *Stream[K, O] {
	b := l.b
	o := b.readOptions(j.what, optName|optStore, opts)
	left, right := l.forJoin(suffix(o.name, "-left")), r.forJoin(suffix(o.name, "-right"))
	sources := b.coPartition(left.sources, right.sources)
	j.ks, j.ls, j.rs = left.ks, left.vs, right.vs
	j.names = b.joinNames(o, j.leftAlone != nil, j.rightAlone != nil)
	name := j.names.merge
	b.same(name, r.b)
	b.needSerdes(name, j.ks, j.ls)
	b.need(name, "serde of values", j.rs)
	if err := j.windows.check(); err != nil {
		b.problem("%s: %w", name, err)
	}
	if o.cached {
		b.problem("%s: its stores cannot be Cached", name)
	}
	j.defineStores(o)
	leftOp := b.add(&operator{name: j.names.leftWindowed, write: func(*writer) {}}, left.at)
	rightOp := b.add(&operator{name: j.names.rightWindowed, write: func(*writer) {}}, right.at)
	op := &operator{name: name, keepsNullKeys: j.leftAlone != nil}
	leftOp.write = func(w *writer) {
		w.add(newNode(j.names.leftWindowed, plan.ProcessorNode, wireWindowed[K, L](j.leftStore)), leftOp.parentNames()...)
	}
	rightOp.write = func(w *writer) {
		w.add(newNode(j.names.rightWindowed, plan.ProcessorNode, wireWindowed[K, R](j.rightStore)), rightOp.parentNames()...)
	}
	op.write = func(w *writer) { j.write(w) }
	b.add(op, left.at, right.at)
	return &Stream[K, O]{b: b, name: name, ks: j.ks, vs: vs, at: op, sources: sources}
}

// suffix extends a name that the user gave.
func suffix(name, s string) string {
	if name == "" {
		return ""
	}
	return name + s
}

// joinNames makes the names of a join's nodes and stores, as Kafka Streams does.
func (b *Builder) joinNames(o options, leftOuter, rightOuter bool) joinNames {
	thisPrefix, thisSuffix := "KSTREAM-JOINTHIS-", "-this-join"
	otherPrefix, otherSuffix := "KSTREAM-JOINOTHER-", "-other-join"
	sharedSuffix := "-left-shared-join"
	if rightOuter {
		thisPrefix, thisSuffix, sharedSuffix = "KSTREAM-OUTERTHIS-", "-outer-this-join", "-outer-shared-join"
	}
	if leftOuter {
		otherPrefix, otherSuffix = "KSTREAM-OUTEROTHER-", "-outer-other-join"
	}
	var n joinNames
	n.leftWindowed = b.suffixed(o.name, "-this-windowed", "KSTREAM-WINDOWED-")
	n.rightWindowed = b.suffixed(o.name, "-other-windowed", "KSTREAM-WINDOWED-")
	n.leftStore = b.generate(thisPrefix)
	n.rightStore = b.generate(otherPrefix)
	n.unmatched = "KSTREAM-OUTERSHARED-" + n.leftStore[len(thisPrefix):]
	n.left, n.right = n.leftStore, n.rightStore
	if o.name != "" {
		n.left, n.right = o.name+thisSuffix, o.name+otherSuffix
	}
	n.merge = b.suffixed(o.name, "-merge", "KSTREAM-MERGE-")
	if o.store != "" {
		n.leftStore, n.rightStore, n.unmatched = o.store+thisSuffix, o.store+otherSuffix, o.store+sharedSuffix
	}
	return n
}

func (j *streamsJoin[K, L, R, O]) defineStores(o options) {
	opts := append(o.stateOptions(), state.RetainDuplicates())
	size := time.Duration(j.windows.sizeMs()) * time.Millisecond
	keep := time.Duration(j.windows.retentionMs()) * time.Millisecond
	j.leftStore = state.Windows(j.names.leftStore+"-store", size, keep, j.ks, j.ls, opts...).Plan()
	j.rightStore = state.Windows(j.names.rightStore+"-store", size, keep, j.ks, j.rs, opts...).Plan()
	if j.leftAlone != nil {
		j.unmatched = pending(state.KeyValue(j.names.unmatched+"-store", serde.Bytes(), serde.Bytes(), o.stateOptions()...).Plan(),
			pendingLayout{keyed: true})
	}
}

// write adds the nodes of both sides and the one that merges their results.
func (j *streamsJoin[K, L, R, O]) write(w *writer) {
	n := &j.names
	w.add(newNode(n.left, plan.ProcessorNode, j.wireLeft()), n.leftWindowed)
	w.add(newNode(n.right, plan.ProcessorNode, j.wireRight()), n.rightWindowed)
	w.add(newNode(n.merge, plan.ProcessorNode, pass[K, O]()), n.left, n.right)
	w.store(j.leftStore, n.leftWindowed, n.right)
	w.store(j.rightStore, n.rightWindowed, n.left)
	if j.unmatched != nil {
		w.store(j.unmatched, n.left, n.right)
	}
}

func wireWindowed[K, V any](s *plan.Store) wiring[K, V, K, V] {
	return func(c plan.Context, next receiver[K, V]) (receiver[K, V], error) {
		store, err := storeAs[state.WindowStore[K, V]](c, s.Name)
		return windowed(store, next), err
	}
}

func (j *streamsJoin[K, L, R, O]) wireLeft() wiring[K, L, K, O] {
	return func(c plan.Context, next receiver[K, O]) (receiver[K, L], error) {
		other, err := storeAs[state.WindowStore[K, R]](c, j.rightStore.Name)
		if err != nil {
			return nil, err
		}
		p := &joinSide[K, L, R, O]{
			c: c, node: j.names.left, left: true, other: other, match: j.match, alone: j.leftAlone, next: next,
			before: j.windows.before.Milliseconds(), after: j.windows.after.Milliseconds(),
		}
		if j.unmatched == nil {
			return p.receive, nil
		}
		var ls serde.Serde[L]
		if p.unmatched, ls, _, err = j.openUnmatched(c); err != nil {
			return nil, err
		}
		p.keep = func(v L) ([]byte, error) { return ls.Append(nil, v) }
		onIdle(c, p.node, p.idle)
		return p.receive, nil
	}
}

func (j *streamsJoin[K, L, R, O]) wireRight() wiring[K, R, K, O] {
	return func(c plan.Context, next receiver[K, O]) (receiver[K, R], error) {
		other, err := storeAs[state.WindowStore[K, L]](c, j.leftStore.Name)
		if err != nil {
			return nil, err
		}
		p := &joinSide[K, R, L, O]{
			c: c, node: j.names.right, other: other, alone: j.rightAlone, next: next,
			match:  func(r R, l L) O { return j.match(l, r) },
			before: j.windows.after.Milliseconds(), after: j.windows.before.Milliseconds(),
		}
		if j.unmatched == nil {
			return p.receive, nil
		}
		var rs serde.Serde[R]
		if p.unmatched, _, rs, err = j.openUnmatched(c); err != nil {
			return nil, err
		}
		p.keep = func(v R) ([]byte, error) { return rs.Append(nil, v) }
		return p.receive, nil
	}
}

// openUnmatched opens what both sides share.
func (j *streamsJoin[K, L, R, O]) openUnmatched(c plan.Context) (*unmatched[K, O], serde.Serde[L], serde.Serde[R], error) {
	store, err := pendingOf(c, j.unmatched.Name)
	if err != nil {
		return nil, nil, nil, err
	}
	ks, ls, err := serdesOf(store.topic, j.ks, j.ls)
	if err != nil {
		return nil, nil, nil, err
	}
	rs, err := serde.Of(j.rs, store.topic, false)
	if err != nil {
		return nil, nil, nil, err
	}
	store.times.advance(c.StreamTime())
	c.Keep(j.unmatched.Name+"-time", &store.times.stream)
	c.Keep(j.unmatched.Name+"-waiting", &store.times.min)
	return &unmatched[K, O]{
		times: &store.times, store: store, keys: ks,
		before: j.windows.before.Milliseconds(), after: j.windows.after.Milliseconds(), grace: j.windows.grace.Milliseconds(),
		alone: func(left bool, value []byte) (result O, err error) {
			if left {
				l, err := ls.Decode(value)
				if err != nil {
					return result, err
				}
				return j.leftAlone(l), nil
			}
			r, err := rs.Decode(value)
			if err != nil {
				return result, err
			}
			return j.rightAlone(r), nil
		},
	}, ls, rs, nil
}
