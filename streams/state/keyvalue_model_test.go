package state_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// TestKeyValueModel does random things to key-value stores and to a map.
func TestKeyValueModel(t *testing.T) {
	numbers := func(r *rand.Rand) int64 { return r.Int64N(1000) }
	lists := func(r *rand.Rand) []string { return make([]string, r.IntN(4)) }
	kinds(t, func(t *testing.T, start startFunc, opts ...state.Option) {
		t.Run("plain,decoded", func(t *testing.T) {
			playKeyValue(t, start(t, state.KeyValue("s", serde.String(), serde.Int64(), opts...)), numbers)
		})
		t.Run("plain,bytes", func(t *testing.T) {
			playKeyValue(t, start(t, state.KeyValue("s", serde.String(), serde.JSON[[]string](), opts...)), lists)
		})
		t.Run("timestamped,decoded", func(t *testing.T) {
			playKeyValue(t, start(t, state.TimestampedKeyValue("s", serde.String(), serde.Int64(), opts...)), stamped(numbers))
		})
		t.Run("timestamped,bytes", func(t *testing.T) {
			playKeyValue(t, start(t, state.TimestampedKeyValue("s", serde.String(), serde.JSON[[]string](), opts...)), stamped(lists))
		})
	})
}

type startFunc = func(testing.TB, state.Definition) *harness

func stamped[V any](next func(*rand.Rand) V) func(*rand.Rand) state.Timestamped[V] {
	return func(r *rand.Rand) state.Timestamped[V] {
		return state.Timestamped[V]{Value: next(r), Timestamp: r.Int64N(1e6)}
	}
}

// keyValueGame compares values by how they print.
type keyValueGame[T any] struct {
	t    *testing.T
	h    *harness
	r    *rand.Rand
	next func(*rand.Rand) T
	s    state.KeyValueStore[string, T]
	// now is what the store has, committed what the space has, flushed what was forwarded.
	now, committed, flushed map[string]string
	deleted                 map[string]bool // during an iteration
}

func playKeyValue[T any](t *testing.T, h *harness, next func(*rand.Rand) T) {
	g := &keyValueGame[T]{t: t, h: h, r: testenv.Rand(t), next: next,
		now: map[string]string{}, committed: map[string]string{}, flushed: map[string]string{}, deleted: map[string]bool{}}
	h.cache = 4 << 10 // small, so that changes leave the record cache early too
	g.reopen()
	for range steps() {
		g.step()
		if t.Failed() {
			return
		}
	}
}

func (g *keyValueGame[T]) reopen() {
	g.h.store.Close()
	g.h.open()
	g.attach()
}

func (g *keyValueGame[T]) attach() {
	g.s = g.h.store.(state.KeyValueStore[string, T])
	f := g.h.store.(state.Flushing[string, T])
	if got := f.SetFlush(g.forwarded); got != g.h.def.Plan().Cached {
		g.t.Fatalf("SetFlush returned %v", got)
	}
}

// forwarded checks a change against what was forwarded last and what the store has.
func (g *keyValueGame[T]) forwarded(key string, c state.Change[T]) error {
	prior, hadPrior := g.flushed[key]
	if c.HasPrior != hadPrior || hadPrior && fmt.Sprint(c.Prior) != prior {
		g.t.Errorf("change of %q: prior %v, %v; want %v, %v", key, c.Prior, c.HasPrior, prior, hadPrior)
	}
	next, hasNext := g.now[key]
	if c.HasNext != hasNext || hasNext && fmt.Sprint(c.Next) != next {
		g.t.Errorf("change of %q: next %v, %v; want %v, %v", key, c.Next, c.HasNext, next, hasNext)
	}
	if hasNext {
		g.flushed[key] = next
	} else {
		delete(g.flushed, key)
	}
	return nil
}

// key is one of few, with some that begin with others.
func (g *keyValueGame[T]) key() string {
	return strings.Repeat(string(rune('a'+g.r.IntN(5))), 1+g.r.IntN(2)) + []string{"", "\x00", "\xff", "b"}[g.r.IntN(4)]
}

func (g *keyValueGame[T]) step() {
	switch n := g.r.IntN(100); {
	case n < 30:
		g.put()
	case n < 45:
		g.get(g.key())
	case n < 60:
		g.delete()
	case n < 65:
		g.putIfAbsent()
	case n < 75:
		g.ranges(g.s, g.now)
	case n < 80:
		g.changeWhileIterating()
	case n < 90:
		g.commit()
	case n < 93:
		g.view()
	case n < 95:
		g.h.memory.tight = !g.h.memory.tight
	case n < 97:
		g.abort()
	case n < 98:
		g.commit()
		g.h.restart()
		if !g.h.def.Plan().Persistent && g.h.def.Plan().Logged {
			g.h.restore(1 + g.r.IntN(5))
		}
		g.attach()
	case n < 99:
		g.commit()
		g.h.restore(1 + g.r.IntN(5))
		g.attach()
	}
}

func (g *keyValueGame[T]) put() {
	k, v := g.key(), g.next(g.r)
	g.now[k] = fmt.Sprint(v) // before, for what is forwarded at once
	g.h.must(g.s.Put(k, v))
	if g.r.IntN(3) == 0 {
		g.get(k)
	}
}

func (g *keyValueGame[T]) get(k string) {
	v, ok, err := g.s.Get(k)
	g.same("get of "+k, v, ok, err, k)
}

func (g *keyValueGame[T]) same(what string, v T, ok bool, err error, k string) {
	g.t.Helper()
	want, has := g.now[k]
	if err != nil || ok != has || ok && fmt.Sprint(v) != want {
		g.t.Fatalf("%s: got %v, %v, %v; want %v, %v", what, v, ok, err, want, has)
	}
}

func (g *keyValueGame[T]) delete() {
	k := g.key()
	want, had := g.now[k]
	delete(g.now, k)
	g.deleted[k] = true
	v, ok, err := g.s.Delete(k)
	if err != nil || ok != had || ok && fmt.Sprint(v) != want {
		g.t.Fatalf("delete of %q: got %v, %v, %v; want %v, %v", k, v, ok, err, want, had)
	}
}

func (g *keyValueGame[T]) putIfAbsent() {
	k, v := g.key(), g.next(g.r)
	want, had := g.now[k]
	if !had {
		g.now[k] = fmt.Sprint(v)
	}
	old, ok, err := g.s.PutIfAbsent(k, v)
	if err != nil || ok != had || ok && fmt.Sprint(old) != want {
		g.t.Fatalf("put if absent of %q: got %v, %v, %v; want %v, %v", k, old, ok, err, want, had)
	}
}

// ranges compares every kind of iteration with a map.
func (g *keyValueGame[T]) ranges(s state.ReadOnlyKeyValue[string, T], model map[string]string) {
	g.t.Helper()
	from, to := g.key(), g.key()
	expect := func(what string, got []state.Pair[string, T], in func(string) bool, reverse bool) {
		g.t.Helper()
		var want []string
		for _, k := range slices.Sorted(maps.Keys(model)) {
			if in(k) {
				want = append(want, fmt.Sprintf("%q=%v", k, model[k]))
			}
		}
		if reverse {
			slices.Reverse(want)
		}
		var have []string
		for _, p := range got {
			have = append(have, fmt.Sprintf("%q=%v", p.Key, p.Value))
		}
		if !slices.Equal(have, want) {
			g.t.Fatalf("%s: got %v, want %v", what, have, want)
		}
	}
	between := func(k string) bool { return from <= k && k <= to }
	any := func(string) bool { return true }
	expect("range", collect(g.t, s.Range(from, to)), between, false)
	expect("reverse range", collect(g.t, s.ReverseRange(from, to)), between, true)
	expect("all", collect(g.t, s.All()), any, false)
	expect("reverse all", collect(g.t, s.ReverseAll()), any, true)
	prefix := from[:1]
	expect("prefix", collect(g.t, s.Prefix([]byte(prefix))), func(k string) bool { return strings.HasPrefix(k, prefix) }, false)
}

// changeWhileIterating: the keys are those of the beginning, the values of the moment.
func (g *keyValueGame[T]) changeWhileIterating() {
	first := maps.Clone(g.now)
	clear(g.deleted)
	last, compare := "", cmp.Compare[string]
	seq := g.s.All()
	if g.r.IntN(2) == 0 {
		seq, last, compare = g.s.ReverseAll(), "\xff\xff\xff", func(a, b string) int { return cmp.Compare(b, a) }
	}
	seen := map[string]bool{}
	for p, err := range seq {
		g.same("while iterating, "+p.Key, p.Value, true, err, p.Key)
		if compare(last, p.Key) >= 0 {
			g.t.Fatalf("%q after %q", p.Key, last)
		}
		last = p.Key
		seen[p.Key] = true
		switch g.r.IntN(6) {
		case 0:
			g.put()
		case 1:
			g.delete()
		}
		if g.r.IntN(20) == 0 {
			return
		}
	}
	for k := range first {
		if !seen[k] && !g.deleted[k] {
			g.t.Fatalf("%q was not yielded", k)
		}
	}
}

func (g *keyValueGame[T]) commit() {
	g.h.commit()
	g.committed = maps.Clone(g.now)
	if g.h.def.Plan().Cached && !maps.Equal(g.flushed, g.now) {
		g.t.Fatalf("after a flush %v was forwarded, want %v", g.flushed, g.now)
	}
}

func (g *keyValueGame[T]) abort() {
	g.h.abort()
	g.now = maps.Clone(g.committed)
	g.flushed = maps.Clone(g.committed)
}

// view reads what was committed only.
func (g *keyValueGame[T]) view() {
	v, done := g.h.view()
	defer done()
	s := v.(state.ReadOnlyKeyValue[string, T])
	g.put()
	g.ranges(s, g.committed)
	k := g.key()
	got, ok, err := s.Get(k)
	want, has := g.committed[k]
	if err != nil || ok != has || ok && fmt.Sprint(got) != want {
		g.t.Fatalf("view: get of %q: %v, %v, %v; want %v, %v", k, got, ok, err, want, has)
	}
}
