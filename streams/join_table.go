package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// JoinTable joins each record of a stream with the table's present value of its key (a
// versioned table's of the record's time); records without one are dropped. The topics
// need the same number of partitions; a stream whose keys may have changed is repartitioned.
// Options: Named, Grace.
func JoinTable[K, V, T, O any](s *Stream[K, V], t *Table[K, T], f func(V, T) O, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	s.b.need("JoinTable", "function", f)
	return joinTable(s, t, "JoinTable", false, func(v V, _ bool, t T, _ bool) O { return f(v, t) }, vs, opts)
}

// LeftJoinTable is JoinTable where a record without a value in the table is joined with
// nil, one without a key too. Options: Named, Grace.
func LeftJoinTable[K, V, T, O any](s *Stream[K, V], t *Table[K, T], f func(V, *T) O, vs serde.Serde[O], opts ...Option) *Stream[K, O] {
	s.b.need("LeftJoinTable", "function", f)
	return joinTable(s, t, "LeftJoinTable", true, func(v V, _ bool, t T, has bool) O { return f(v, pointer(t, has)) }, vs, opts)
}

func joinTable[K, V, T, O any](s *Stream[K, V], t *Table[K, T], what string, left bool, f joinFunc[V, T, O], vs serde.Serde[O], opts []Option) *Stream[K, O] {
	b := s.b
	o := b.readOptions(what, optName|optGrace, opts)
	b.same(what, t.b)
	s = s.forJoin(o.name)
	sources := b.coPartition(s.sources, t.sources)
	name := b.nodeName(o.name, joinPrefix(left))
	j := streamJoin[K, V, K, T, O]{name: name, left: left, f: f, view: t.origin.view(),
		key: func(r Record[K, V]) (K, bool) { return r.Key, !r.NoKey }}
	if o.given&optGrace != 0 {
		j.buffer = newGraceBuffer(s, name, o)
	}
	op := &operator{name: name, keepsNullKeys: left}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, j.wire), op.parentNames()...)
		w.use(name, j.view.stores...)
		if j.buffer != nil {
			j.buffer.write(w, name, j.view.stores)
		}
	}
	b.add(op, s.at)
	return &Stream[K, O]{b: b, name: name, ks: s.ks, vs: vs, at: op, sources: sources}
}

func joinPrefix(left bool) string {
	if left {
		return "KSTREAM-LEFTJOIN-"
	}
	return "KSTREAM-JOIN-"
}

// streamJoin joins a stream's records with a table's values.
type streamJoin[K, V, KT, T, O any] struct {
	name string
	left bool
	f    joinFunc[V, T, O]
	view view[KT, T]
	key  func(Record[K, V]) (KT, bool)
	// buffer holds records back; nil does not.
	buffer *graceBuffer[K, V]
}

func (j streamJoin[K, V, KT, T, O]) wire(c plan.Context, next receiver[K, O]) (receiver[K, V], error) {
	lookup, err := j.view.open(c)
	if err != nil {
		return nil, err
	}
	join := j.joins(c, lookup, next)
	if j.buffer != nil {
		return j.buffer.wire(c, j.name, join)
	}
	return join, nil
}

func (j streamJoin[K, V, KT, T, O]) joins(c plan.Context, lookup lookup[KT, T], next receiver[K, O]) receiver[K, V] {
	return func(r Record[K, V]) error {
		if r.NoValue {
			c.Dropped(j.name, "null value")
			return nil
		}
		key, hasKey := j.key(r)
		if !hasKey {
			if !j.left {
				c.Dropped(j.name, "null key")
				return nil
			}
			var none T
			return next(withValue(r, j.f(r.Value, true, none, false)))
		}
		value, found, err := j.find(lookup, key, r.Timestamp)
		if err != nil || !found && !j.left {
			return err
		}
		return next(withValue(r, j.f(r.Value, true, value.Value, found)))
	}
}

// find is the present value, or of a versioned table that of the record's time.
func (j streamJoin[K, V, KT, T, O]) find(l lookup[KT, T], key KT, at int64) (state.Timestamped[T], bool, error) {
	if l.versioned() {
		return l.getAsOf(key, at)
	}
	return l.get(key)
}
