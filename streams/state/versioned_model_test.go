package state_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

const testHistory = int64(20_000) // ms

// TestVersionedModel does random things to versioned stores and to lists of all versions.
func TestVersionedModel(t *testing.T) {
	history := time.Duration(testHistory) * time.Millisecond
	kinds(t, func(t *testing.T, start startFunc, opts ...state.Option) {
		t.Run("decoded", func(t *testing.T) {
			playVersioned(t, start(t, state.Versioned("s", history, serde.String(), serde.Int64(), opts...)),
				func(r *rand.Rand) int64 { return r.Int64N(1000) })
		})
		t.Run("bytes", func(t *testing.T) {
			playVersioned(t, start(t, state.Versioned("s", history, serde.String(), serde.JSON[[]string](), opts...)),
				func(r *rand.Rand) []string { return make([]string, r.IntN(9)) })
		})
	})
}

// modelVersion is one that was put; "" is a deletion.
type modelVersion struct {
	at    int64
	value string
}

// versionModel keeps all versions for ever.
type versionModel struct {
	keys map[string][]modelVersion
	seen int64
}

func (m versionModel) clone() versionModel {
	c := versionModel{map[string][]modelVersion{}, m.seen}
	for k, v := range m.keys {
		c.keys[k] = slices.Clone(v)
	}
	return c
}

func (m versionModel) oldest() int64 { return m.seen - testHistory }

// put returns when the version ends.
func (m *versionModel) put(key string, at int64, value string) (to int64, ok bool) {
	if at < m.oldest() {
		return 0, false
	}
	m.seen = max(m.seen, at)
	all := m.keys[key]
	i, found := slices.BinarySearchFunc(all, at, func(v modelVersion, at int64) int { return int(v.at - at) })
	if found {
		all[i].value = value
	} else {
		all = slices.Insert(all, i, modelVersion{at, value})
	}
	m.keys[key] = all
	if i+1 < len(all) {
		return all[i+1].at, true
	}
	return math.MaxInt64, true
}

// asOf is what held at a time.
func (m versionModel) asOf(key string, at int64) (modelVersion, bool) {
	all := m.keys[key]
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].at > at {
			continue
		}
		expired := at < m.oldest() && i < len(all)-1
		return all[i], all[i].value != "" && !expired
	}
	return modelVersion{}, false
}

// history lists what held within a span.
func (m versionModel) history(key string, from, to int64) (out []string) {
	all := m.keys[key]
	for i, v := range all {
		end := int64(math.MaxInt64)
		if i+1 < len(all) {
			end = all[i+1].at
		}
		if v.value != "" && end > m.oldest() && end > from && v.at <= to {
			out = append(out, fmt.Sprintf("%s@%d-%d", v.value, v.at, end))
		}
	}
	return out
}

type versionedGame[T any] struct {
	t              *testing.T
	h              *harness
	r              *rand.Rand
	next           func(*rand.Rand) T
	s              state.VersionedStore[string, T]
	clock          int64
	now, committed versionModel
}

func playVersioned[T any](t *testing.T, h *harness, next func(*rand.Rand) T) {
	g := &versionedGame[T]{t: t, h: h, r: testenv.Rand(t), next: next, clock: 100_000}
	g.now = versionModel{map[string][]modelVersion{}, -1}
	g.committed = g.now.clone()
	if h.def.Plan().Cached {
		t.Fatal("a versioned store has no record cache")
	}
	g.attach()
	for range steps() {
		g.step()
	}
}

func (g *versionedGame[T]) attach() { g.s = g.h.store.(state.VersionedStore[string, T]) }

func (g *versionedGame[T]) any() (string, int64) {
	g.clock += g.r.Int64N(500)
	key := []string{"a", "a\x00", "aa", "b", "c"}[g.r.IntN(5)]
	return key, (g.clock - g.r.Int64N(25_000)) / 500 * 500
}

func (g *versionedGame[T]) step() {
	switch n := g.r.IntN(100); {
	case n < 35:
		g.put()
	case n < 50:
		g.delete()
	case n < 75:
		g.read(g.s, g.now)
	case n < 85:
		g.commit()
	case n < 88:
		g.h.memory.tight = !g.h.memory.tight
	case n < 92:
		g.view()
	case n < 94:
		g.h.abort()
		g.now = g.committed.clone()
	case n < 96:
		g.commit()
		g.h.restart()
		if !g.h.def.Plan().Persistent {
			g.h.restore(1 + g.r.IntN(5))
		}
		g.attach()
	case n < 97:
		g.commit()
		g.h.restore(1 + g.r.IntN(5))
		g.attach()
	}
}

func (g *versionedGame[T]) put() {
	k, at := g.any()
	v := g.next(g.r)
	want, wantOK := g.now.put(k, at, fmt.Sprint(v))
	to, ok, err := g.s.Put(k, v, at)
	if err != nil || ok != wantOK || to != want {
		g.t.Fatalf("put of %q at %d: got %d, %v, %v; want %d, %v", k, at, to, ok, err, want, wantOK)
	}
}

func (g *versionedGame[T]) delete() {
	k, at := g.any()
	var want modelVersion
	var had bool
	if at >= g.now.oldest() {
		want, had = g.now.asOf(k, at)
	}
	g.now.put(k, at, "")
	v, ok, err := g.s.Delete(k, at)
	g.same(fmt.Sprintf("delete of %q at %d", k, at), v, ok, err, want, had)
}

func (g *versionedGame[T]) same(what string, v state.Timestamped[T], ok bool, err error, want modelVersion, has bool) {
	g.t.Helper()
	if err != nil || ok != has || ok && (fmt.Sprint(v.Value) != want.value || v.Timestamp != want.at) {
		g.t.Fatalf("%s: got %v, %v, %v; want %v, %v", what, v, ok, err, want, has)
	}
}

func (g *versionedGame[T]) read(s state.ReadOnlyVersioned[string, T], m versionModel) {
	g.t.Helper()
	k, at := g.any()
	v, ok, err := s.Get(k)
	want, has := m.asOf(k, math.MaxInt64)
	g.same(fmt.Sprintf("get of %q", k), v, ok, err, want, has)
	v, ok, err = s.GetAsOf(k, at)
	want, has = m.asOf(k, at)
	g.same(fmt.Sprintf("get of %q as of %d", k, at), v, ok, err, want, has)
	to := at + g.r.Int64N(10_000)
	var got []string
	for _, v := range collect(g.t, s.History(k, at, to)) {
		got = append(got, fmt.Sprintf("%v@%d-%d", v.Value, v.From, v.To))
	}
	if want := m.history(k, at, to); !slices.Equal(got, want) {
		g.t.Fatalf("history of %q from %d to %d: got %v, want %v", k, at, to, got, want)
	}
}

func (g *versionedGame[T]) commit() {
	g.h.commit()
	g.committed = g.now.clone()
}

func (g *versionedGame[T]) view() {
	v, done := g.h.view()
	defer done()
	g.put()
	g.read(v.(state.ReadOnlyVersioned[string, T]), g.committed)
}

// TestVersionedSweep: what has expired leaves the disk, also of keys that nobody uses.
func TestVersionedSweep(t *testing.T) {
	h := newHarness(t, state.Versioned("s", time.Duration(testHistory)*time.Millisecond, serde.String(), serde.Int64()))
	s := h.store.(state.VersionedStore[string, int64])
	for i := range int64(50) {
		key := fmt.Sprint("key", i)
		for at := range int64(4) {
			_, _, err := s.Put(key, at, at)
			h.must(err)
		}
		if i%2 == 0 {
			_, _, err := s.Delete(key, 10)
			h.must(err)
		}
	}
	h.commit()
	h.restart()
	s = h.store.(state.VersionedStore[string, int64])
	for i := range int64(20) {
		_, _, err := s.Put("other", i, 2*testHistory+i)
		h.must(err)
		h.commit()
	}
	live := 25 + 20 + 1 // the latest of the others, what is put, and stream time
	if got := len(collect(t, h.space.Scan(nil, nil, false))); got != live {
		t.Errorf("%d entries on disk, want %d", got, live)
	}
	if v, ok, err := s.Get("key1"); err != nil || !ok || v.Value != 3 {
		t.Errorf("the latest version is %v, %v, %v", v, ok, err)
	}
}

// TestVersionedSweepLeavesWhatEndsANewVersion: a deletion expires in the commit that brings a value from
// before it.
func TestVersionedSweepLeavesWhatEndsANewVersion(t *testing.T) {
	h := newHarness(t, state.Versioned("s", time.Duration(testHistory)*time.Millisecond, serde.String(), serde.Int64()))
	s := h.store.(state.VersionedStore[string, int64])
	_, _, err := s.Delete("k", 5000)
	h.must(err)
	h.commit()
	for range 2 {
		_, _, err = s.Put("k", 1, 4000)
		h.must(err)
		_, _, err = s.Put("other", 1, testHistory+6000)
		h.must(err)
		h.commit()
		h.restart()
		s = h.store.(state.VersionedStore[string, int64])
		if v, ok, err := s.Get("k"); ok || err != nil {
			t.Fatalf("it is deleted since 5000, and has %v, %v", v, err)
		}
	}
}
