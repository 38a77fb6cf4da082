package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// JoinTables is the table of the keys that both tables have. Their topics need the same
// number of partitions. Options: Named, Materialized and its like, Versioned.
func JoinTables[K, L, R, O any](left *Table[K, L], right *Table[K, R], f func(L, R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	left.b.need("JoinTables", "function", f)
	return joinTables(left, right, "JoinTables", sides{left: true, right: true}, func(l L, _ bool, r R, _ bool) O { return f(l, r) }, vs, opts)
}

// LeftJoinTables is the table of the left one's keys, with the right one's value or nil.
// Options: as JoinTables.
func LeftJoinTables[K, L, R, O any](left *Table[K, L], right *Table[K, R], f func(L, *R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	left.b.need("LeftJoinTables", "function", f)
	return joinTables(left, right, "LeftJoinTables", sides{left: true}, func(l L, _ bool, r R, hasR bool) O { return f(l, pointer(r, hasR)) }, vs, opts)
}

// OuterJoinTables is the table of the keys that either has; the value that is missing is
// nil. Options: as JoinTables.
func OuterJoinTables[K, L, R, O any](left *Table[K, L], right *Table[K, R], f func(*L, *R) O, vs serde.Serde[O], opts ...Option) *Table[K, O] {
	left.b.need("OuterJoinTables", "function", f)
	return joinTables(left, right, "OuterJoinTables", sides{}, func(l L, hasL bool, r R, hasR bool) O { return f(pointer(l, hasL), pointer(r, hasR)) }, vs, opts)
}

// pointer is nil for a missing side.
func pointer[T any](v T, present bool) *T {
	if !present {
		return nil
	}
	return keep(v)
}

func keep[T any](v T) *T { return &v }

// sides says which values a result needs.
type sides struct{ left, right bool }

// joinFunc makes a result; a missing value is zero.
type joinFunc[V, VO, O any] func(v V, has bool, other VO, hasOther bool) O

func (f joinFunc[V, VO, O]) reverse() joinFunc[VO, V, O] {
	return func(v VO, has bool, other V, hasOther bool) O { return f(other, hasOther, v, has) }
}

func joinTables[K, L, R, O any](left *Table[K, L], right *Table[K, R], what string, need sides, f joinFunc[L, R, O], vs serde.Serde[O], opts []Option) *Table[K, O] {
	b := left.b
	o := b.readOptions(what, optName|optStore|optVersioned, opts)
	if o.given&optStore != 0 && o.store == "" {
		o.store = b.storeName("KTABLE-MERGE-")
	}
	name := b.nodeName(o.name, "KTABLE-MERGE-")
	b.same(name, right.b)
	sources := b.coPartition(left.sources, right.sources)
	if !need.right {
		left.enablePrior(true)
	}
	if !need.left {
		right.enablePrior(true)
	}
	j := &tableJoin[K, L, R, O]{left: left, right: right, need: need, f: f,
		leftView: left.origin.view(), rightView: right.origin.view()}
	this, other := b.suffixed(o.name, "-join-this", "KTABLE-JOINTHIS-"), b.suffixed(o.name, "-join-other", "KTABLE-JOINOTHER-")
	op := &operator{name: name, versioned: new(bool)}
	if o.store != "" {
		j.store = tableStore(b, name, o.store, left.ks, vs, o)
		op.versioned = o.versioned()
	}
	op.heedVersions = func(parent string) {
		j.leftInOrder = j.leftInOrder || parent == left.at.name
		j.rightInOrder = j.rightInOrder || parent == right.at.name
	}
	op.write = func(w *writer) { j.write(w, this, other, name) }
	b.add(op, left.at, right.at)
	return &Table[K, O]{b: b, name: name, ks: left.ks, vs: vs, at: op, sources: sources, queryable: o.store, origin: j}
}

// tableJoin is the origin of a table that joins two.
type tableJoin[K, L, R, O any] struct {
	left      *Table[K, L]
	right     *Table[K, R]
	need      sides
	f         joinFunc[L, R, O]
	leftView  view[K, L]
	rightView view[K, R]
	store     *plan.Store // nil is not materialized
	prior     bool
	// inOrder: the table is versioned, and late changes of it are left out.
	leftInOrder, rightInOrder bool
}

func (j *tableJoin[K, L, R, O]) enablePrior(bool) bool {
	j.left.enablePrior(true)
	j.right.enablePrior(true)
	j.prior = true
	return true
}

func (j *tableJoin[K, L, R, O]) write(w *writer, this, other, merge string) {
	fromLeft := tableSide[K, L, R, O]{name: this, f: j.f, needThis: j.need.left, needOther: j.need.right,
		other: j.rightView, prior: j.prior, inOrder: j.leftInOrder}
	fromRight := tableSide[K, R, L, O]{name: other, f: j.f.reverse(), needThis: j.need.right, needOther: j.need.left,
		other: j.leftView, prior: j.prior, inOrder: j.rightInOrder}
	w.add(newNode(this, plan.ProcessorNode, fromLeft.wire), j.left.name)
	w.add(newNode(other, plan.ProcessorNode, fromRight.wire), j.right.name)
	w.add(newNode(merge, plan.ProcessorNode, j.wireMerge), this, other)
	w.use(this, j.rightView.stores...)
	w.use(other, j.leftView.stores...)
	if j.store != nil {
		w.store(j.store, merge)
	}
}

// wireMerge stores the results of both sides, or passes them on.
func (j *tableJoin[K, L, R, O]) wireMerge(c plan.Context, next receiver[K, change[O]]) (receiver[K, change[O]], error) {
	if j.store == nil {
		return next, nil
	}
	t, err := openTable(c, j.store, j.prior, next)
	if err != nil {
		return nil, err
	}
	return func(r Record[K, change[O]]) error { return t.put(r.Key, r.Timestamp, r.Headers, r.Value) }, nil
}

// tableSide joins the changes of one table with the other's values.
type tableSide[K, V, VO, O any] struct {
	name                string
	f                   joinFunc[V, VO, O]
	needThis, needOther bool
	other               view[K, VO]
	prior, inOrder      bool
}

func (s tableSide[K, V, VO, O]) wire(c plan.Context, next receiver[K, change[O]]) (receiver[K, change[V]], error) {
	lookup, err := s.other.open(c)
	if err != nil {
		return nil, err
	}
	return func(r Record[K, change[V]]) error {
		if r.NoKey || s.inOrder && r.Value.late {
			c.Dropped(s.name, "null key, or late update of a versioned table")
			return nil
		}
		other, found, err := lookup.get(r.Key)
		ch := r.Value
		if err != nil || !found && (s.needOther || !ch.hasNext && !ch.hasPrior) {
			return err
		}
		out := Record[K, change[O]]{Key: r.Key, Timestamp: r.Timestamp, Headers: r.Headers}
		if found {
			out.Timestamp = max(r.Timestamp, other.Timestamp)
		}
		out.Value.late = ch.late
		alone := !s.needThis && found
		if ch.hasNext || alone {
			out.Value.next, out.Value.hasNext = s.f(ch.next, ch.hasNext, other.Value, found), true
		}
		if s.prior && (ch.hasPrior || alone) {
			out.Value.prior, out.Value.hasPrior = s.f(ch.prior, ch.hasPrior, other.Value, found), true
		}
		return next(out)
	}, nil
}
