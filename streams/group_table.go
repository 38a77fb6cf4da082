package streams

import (
	"reflect"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// GroupedTable is a table whose values are to be aggregated under other keys.
type GroupedTable[K, V any] struct {
	b     *Builder
	ks    serde.Serde[K]
	vs    serde.Serde[V]
	at    *operator
	named string // by the user, for the repartition topic; "" is after each store
	// partitioned is the repartitioning that aggregations share where it is named.
	partitioned *operator
}

// GroupTableBy groups a table's values under the key that f chooses, through a repartition
// topic: what an aggregation had of a changed or deleted value is subtracted. Option:
// Named, for that topic too.
func GroupTableBy[K, V, KO, VO any](t *Table[K, V], f func(K, V) (KO, VO), ks serde.Serde[KO], vs serde.Serde[VO], opts ...Option) *GroupedTable[KO, VO] {
	o := t.b.readOptions("GroupTableBy", optName, opts)
	name := t.b.nodeName(o.name, "KTABLE-SELECT-")
	t.b.need(name, "function", f)
	t.b.needSerdes(name, ks, vs)
	s := &selector[K, V, KO, VO]{name: name, f: f, equal: equality[KO]()}
	op := step(t.b, t.at, name, s.wire)
	op.heedVersions = func(string) { s.inOrder = true }
	t.enablePrior(true)
	return &GroupedTable[KO, VO]{b: t.b, ks: ks, vs: vs, at: op, named: o.name}
}

// selector sends what is to be added and subtracted to the keys it belongs to.
type selector[K, V, KO, VO any] struct {
	name  string
	f     func(K, V) (KO, VO)
	equal func(a, b KO) bool
	// inOrder: the table is versioned, and late changes are left out.
	inOrder bool
}

func (s *selector[K, V, KO, VO]) wire(c plan.Context, next receiver[KO, change[VO]]) (receiver[K, change[V]], error) {
	return func(r Record[K, change[V]]) error {
		if s.inOrder && r.Value.late {
			c.Dropped(s.name, "late update of a versioned table")
			return nil
		}
		var newKey, oldKey KO
		both := change[VO]{hasNext: r.Value.hasNext, hasPrior: r.Value.hasPrior, late: r.Value.late}
		if both.hasNext {
			newKey, both.next = s.f(r.Key, r.Value.next)
		}
		if both.hasPrior {
			oldKey, both.prior = s.f(r.Key, r.Value.prior)
		}
		send := func(key KO, ch change[VO]) error {
			return next(Record[KO, change[VO]]{Key: key, Value: ch, Timestamp: r.Timestamp, Headers: r.Headers})
		}
		if both.hasNext && both.hasPrior && s.equal(oldKey, newKey) {
			return send(newKey, both)
		}
		if both.hasPrior {
			if err := send(oldKey, change[VO]{prior: both.prior, hasPrior: true, late: both.late}); err != nil {
				return err
			}
		}
		if !both.hasNext {
			return nil
		}
		return send(newKey, change[VO]{next: both.next, hasNext: true, late: both.late})
	}, nil
}

// equality compares keys.
func equality[K any]() func(a, b K) bool {
	if reflect.TypeFor[K]().Comparable() {
		return func(a, b K) bool { return any(a) == any(b) }
	}
	return func(a, b K) bool { return reflect.DeepEqual(a, b) }
}

// partition is where an aggregation connects: behind a repartition topic of changes, named
// by the user or after the store.
func (g *GroupedTable[K, V]) partition(node, store string) (parent *operator, source string) {
	sinkName := g.b.suffixed(node, "-sink", "KSTREAM-SINK-")
	sourceName := g.b.suffixed(node, "-source", "KSTREAM-SOURCE-")
	if g.partitioned == nil || g.named == "" {
		topic := plan.Topic{Name: store, Repartition: true}
		if g.named != "" {
			topic.Name = g.named
		}
		g.partitioned = g.repartition(sinkName, sourceName, topic)
	}
	g.b.add(g.partitioned, g.at)
	return g.partitioned, g.partitioned.name
}

func (g *GroupedTable[K, V]) repartition(sinkName, sourceName string, topic plan.Topic) *operator {
	op := &operator{name: sourceName}
	vs := changes(g.vs)
	op.write = func(w *writer) {
		w.add(sink(sinkName, sinkSpec[K, change[V]]{topic: topic, ks: g.ks, vs: vs}), op.parentNames()...)
		w.source(source(sourceName, []plan.Topic{topic}, plan.ResetDefault, g.ks, vs, nil))
	}
	return op
}
