package state_test

import (
	"encoding/binary"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

const (
	testSize      = 1000            // ms, of windows
	testRetention = 3 * time.Minute // segments are half of it
	testSegment   = int64(90 * time.Second / time.Millisecond)
)

// TestWindowModel does random things to window stores and to a map.
func TestWindowModel(t *testing.T) {
	numbers := func(r *rand.Rand) int64 { return r.Int64N(1000) }
	lists := func(r *rand.Rand) []string { return make([]string, r.IntN(4)) }
	kinds(t, func(t *testing.T, start startFunc, opts ...state.Option) {
		t.Run("plain,decoded", func(t *testing.T) {
			playTimed(t, start(t, state.Windows("s", testSize*time.Millisecond, testRetention, serde.String(), serde.Int64(), opts...)), numbers, windowsOf[int64])
		})
		t.Run("timestamped,bytes", func(t *testing.T) {
			playTimed(t, start(t, state.TimestampedWindow("s", testSize*time.Millisecond, testRetention, serde.String(), serde.JSON[[]string](), opts...)), stamped(lists), windowsOf[state.Timestamped[[]string]])
		})
		t.Run("duplicates", func(t *testing.T) {
			opts := append(opts, state.RetainDuplicates())
			playTimed(t, start(t, state.Windows("s", testSize*time.Millisecond, testRetention, serde.String(), serde.Int64(), opts...)), numbers, duplicatesOf[int64])
		})
	})
}

// TestSessionModel does random things to session stores and to a map.
func TestSessionModel(t *testing.T) {
	kinds(t, func(t *testing.T, start startFunc, opts ...state.Option) {
		t.Run("decoded", func(t *testing.T) {
			playTimed(t, start(t, state.Session("s", testRetention, serde.String(), serde.Int64(), opts...)),
				func(r *rand.Rand) int64 { return r.Int64N(1000) }, sessionsOf[int64])
		})
		t.Run("bytes", func(t *testing.T) {
			playTimed(t, start(t, state.Session("s", testRetention, serde.String(), serde.JSON[[]string](), opts...)),
				func(r *rand.Rand) []string { return make([]string, r.IntN(4)) }, sessionsOf[[]string])
		})
	})
}

// timedKey is a window (a is its start, b the number of a duplicate) or a session (a is its
// end, b its start).
type timedKey struct {
	key  string
	a, b int64
}

// order is that of All.
func (k timedKey) order() string {
	var out []byte
	out = binary.BigEndian.AppendUint64(out, uint64(k.a/testSegment))
	out = append(out, k.key...)
	out = binary.BigEndian.AppendUint64(out, uint64(k.a))
	return string(binary.BigEndian.AppendUint64(out, uint64(k.b)))
}

type timedPairs[T any] = iter.Seq2[state.Pair[state.Windowed[string], T], error]

// timedReader is a window or session store, or a view of one, behind one face. A nil function
// is what the store does not have.
type timedReader[T any] struct {
	get       func(k timedKey) (T, bool, error)
	one       func(key string, from, to int64) timedPairs[T]
	oneBack   func(key string, from, to int64) timedPairs[T]
	keys      func(from, to string, timeFrom, timeTo int64) timedPairs[T]
	keysBack  func(from, to string, timeFrom, timeTo int64) timedPairs[T]
	times     func(from, to int64) timedPairs[T]
	timesBack func(from, to int64) timedPairs[T]
	all       func() timedPairs[T]
	window    func(k timedKey) state.Window
}

type timedStore[T any] struct {
	timedReader[T]
	put        func(k timedKey, v T) error
	remove     func(k timedKey) error // nil: nothing is removed
	duplicates bool
	// walk is one, never through a buffer, which does not see later changes.
	walk func(key string, from, to int64) timedPairs[T]
}

func windowReader[T any](s state.ReadOnlyWindow[string, T]) timedReader[T] {
	return timedReader[T]{
		get: func(k timedKey) (T, bool, error) { return s.Fetch(k.key, k.a) },
		one: s.FetchRange, oneBack: s.ReverseFetchRange, keys: s.FetchKeys, keysBack: s.ReverseFetchKeys,
		times: s.FetchAll, timesBack: s.ReverseFetchAll, all: s.All,
		window: func(k timedKey) state.Window { return state.Window{Start: k.a, End: k.a + testSize} },
	}
}

func windowsOf[T any](s any) timedStore[T] {
	w, _ := s.(state.WindowStore[string, T])
	if w == nil {
		return timedStore[T]{timedReader: windowReader(s.(state.ReadOnlyWindow[string, T]))}
	}
	out := timedStore[T]{
		timedReader: windowReader[T](w),
		put:         func(k timedKey, v T) error { return w.Put(k.key, k.a, v) },
		remove:      func(k timedKey) error { return w.Delete(k.key, k.a) },
	}
	out.walk = out.one
	out.one = inTurn(w.FetchRange, func(key string, from, to int64) timedPairs[T] {
		return appended(w.AppendRange(nil, key, from, to))
	})
	return out
}

// inTurn is a and b one after the other: both are to yield the same.
func inTurn[T any](a, b func(key string, from, to int64) timedPairs[T]) func(key string, from, to int64) timedPairs[T] {
	calls := 0
	return func(key string, from, to int64) timedPairs[T] {
		if calls++; calls%2 == 0 {
			return a(key, from, to)
		}
		return b(key, from, to)
	}
}

// appended yields what was appended to a buffer.
func appended[T any](all []state.Pair[state.Windowed[string], T], err error) timedPairs[T] {
	return func(yield func(state.Pair[state.Windowed[string], T], error) bool) {
		for _, p := range all {
			if !yield(p, nil) {
				return
			}
		}
		if err != nil {
			yield(state.Pair[state.Windowed[string], T]{}, err)
		}
	}
}

func duplicatesOf[T any](s any) timedStore[T] {
	out := windowsOf[T](s)
	out.remove, out.get, out.duplicates = nil, nil, true
	return out
}

func sessionsOf[T any](s any) timedStore[T] {
	r := s.(state.ReadOnlySession[string, T])
	out := timedStore[T]{timedReader: timedReader[T]{
		get: func(k timedKey) (T, bool, error) { return r.FetchSession(k.key, k.b, k.a) },
		one: func(key string, from, to int64) timedPairs[T] {
			return upTo(r.Find(key, from, math.MaxInt64), to)
		},
		oneBack: func(key string, from, to int64) timedPairs[T] {
			return upTo(r.ReverseFind(key, from, math.MaxInt64), to)
		},
		all:    r.All,
		window: func(k timedKey) state.Window { return state.Window{Start: k.b, End: k.a} },
	}}
	if w, ok := s.(state.SessionStore[string, T]); ok {
		key := func(k timedKey) state.Windowed[string] {
			return state.Windowed[string]{Key: k.key, Window: state.Window{Start: k.b, End: k.a}}
		}
		out.put = func(k timedKey, v T) error { return w.Put(key(k), v) }
		out.remove = func(k timedKey) error { return w.Remove(key(k)) }
		out.walk = out.one
		out.one = inTurn(out.one, func(key string, from, to int64) timedPairs[T] {
			return upTo(appended(w.AppendSessions(nil, key, from, math.MaxInt64)), to)
		})
	}
	return out
}

func upTo[T any](seq timedPairs[T], end int64) timedPairs[T] {
	return func(yield func(state.Pair[state.Windowed[string], T], error) bool) {
		for p, err := range seq {
			if err == nil && p.Key.Window.End > end {
				continue
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// timedGame compares values by how they print.
type timedGame[T any] struct {
	t                       *testing.T
	h                       *harness
	r                       *rand.Rand
	next                    func(*rand.Rand) T
	as                      func(any) timedStore[T]
	s                       timedStore[T]
	clock                   int64
	seen, committedSeen     int64 // highest time put, -1
	count                   int64 // of puts, for duplicates
	now, committed, flushed map[timedKey]string
}

func playTimed[T any](t *testing.T, h *harness, next func(*rand.Rand) T, as func(any) timedStore[T]) {
	g := &timedGame[T]{t: t, h: h, r: testenv.Rand(t), next: next, as: as, seen: -1, committedSeen: -1,
		clock: 500_000, now: map[timedKey]string{}, committed: map[timedKey]string{}, flushed: map[timedKey]string{}}
	h.cache = 4 << 10
	h.store.Close()
	h.open()
	g.attach()
	for range steps() {
		g.step()
		if t.Failed() {
			return
		}
	}
}

func (g *timedGame[T]) attach() {
	g.s = g.as(g.h.store)
	f := g.h.store.(state.Flushing[state.Windowed[string], T])
	if got := f.SetFlush(g.forwarded); got != g.h.def.Plan().Cached {
		g.t.Fatalf("SetFlush returned %v", got)
	}
}

func (g *timedGame[T]) forwarded(w state.Windowed[string], c state.Change[T]) error {
	k := timedKey{w.Key, w.Window.Start, 0}
	if g.s.window(k) != w.Window {
		k = timedKey{w.Key, w.Window.End, w.Window.Start}
	}
	prior, hadPrior := g.flushed[k]
	if c.HasPrior != hadPrior || hadPrior && fmt.Sprint(c.Prior) != prior {
		g.t.Errorf("change of %v: prior %v, %v; want %v, %v", k, c.Prior, c.HasPrior, prior, hadPrior)
	}
	next, hasNext := g.now[k]
	if c.HasNext != hasNext || hasNext && fmt.Sprint(c.Next) != next {
		g.t.Errorf("change of %v: next %v, %v; want %v, %v", k, c.Next, c.HasNext, next, hasNext)
	}
	if hasNext {
		g.flushed[k] = next
	} else {
		delete(g.flushed, k)
	}
	return nil
}

func (g *timedGame[T]) live(seen int64) int64 {
	return max(0, seen-testRetention.Milliseconds()+1)
}

// any makes a key of few, with a time near the clock and at times an expired one.
func (g *timedGame[T]) any() timedKey {
	if g.r.IntN(5) == 0 {
		g.clock += g.r.Int64N(10_000)
	}
	k := timedKey{key: strings.Repeat(string(rune('a'+g.r.IntN(3))), 1+g.r.IntN(2)) + []string{"", "\x00"}[g.r.IntN(2)]}
	back := int64(20)
	if g.r.IntN(10) == 0 {
		back = 250
	}
	k.a = max(0, g.clock/1000-g.r.Int64N(back)) * 1000
	if g.s.window(timedKey{a: 5, b: 3}).Start == 3 { // a session
		k.b = max(0, k.a-g.r.Int64N(4)*1000)
	}
	return k
}

func (g *timedGame[T]) step() {
	switch n := g.r.IntN(100); {
	case n < 40:
		g.put()
	case n < 55:
		g.get(g.any())
	case n < 62:
		g.remove()
	case n < 75:
		g.ranges(g.s.timedReader, g.now, g.seen)
	case n < 78:
		g.changeWhileIterating()
	case n < 88:
		g.commit()
	case n < 92:
		g.view()
	case n < 94:
		g.h.memory.tight = !g.h.memory.tight
	case n < 96:
		g.abort()
	case n < 97:
		g.commit()
		g.h.restart()
		if !g.h.def.Plan().Persistent {
			g.h.restore(1 + g.r.IntN(5))
		}
		g.attach()
	case n < 98:
		g.commit()
		g.h.restore(1 + g.r.IntN(5))
		g.attach()
	}
}

func (g *timedGame[T]) put() {
	k, v := g.any(), g.next(g.r)
	if g.seen = max(g.seen, k.a); k.a >= g.live(g.seen) {
		at := k
		if g.s.duplicates {
			g.count++
			at.b = g.count
		}
		g.now[at] = fmt.Sprint(v)
	}
	g.h.must(g.s.put(k, v))
	if g.r.IntN(3) == 0 {
		g.get(k)
	}
}

func (g *timedGame[T]) get(k timedKey) {
	if g.s.get == nil {
		return
	}
	v, ok, err := g.s.get(k)
	want, has := g.now[k]
	has = has && k.a >= g.live(g.seen)
	if err != nil || ok != has || ok && fmt.Sprint(v) != want {
		g.t.Fatalf("get of %v: got %v, %v, %v; want %v, %v", k, v, ok, err, want, has)
	}
}

func (g *timedGame[T]) remove() {
	if k := g.any(); g.s.remove != nil {
		if g.seen = max(g.seen, k.a); k.a >= g.live(g.seen) {
			delete(g.now, k)
		}
		g.h.must(g.s.remove(k))
	}
}

// ranges compares every kind of iteration with a map.
func (g *timedGame[T]) ranges(s timedReader[T], model map[timedKey]string, seen int64) {
	g.t.Helper()
	from, to := g.any(), g.any()
	expect := func(what string, got timedPairs[T], in func(timedKey) bool, reverse bool) {
		g.t.Helper()
		keys := slices.SortedFunc(maps.Keys(model), func(x, y timedKey) int { return strings.Compare(x.order(), y.order()) })
		if reverse {
			slices.Reverse(keys)
		}
		var want, have []string
		for _, k := range keys {
			if in(k) && k.a >= g.live(seen) {
				want = append(want, fmt.Sprintf("%q %v=%v", k.key, s.window(k), model[k]))
			}
		}
		for _, p := range collect(g.t, got) {
			have = append(have, fmt.Sprintf("%q %v=%v", p.Key.Key, p.Key.Window, p.Value))
		}
		if !slices.Equal(have, want) {
			missing := slices.DeleteFunc(slices.Clone(want), func(s string) bool { return slices.Contains(have, s) })
			extra := slices.DeleteFunc(slices.Clone(have), func(s string) bool { return slices.Contains(want, s) })
			g.t.Fatalf("%s of %v to %v: %d entries, want %d; missing %v, too much %v", what, from, to, len(have), len(want), missing, extra)
		}
	}
	one := func(k timedKey) bool { return k.key == from.key && from.a <= k.a && k.a <= to.a }
	expect("one", s.one(from.key, from.a, to.a), one, false)
	expect("one, reverse", s.oneBack(from.key, from.a, to.a), one, true)
	expect("all", s.all(), func(timedKey) bool { return true }, false)
	if s.keys == nil {
		return
	}
	times := func(k timedKey) bool { return from.a <= k.a && k.a <= to.a }
	many := func(k timedKey) bool { return times(k) && from.key <= k.key && k.key <= to.key }
	expect("keys", s.keys(from.key, to.key, from.a, to.a), many, false)
	expect("keys, reverse", s.keysBack(from.key, to.key, from.a, to.a), many, true)
	expect("times", s.times(from.a, to.a), times, false)
	expect("times, reverse", s.timesBack(from.a, to.a), times, true)
}

// changeWhileIterating: what is yielded is there; nothing comes twice.
func (g *timedGame[T]) changeWhileIterating() {
	if g.s.duplicates {
		return
	}
	seq := g.s.all()
	if g.r.IntN(2) == 0 {
		seq = g.s.walk(g.any().key, 0, math.MaxInt64)
	}
	seen := map[state.Windowed[string]]bool{}
	for p, err := range seq {
		g.h.must(err)
		if seen[p.Key] {
			g.t.Fatalf("%v came twice", p.Key)
		}
		seen[p.Key] = true
		k := timedKey{p.Key.Key, p.Key.Window.Start, 0}
		if g.s.window(k) != p.Key.Window {
			k = timedKey{p.Key.Key, p.Key.Window.End, p.Key.Window.Start}
		}
		if want, ok := g.now[k]; !ok || want != fmt.Sprint(p.Value) {
			g.t.Fatalf("while iterating: %v=%v, want %v, %v", p.Key, p.Value, want, ok)
		}
		switch g.r.IntN(6) {
		case 0:
			g.put()
		case 1:
			g.remove()
		}
	}
}

func (g *timedGame[T]) commit() {
	g.h.commit()
	g.committed, g.committedSeen = maps.Clone(g.now), g.seen
	if g.h.def.Plan().Cached && !maps.Equal(g.flushed, g.now) {
		g.t.Fatalf("after a flush %v was forwarded, want %v", g.flushed, g.now)
	}
}

func (g *timedGame[T]) abort() {
	g.h.abort()
	g.now, g.seen = maps.Clone(g.committed), g.committedSeen
	g.flushed = maps.Clone(g.committed)
}

// view reads what was committed only.
func (g *timedGame[T]) view() {
	v, done := g.h.view()
	defer done()
	g.put()
	g.ranges(g.as(v).timedReader, g.committed, g.committedSeen)
}
