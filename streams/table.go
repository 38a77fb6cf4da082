package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Table is the latest value of each key of a changelog. It has a store if it is given one
// (Materialized), if it aggregates, or if what follows needs to look values up.
type Table[K, V any] struct {
	b    *Builder
	name string // of the node whose output it is
	ks   serde.Serde[K]
	vs   serde.Serde[V]
	at   *operator
	// sources are the source nodes of its sub-topology that lead to it.
	sources []string
	// queryable is the name of the store that the user gave it; "" is none.
	queryable string
	origin    origin[K, V]
	// sendsPrior: changes have the value before.
	sendsPrior bool
}

// origin is what a table is made by.
type origin[K, V any] interface {
	// enablePrior has changes carry the value before; force gives the table, or what it
	// is made of, a store for that. False: they cannot.
	enablePrior(force bool) bool
	// view looks values up; it gives the table, or what it is made of, a store for that.
	view() view[K, V]
}

// view is how others read a table: the stores that are read, and for each task a lookup.
type view[K, V any] struct {
	stores []string
	open   func(c plan.Context) (lookup[K, V], error)
}

// lookup reads a table's value of a key within a task.
type lookup[K, V any] interface {
	// get is the present value; found is false for none.
	get(key K) (v state.Timestamped[V], found bool, err error)
	// getAsOf is the value that held at a time; only where versioned.
	getAsOf(key K, timestamp int64) (v state.Timestamped[V], found bool, err error)
	versioned() bool
}

// enablePrior has the table's changes carry the value before.
func (t *Table[K, V]) enablePrior(force bool) bool {
	if !t.sendsPrior && t.origin.enablePrior(force) {
		t.sendsPrior = true
	}
	return t.sendsPrior
}

// tableFrom is a table of a topic or stream: it gets a store only if someone needs it.
type tableFrom[K, V any] struct {
	store        *plan.Store
	materialized bool
	prior        bool
}

func (t *tableFrom[K, V]) enablePrior(force bool) bool {
	if !force && !t.materialized {
		return false
	}
	t.materialized, t.prior = true, true
	return true
}

func (t *tableFrom[K, V]) view() view[K, V] {
	t.materialized = true
	return storeView[K, V](t.store.Name)
}

// wire puts a topic's or stream's records into the table.
func (t *tableFrom[K, V]) wire(name string) wiring[K, V, K, change[V]] {
	return func(c plan.Context, next receiver[K, change[V]]) (receiver[K, V], error) {
		if !t.materialized {
			return unstored[K, V](c, name, next), nil
		}
		s, err := openTable(c, t.store, t.prior, next)
		if err != nil {
			return nil, err
		}
		return func(r Record[K, V]) error {
			if r.NoKey {
				c.Dropped(name, "null key")
				return nil
			}
			prior, found, err := s.get(r.Key)
			if err != nil {
				return err
			}
			return s.put(r.Key, r.Timestamp, r.Headers, change[V]{
				next: r.Value, hasNext: !r.NoValue, prior: prior.Value, hasPrior: found,
			})
		}, nil
	}
}

// unstored passes records on as changes of a table that nobody looks up.
func unstored[K, V any](c plan.Context, name string, next receiver[K, change[V]]) receiver[K, V] {
	return func(r Record[K, V]) error {
		if r.NoKey {
			c.Dropped(name, "null key")
			return nil
		}
		return next(withValue(r, change[V]{next: r.Value, hasNext: !r.NoValue}))
	}
}

// TableFrom reads a topic as a table: the last record of a key holds, a tombstone deletes
// it. Options: Named, WithTimestamp, Earliest, Latest, Materialized and its like,
// Versioned, TopicIsChangelog.
func TableFrom[K, V any](b *Builder, topic string, ks serde.Serde[K], vs serde.Serde[V], opts ...Option) *Table[K, V] {
	o := b.readOptions("TableFrom", optName|optTimestamp|optReset|optStore|optVersioned|optTopicIsLog, opts)
	store := o.store
	if store == "" {
		store = b.storeName(topic + "-")
	}
	sourceName := b.suffixed(o.name, "-source", "KSTREAM-SOURCE-")
	name := b.nodeName(o.name, "KTABLE-SOURCE-")
	when := typedOption[func(Record[K, V]) int64](b, name, "WithTimestamp", o.timestamp)
	b.needSerdes(name, ks, vs)
	read := plan.Topic{Name: b.valid("topic", topic)}
	from := &tableFrom[K, V]{store: tableStore(b, name, store, ks, vs, o), materialized: o.store != ""}
	if o.topicIsLog {
		b.useTopicAsChangelog(name, from.store, read, o)
	}
	op := &operator{name: name, versioned: o.versioned()}
	op.write = func(w *writer) {
		w.source(source(sourceName, []plan.Topic{read}, o.reset, ks, vs, when))
		w.add(newNode(name, plan.ProcessorNode, from.wire(name)), sourceName)
		if from.materialized {
			w.store(from.store, name)
		}
	}
	b.add(op)
	return &Table[K, V]{b: b, name: name, ks: ks, vs: vs, at: op, sources: []string{sourceName}, queryable: o.store, origin: from}
}

func (b *Builder) useTopicAsChangelog(node string, s *plan.Store, topic plan.Topic, o options) {
	if o.timestamp != nil || o.history > 0 || o.notLogged || o.changelogConfig != nil {
		b.problem("%s: TopicIsChangelog goes with none of WithTimestamp, Versioned, NotLogged, Logged", node)
	}
	s.Source = &topic
}

// ToTable reads the stream as a table: the last record of a key holds. It repartitions if
// keys may have changed. Options: Named, Materialized and its like, Versioned.
func (s *Stream[K, V]) ToTable(opts ...Option) *Table[K, V] {
	b := s.b
	o := b.readOptions("ToTable", optName|optStore|optVersioned, opts)
	name := b.nodeName(o.name, "KSTREAM-TOTABLE-")
	store := o.store
	if store == "" {
		store = b.storeName("KSTREAM-TOTABLE-")
	}
	parent, sources := s.at, s.sources
	if s.rekeyed {
		r := newRepartitioning(b, name, s.ks, s.vs)
		parent, sources = b.add(r.operator(), s.at), []string{r.source}
	}
	from := &tableFrom[K, V]{store: tableStore(b, name, store, s.ks, s.vs, o), materialized: o.store != ""}
	op := &operator{name: name, versioned: o.versioned()}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, from.wire(name)), op.parentNames()...)
		if from.materialized {
			w.store(from.store, name)
		}
	}
	b.add(op, parent)
	return &Table[K, V]{b: b, name: name, ks: s.ks, vs: s.vs, at: op, sources: sources, queryable: o.store, origin: from}
}

// ToStream is the table's changes as a stream; a deleted key is a tombstone. Option: Named.
func (t *Table[K, V]) ToStream(opts ...Option) *Stream[K, V] {
	o := t.b.readOptions("ToStream", optName, opts)
	name := t.b.nodeName(o.name, "KTABLE-TOSTREAM-")
	op := step(t.b, t.at, name, simple(func(r Record[K, change[V]], next receiver[K, V]) error {
		out := withValue(r, r.Value.next)
		out.NoValue = !r.Value.hasNext
		return next(out)
	}))
	return &Stream[K, V]{b: t.b, name: name, ks: t.ks, vs: t.vs, at: op, sources: t.sources}
}

// ToStreamWithKey is ToStream with another key for each record. Option: Named.
func ToStreamWithKey[K, V, KO any](t *Table[K, V], f func(K, V) KO, ks serde.Serde[KO], opts ...Option) *Stream[KO, V] {
	return selectKey(t.ToStream(opts...), f, ks, "")
}

// StoreName is the name of the table's store, if it was given one; else "".
func (t *Table[K, V]) StoreName() string { return t.queryable }
