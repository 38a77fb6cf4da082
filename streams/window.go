package streams

import (
	"fmt"
	"iter"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// CountWindows counts the records of each key and window, also those without a value
// (sliding windows leave these out). Options: Named, Materialized and its like, Retention,
// EmitOnClose.
func CountWindows[K, V any](g *Grouped[K, V], w Windows, opts ...Option) *Table[state.Windowed[K], int64] {
	o := g.b.readOptions("CountWindows", windowOptions, opts)
	g.b.unnamedCount(o)
	return aggregateWindows(g, w, "KSTREAM-AGGREGATE-", counting[K, V](), serde.Int64(), o)
}

// ReduceWindows combines the values of each key and window; the first is the result
// itself. Options: as CountWindows.
func ReduceWindows[K, V any](g *Grouped[K, V], w Windows, f func(result, value V) V, opts ...Option) *Table[state.Windowed[K], V] {
	o := g.b.readOptions("ReduceWindows", windowOptions, opts)
	g.b.need("ReduceWindows", "function", f)
	return aggregateWindows(g, w, "KSTREAM-REDUCE-", reducing[K](f), g.vs, o)
}

// AggregateWindows adds the values of each key and window to what init makes. Options: as
// CountWindows.
func AggregateWindows[K, V, A any](g *Grouped[K, V], w Windows, init func() A, add func(K, V, A) A, as serde.Serde[A], opts ...Option) *Table[state.Windowed[K], A] {
	o := g.b.readOptions("AggregateWindows", windowOptions, opts)
	g.b.need("AggregateWindows", "function init", init)
	g.b.need("AggregateWindows", "function add", add)
	return aggregateWindows(g, w, "KSTREAM-AGGREGATE-", aggregating(init, add, nil), as, o)
}

const windowOptions = optName | optStore | optRetention | optEmit

// unnamedCount takes the second number that Kafka Streams takes for a count's store.
func (b *Builder) unnamedCount(o options) {
	if o.given&optStore != 0 && o.store == "" {
		b.storeName("KSTREAM-AGGREGATE-")
	}
}

func aggregateWindows[K, V, A any](g *Grouped[K, V], w Windows, prefix string, f fold[K, V, A], as serde.Serde[A], o options) *Table[state.Windowed[K], A] {
	b := g.b
	storeName := o.store
	if storeName == "" {
		storeName = b.storeName(prefix)
	}
	name := b.nodeName(o.name, prefix)
	from := &windowedTable[K, A]{windows: w, ks: g.ks, onClose: o.emitOnClose}
	from.store = windowStore(b, name, storeName, w, g.ks, as, o)
	parent, sources := g.partition(storeName)
	op := &operator{name: name, versioned: new(bool), grace: new(w.graceMs())}
	op.write = func(wr *writer) {
		wr.add(newNode(name, plan.ProcessorNode, wireWindows(name, from, f)), op.parentNames()...)
		wr.store(from.store, name)
	}
	b.add(op, parent)
	return &Table[state.Windowed[K], A]{
		b: b, name: name, ks: state.TimeWindowedSerde(g.ks, w.Size()), vs: as,
		at: op, sources: sources, queryable: o.store, origin: from,
	}
}

// windowStore defines the store of a windowed aggregation.
func windowStore[K, A any](b *Builder, node, name string, w Windows, ks serde.Serde[K], as serde.Serde[A], o options) *plan.Store {
	b.need("store "+name+" of "+node, "serde of keys", ks)
	b.need("store "+name+" of "+node, "serde of values", as)
	if err := w.check(); err != nil {
		b.problem("%s: %w", node, err)
	}
	if o.emitOnClose {
		o.cached = false
	}
	return state.TimestampedWindow(name, w.Size(), b.keepFor(node, w.retentionMs(), o), ks, as, o.stateOptions()...).Plan()
}

// keepFor is the retention of a store that needs to keep windows for at least ms.
func (b *Builder) keepFor(node string, least int64, o options) time.Duration {
	keep := time.Duration(least) * time.Millisecond
	if o.emitOnClose {
		keep += time.Millisecond // until it is emitted
	}
	if o.given&optRetention == 0 {
		return keep
	}
	if o.retention < keep {
		b.problem("%s: Retention(%s): its windows need %s", node, o.retention, keep)
	}
	return o.retention
}

// windowedTable is the origin of a table of windows.
type windowedTable[K, A any] struct {
	store   *plan.Store
	windows Windows
	ks      serde.Serde[K]
	onClose bool
	prior   bool
}

func (t *windowedTable[K, A]) enablePrior(bool) bool { t.prior = true; return true }

func (t *windowedTable[K, A]) view() view[state.Windowed[K], A] {
	return view[state.Windowed[K], A]{stores: []string{t.store.Name}, open: func(c plan.Context) (lookup[state.Windowed[K], A], error) {
		s, err := storeAs[state.ReadOnlyWindow[K, state.Timestamped[A]]](c, t.store.Name)
		return windowLookup[K, A]{s}, err
	}}
}

// wireWindows opens an aggregation by time or sliding windows.
func wireWindows[K, V, A any](name string, t *windowedTable[K, A], f fold[K, V, A]) wiring[K, V, state.Windowed[K], change[A]] {
	return func(c plan.Context, next receiver[state.Windowed[K], change[A]]) (receiver[K, V], error) {
		store, err := storeAs[state.WindowStore[K, state.Timestamped[A]]](c, t.store.Name)
		if err != nil {
			return nil, err
		}
		var closing *closing[K, A]
		if t.onClose {
			if closing, err = t.closing(c, store, next); err != nil {
				return nil, err
			}
		}
		next = t.cachedNext(store, next)
		if w, ok := t.windows.(SlidingWindows); ok {
			p := &slidingAggregate[K, V, A]{
				c: c, node: name, difference: w.difference.Milliseconds(), grace: w.graceMs(),
				fold: f, store: store, prior: t.prior, closing: closing, next: next, time: c.StreamTime(),
			}
			c.Keep(name+"-time", &p.time)
			onIdle(c, name, p.idle)
			return p.receive, nil
		}
		p := &windowAggregate[K, V, A]{
			c: c, node: name, windows: t.windows.(TimeWindows),
			fold: f, store: store, prior: t.prior, closing: closing, next: next, time: c.StreamTime(),
		}
		c.Keep(name+"-time", &p.time)
		onIdle(c, name, p.idle)
		return p.receive, nil
	}
}

// closing emits the windows of a store when they close.
func (t *windowedTable[K, A]) closing(c plan.Context, store state.WindowStore[K, state.Timestamped[A]], next receiver[state.Windowed[K], change[A]]) (*closing[K, A], error) {
	keys, err := serde.Of(t.ks, c.Topic(plan.Topic{Name: t.store.Name}), true)
	if err != nil {
		return nil, err
	}
	size := t.windows.Size().Milliseconds()
	e := &closing[K, A]{
		c: c, store: t.store.Name, keys: keys, next: next,
		window: func(_, start int64) state.Window { return state.Window{Start: start, End: start + size} },
		get: func(w state.Windowed[K]) (value A, timestamp int64, found bool, err error) {
			v, found, err := store.Fetch(w.Key, w.Window.Start)
			return v.Value, v.Timestamp, found, err
		},
	}
	switch w := t.windows.(type) {
	case TimeWindows:
		e.span = closedTimeWindows(w)
	case SlidingWindows:
		e.span = closedSlidingWindows(w)
	}
	return e, e.load(keysOf(store.All()), func(w state.Window) int64 { return w.Start })
}

// keysOf leaves the values out.
func keysOf[K, V any](all iter.Seq2[state.Pair[K, V], error]) iter.Seq2[K, error] {
	return func(yield func(K, error) bool) {
		for p, err := range all {
			if !yield(p.Key, err) {
				return
			}
		}
	}
}

// cachedNext has a cached store pass changes on; then the aggregation itself does not.
func (t *windowedTable[K, A]) cachedNext(store any, next receiver[state.Windowed[K], change[A]]) receiver[state.Windowed[K], change[A]] {
	type timed = state.Timestamped[A]
	f, ok := store.(state.Flushing[state.Windowed[K], timed])
	if ok && !t.onClose && f.SetFlush(func(key state.Windowed[K], ch state.Change[timed]) error {
		return next(flushed(key, ch.Timestamp, t.prior, ch.Next.Value, ch.HasNext, ch.Prior.Value, ch.HasPrior))
	}) {
		return func(Record[state.Windowed[K], change[A]]) error { return nil }
	}
	return next
}

// flushed is a change that a record cache lets go.
func flushed[K, A any](key state.Windowed[K], timestamp int64, withPrior bool, next A, hasNext bool, prior A, hasPrior bool) Record[state.Windowed[K], change[A]] {
	r := Record[state.Windowed[K], change[A]]{Key: key, Timestamp: timestamp}
	r.Value.next, r.Value.hasNext = next, hasNext
	if withPrior && hasPrior {
		r.Value.prior, r.Value.hasPrior = prior, true
	}
	return r
}

// storeAs is a task's store as S.
func storeAs[S any](c plan.Context, name string) (S, error) {
	s, err := c.Store(name)
	if err != nil {
		var none S
		return none, err
	}
	typed, ok := s.(S)
	if !ok {
		return typed, fmt.Errorf("store %s is a %T, not a %T", name, s, new(S))
	}
	return typed, nil
}

// windowLookup reads a table of windows.
type windowLookup[K, A any] struct {
	store state.ReadOnlyWindow[K, state.Timestamped[A]]
}

func (l windowLookup[K, A]) get(key state.Windowed[K]) (state.Timestamped[A], bool, error) {
	return l.store.Fetch(key.Key, key.Window.Start)
}

func (l windowLookup[K, A]) getAsOf(key state.Windowed[K], _ int64) (state.Timestamped[A], bool, error) {
	return l.get(key)
}

func (l windowLookup[K, A]) versioned() bool { return false }
