package streams

import (
	"fmt"
	"math"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// Suppression says for how long Suppress holds changes back: see UntilWindowCloses and
// UntilTimeLimit.
type Suppression struct {
	final          bool // until the window closes
	wait           time.Duration
	records, bytes int64
	shutDown       bool
}

// UntilWindowCloses holds the changes of a windowed table back until stream time has passed
// the end of the window and its grace: one final result per window. It never emits early:
// its buffer is unbounded, or fails when it is full.
func UntilWindowCloses(b Buffer) Suppression {
	return Suppression{final: true, records: b.records, bytes: b.bytes, shutDown: b.shutDown}.bounded()
}

// UntilTimeLimit holds changes back for d of stream time after the first one of a key, so
// that several leave as one. A buffer that is full emits the oldest early, or fails.
func UntilTimeLimit(d time.Duration, b Buffer) Suppression {
	return Suppression{wait: d, records: b.records, bytes: b.bytes, shutDown: b.shutDown}.bounded()
}

// Buffer is how much a Suppress may hold. Its zero value is unbounded, as far as the disk
// goes.
type Buffer struct {
	records, bytes int64
	shutDown       bool
}

// Unbounded is a buffer without limits.
func Unbounded() Buffer { return Buffer{} }

// MaxRecords limits the keys that are held.
func MaxRecords(n int64) Buffer { return Buffer{}.MaxRecords(n) }

// MaxBytes limits the bytes that are held: of keys, values, topics and headers.
func MaxBytes(n int64) Buffer { return Buffer{}.MaxBytes(n) }

// MaxRecords limits the keys that are held.
func (b Buffer) MaxRecords(n int64) Buffer { b.records = n; return b }

// MaxBytes limits the bytes that are held: of keys, values, topics and headers.
func (b Buffer) MaxBytes(n int64) Buffer { b.bytes = n; return b }

// ShutDownWhenFull has the record that finds the buffer full fail, instead of emitting
// early.
func (b Buffer) ShutDownWhenFull() Buffer { b.shutDown = true; return b }

// bounded makes 0, no limit, a number.
func (s Suppression) bounded() Suppression {
	if s.records == 0 {
		s.records = math.MaxInt64
	}
	if s.bytes == 0 {
		s.bytes = math.MaxInt64
	}
	return s
}

func (s Suppression) check() error {
	switch {
	case s.records <= 0 || s.bytes <= 0:
		return fmt.Errorf("a buffer of %d records and %d bytes: limits are above 0", s.records, s.bytes)
	case s.wait < 0:
		return fmt.Errorf("UntilTimeLimit(%s): it is not negative", s.wait)
	case s.final && !s.shutDown && (s.records < math.MaxInt64 || s.bytes < math.MaxInt64):
		return fmt.Errorf("UntilWindowCloses takes an unbounded buffer or one with ShutDownWhenFull: it never emits early")
	}
	return nil
}

// Suppress holds a table's changes back, in a buffer with a changelog. Options: Named,
// InMemory, Logged, NotLogged.
func Suppress[K, V any](t *Table[K, V], s Suppression, opts ...Option) *Table[K, V] {
	b := t.b
	o := b.readOptions("Suppress", optName|optStore, opts)
	name, store := o.name, o.name+"-store"
	if name != "" {
		b.valid("name", store)
	} else {
		name = b.generate("KTABLE-SUPPRESS-")
		store = b.storeName("KTABLE-SUPPRESS-")
	}
	if o.store != "" || o.cached {
		b.problem("%s: its buffer cannot be Materialized or Cached: name it with Named", name)
	}
	if err := s.check(); err != nil {
		b.problem("%s: %w", name, err)
	}
	wait := b.waitOf(name, t.at, s)
	t.enablePrior(true)
	from := &suppressedTable[K, V]{parent: t, rule: s, store: pending(
		state.KeyValue(store, serde.Bytes(), serde.Bytes(), o.stateOptions()...).Plan(), suppressedLayout)}
	op := &operator{name: name, versioned: new(bool), noVersions: name + ": a versioned table cannot be suppressed"}
	op.write = func(w *writer) {
		w.add(newNode(name, plan.ProcessorNode, from.wire(name, wait)), op.parentNames()...)
		w.store(from.store, name)
	}
	if s.final {
		var key K
		if _, ok := any(&key).(interface{ WindowEnd() int64 }); !ok {
			b.problem("%s: UntilWindowCloses is for windowed tables, and the keys are %T", name, key)
		}
	}
	b.add(op, t.at)
	return &Table[K, V]{b: b, name: name, ks: t.ks, vs: t.vs, at: op, sources: t.sources, origin: from}
}

// waitOf is for how long changes are held, in ms: for a final result the grace of the
// windows.
func (b *Builder) waitOf(node string, at *operator, s Suppression) int64 {
	if !s.final {
		return s.wait.Milliseconds()
	}
	grace, ok := at.windowGrace()
	if !ok {
		b.problem("%s: UntilWindowCloses is for tables made by windowed aggregations", node)
	}
	return grace
}

// windowGrace is the longest grace (ms) of the windowed aggregations that lead to op; false
// where one way leads to none.
func (op *operator) windowGrace() (grace int64, ok bool) {
	if op.grace != nil {
		return *op.grace, true
	}
	for _, p := range op.parents {
		g, found := p.windowGrace()
		if !found {
			return 0, false
		}
		grace = max(grace, g)
	}
	return grace, len(op.parents) > 0
}

// suppressedTable is the origin of a suppressed table.
type suppressedTable[K, V any] struct {
	parent *Table[K, V]
	rule   Suppression
	store  *plan.Store
}

func (s *suppressedTable[K, V]) enablePrior(force bool) bool { return s.parent.enablePrior(force) }

func (s *suppressedTable[K, V]) wire(name string, wait int64) wiring[K, change[V], K, change[V]] {
	return func(c plan.Context, next receiver[K, change[V]]) (receiver[K, change[V]], error) {
		store, err := pendingOf(c, s.store.Name)
		if err != nil {
			return nil, err
		}
		p := &suppressor[K, V]{c: c, node: name, rule: s.rule, wait: wait, store: store, next: next, time: c.StreamTime()}
		if p.ks, p.vs, err = serdesOf(store.topic, s.parent.ks, s.parent.vs); err != nil {
			return nil, err
		}
		if s.rule.final {
			p.windowEnd = any(&p.scratch).(interface{ WindowEnd() int64 })
		}
		c.Keep(name+"-time", &p.time)
		onIdle(c, name, p.idle)
		return p.receive, nil
	}
}

// view of a suppressed table is that of its parent before the changes that wait.
func (s *suppressedTable[K, V]) view() view[K, V] {
	parent := s.parent.origin.view()
	return view[K, V]{
		stores: append([]string{s.store.Name}, parent.stores...),
		open: func(c plan.Context) (lookup[K, V], error) {
			store, err := pendingOf(c, s.store.Name)
			if err != nil {
				return nil, err
			}
			look := suppressedLookup[K, V]{store: store}
			if look.ks, look.vs, err = serdesOf(store.topic, s.parent.ks, s.parent.vs); err != nil {
				return nil, err
			}
			look.lookup, err = parent.open(c)
			return look, err
		},
	}
}

// suppressedLookup reads a suppressed table.
type suppressedLookup[K, V any] struct {
	lookup[K, V]
	store *pendingStore
	ks    serde.Serde[K]
	vs    serde.Serde[V]
}

func (l suppressedLookup[K, V]) get(key K) (v state.Timestamped[V], found bool, err error) {
	bytes, err := l.ks.Append(nil, key)
	if err != nil {
		return v, false, err
	}
	entry, waits, err := l.store.get(bytes)
	if err != nil || !waits {
		if err == nil {
			return l.lookup.get(key)
		}
		return v, false, err
	}
	s, err := parseSuppressed(entry)
	if err != nil || s.prior == nil {
		return v, false, err
	}
	v.Timestamp = -1 // not known
	v.Value, err = l.vs.Decode(s.prior)
	return v, true, err
}

func (l suppressedLookup[K, V]) getAsOf(key K, _ int64) (state.Timestamped[V], bool, error) {
	return l.get(key)
}

func (l suppressedLookup[K, V]) versioned() bool { return false }
