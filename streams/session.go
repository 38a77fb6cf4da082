package streams

import (
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// CountSessions counts the records of each key's sessions, also those without a value.
// Options: Named, Materialized and its like, Retention, EmitOnClose.
func CountSessions[K, V any](g *Grouped[K, V], w SessionWindows, opts ...Option) *Table[state.Windowed[K], int64] {
	o := g.b.readOptions("CountSessions", windowOptions, opts)
	g.b.unnamedCount(o)
	return aggregateSessions(g, w, "KSTREAM-AGGREGATE-", counting[K, V](), serde.Int64(), o)
}

// ReduceSessions combines the values of each session, also the results of sessions that
// become one. Options: as CountSessions.
func ReduceSessions[K, V any](g *Grouped[K, V], w SessionWindows, f func(result, value V) V, opts ...Option) *Table[state.Windowed[K], V] {
	o := g.b.readOptions("ReduceSessions", windowOptions, opts)
	g.b.need("ReduceSessions", "function", f)
	return aggregateSessions(g, w, "KSTREAM-REDUCE-", reducing[K](f), g.vs, o)
}

// AggregateSessions adds the values of each session to what init makes; merge combines the
// aggregates of sessions that become one. Options: as CountSessions.
func AggregateSessions[K, V, A any](g *Grouped[K, V], w SessionWindows, init func() A, add func(K, V, A) A, merge func(K, A, A) A, as serde.Serde[A], opts ...Option) *Table[state.Windowed[K], A] {
	o := g.b.readOptions("AggregateSessions", windowOptions, opts)
	g.b.need("AggregateSessions", "function init", init)
	g.b.need("AggregateSessions", "function add", add)
	g.b.need("AggregateSessions", "function merge", merge)
	return aggregateSessions(g, w, "KSTREAM-AGGREGATE-", aggregating(init, add, merge), as, o)
}

func aggregateSessions[K, V, A any](g *Grouped[K, V], w SessionWindows, prefix string, f fold[K, V, A], as serde.Serde[A], o options) *Table[state.Windowed[K], A] {
	b := g.b
	storeName := o.store
	if storeName == "" {
		storeName = b.storeName(prefix)
	}
	name := b.nodeName(o.name, prefix)
	from := &sessionTable[K, A]{windows: w, ks: g.ks, onClose: o.emitOnClose}
	from.store = sessionStore(b, name, storeName, w, g.ks, as, o)
	parent, sources := g.partition(storeName)
	op := &operator{name: name, versioned: new(bool), grace: new(w.retentionMs())}
	op.write = func(wr *writer) {
		wr.add(newNode(name, plan.ProcessorNode, wireSessions(name, from, f)), op.parentNames()...)
		wr.store(from.store, name)
	}
	b.add(op, parent)
	return &Table[state.Windowed[K], A]{
		b: b, name: name, ks: state.SessionWindowedSerde(g.ks), vs: as,
		at: op, sources: sources, queryable: o.store, origin: from,
	}
}

// sessionStore defines the store of an aggregation by sessions.
func sessionStore[K, A any](b *Builder, node, name string, w SessionWindows, ks serde.Serde[K], as serde.Serde[A], o options) *plan.Store {
	b.need("store "+name+" of "+node, "serde of keys", ks)
	b.need("store "+name+" of "+node, "serde of values", as)
	if err := w.check(); err != nil {
		b.problem("%s: %w", node, err)
	}
	if o.emitOnClose {
		o.cached = false
	}
	return state.Session(name, b.keepFor(node, w.retentionMs(), o), ks, as, o.stateOptions()...).Plan()
}

// sessionTable is the origin of a table of sessions.
type sessionTable[K, A any] struct {
	store   *plan.Store
	windows SessionWindows
	ks      serde.Serde[K]
	onClose bool
	prior   bool
}

func (t *sessionTable[K, A]) enablePrior(bool) bool { t.prior = true; return true }

func (t *sessionTable[K, A]) view() view[state.Windowed[K], A] {
	return view[state.Windowed[K], A]{stores: []string{t.store.Name}, open: func(c plan.Context) (lookup[state.Windowed[K], A], error) {
		s, err := storeAs[state.ReadOnlySession[K, A]](c, t.store.Name)
		return sessionLookup[K, A]{s}, err
	}}
}

// wireSessions opens an aggregation by sessions.
func wireSessions[K, V, A any](name string, t *sessionTable[K, A], f fold[K, V, A]) wiring[K, V, state.Windowed[K], change[A]] {
	return func(c plan.Context, next receiver[state.Windowed[K], change[A]]) (receiver[K, V], error) {
		store, err := storeAs[state.SessionStore[K, A]](c, t.store.Name)
		if err != nil {
			return nil, err
		}
		var closing *closing[K, A]
		if t.onClose {
			if closing, err = t.closing(c, store, next); err != nil {
				return nil, err
			}
		}
		p := &sessionAggregate[K, V, A]{
			c: c, node: name, gap: t.windows.gap.Milliseconds(), grace: t.windows.grace.Milliseconds(),
			fold: f, store: store, prior: t.prior, closing: closing, next: t.cachedNext(store, next), time: c.StreamTime(),
		}
		c.Keep(name+"-time", &p.time)
		onIdle(c, name, p.idle)
		return p.receive, nil
	}
}

// closing emits the sessions of a store when they close.
func (t *sessionTable[K, A]) closing(c plan.Context, store state.SessionStore[K, A], next receiver[state.Windowed[K], change[A]]) (*closing[K, A], error) {
	keys, err := serde.Of(t.ks, c.Topic(plan.Topic{Name: t.store.Name}), true)
	if err != nil {
		return nil, err
	}
	e := &closing[K, A]{
		c: c, store: t.store.Name, keys: keys, next: next, span: closedSessions,
		window: func(end, start int64) state.Window { return state.Window{Start: start, End: end} },
		get: func(w state.Windowed[K]) (value A, timestamp int64, found bool, err error) {
			value, found, err = store.FetchSession(w.Key, w.Window.Start, w.Window.End)
			return value, w.Window.End, found, err
		},
	}
	return e, e.load(keysOf(store.All()), func(w state.Window) int64 { return w.End })
}

// cachedNext has a cached store pass changes on; then the aggregation itself does not.
func (t *sessionTable[K, A]) cachedNext(store any, next receiver[state.Windowed[K], change[A]]) receiver[state.Windowed[K], change[A]] {
	f, ok := store.(state.Flushing[state.Windowed[K], A])
	if ok && !t.onClose && f.SetFlush(func(key state.Windowed[K], ch state.Change[A]) error {
		return next(flushed(key, key.Window.End, t.prior, ch.Next, ch.HasNext, ch.Prior, ch.HasPrior))
	}) {
		return func(Record[state.Windowed[K], change[A]]) error { return nil }
	}
	return next
}

// sessionLookup reads a table of sessions.
type sessionLookup[K, A any] struct{ store state.ReadOnlySession[K, A] }

func (l sessionLookup[K, A]) get(key state.Windowed[K]) (v state.Timestamped[A], found bool, err error) {
	v.Timestamp = key.Window.End
	v.Value, found, err = l.store.FetchSession(key.Key, key.Window.Start, key.Window.End)
	return v, found, err
}

func (l sessionLookup[K, A]) getAsOf(key state.Windowed[K], _ int64) (state.Timestamped[A], bool, error) {
	return l.get(key)
}

func (l sessionLookup[K, A]) versioned() bool { return false }
