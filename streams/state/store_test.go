package state_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// TestValuesAreTheCallers: who changes a map or slice that was put or returned does not
// change the store.
func TestValuesAreTheCallers(t *testing.T) {
	type basket struct {
		Items []string
		Count map[string]int
	}
	h := newHarness(t, state.KeyValue("s", serde.String(), serde.JSON[basket](), state.Cached()))
	s := h.store.(state.KeyValueStore[string, basket])
	check := func(when string) {
		t.Helper()
		b, _, err := s.Get("k")
		h.must(err)
		if b.Items[0] != "tea" || b.Count["tea"] != 1 {
			t.Fatalf("%s: %v", when, b)
		}
		b.Items[0], b.Count["tea"] = "changed", 99
		for p, err := range s.All() {
			h.must(err)
			if p.Value.Items[0] != "tea" {
				t.Fatalf("%s, all: %v", when, p.Value)
			}
			p.Value.Items[0], p.Value.Count["tea"] = "changed", 99
		}
	}
	put := basket{[]string{"tea"}, map[string]int{"tea": 1}}
	h.must(s.Put("k", put))
	put.Items[0], put.Count["tea"] = "changed", 99
	check("after a put")
	check("after a get")
	h.commit()
	check("after a commit")
	if got := string(h.log[0].Value); got != `{"Items":["tea"],"Count":{"tea":1}}` {
		t.Errorf("the changelog has %s", got)
	}
	// A change after a commit does not reach into the record of the one before.
	h.must(s.Put("k", basket{Items: []string{"x"}}))
	if got := string(h.log[0].Value); got != `{"Items":["tea"],"Count":{"tea":1}}` {
		t.Errorf("after the next put the changelog has %s", got)
	}
}

// TestCountDoesNotAllocate: get and put of a key in memory.
func TestCountDoesNotAllocate(t *testing.T) {
	h := newHarness(t, state.TimestampedKeyValue("s", serde.String(), serde.Int64()))
	s := h.store.(state.KeyValueStore[string, state.Timestamped[int64]])
	count := func() {
		v, _, err := s.Get("key")
		h.must(err)
		v.Value++
		h.must(s.Put("key", v))
	}
	if n := testing.AllocsPerRun(100, count); n != 0 {
		t.Errorf("%v allocations", n)
	}
	h.commit()
	if len(h.log) != 1 || fmt.Sprintf("%x", h.log[0].Value) != "0000000000000065" {
		t.Errorf("logged %d records; 101 changes of a key are one", len(h.log))
	}
}

// TestMissesAreRemembered: what the disk does not have is asked for once.
func TestMissesAreRemembered(t *testing.T) {
	h := newHarness(t, state.KeyValue("s", serde.String(), serde.Int64()))
	s := h.store.(state.KeyValueStore[string, int64])
	if n := testing.AllocsPerRun(10, func() {
		_, ok, err := s.Get("missing")
		if h.must(err); ok {
			t.Fatal("found")
		}
	}); n != 0 {
		t.Errorf("%v allocations: the space was read", n)
	}
}

// TestTightMemory: clean entries are dropped, and read again from disk.
func TestTightMemory(t *testing.T) {
	h := newDiskHarness(t, state.KeyValue("s", serde.String(), serde.Int64()))
	s := h.store.(state.KeyValueStore[string, int64])
	const keys = 5000
	for i := range int64(keys) {
		h.must(s.Put(fmt.Sprint(i), i))
	}
	h.commit()
	full := h.memory.bytes
	h.memory.tight = true
	for i := range int64(2 * keys) {
		_, _, err := s.Get(fmt.Sprint("other", i))
		h.must(err)
	}
	if h.memory.bytes > full/2 {
		t.Errorf("%d bytes held with tight memory, %d before", h.memory.bytes, full)
	}
	for i := range int64(keys) {
		if v, ok, err := s.Get(fmt.Sprint(i)); v != i || !ok || err != nil {
			t.Fatalf("%d: %v, %v, %v", i, v, ok, err)
		}
	}
}

// TestRetention: what has expired is not seen, not taken, and leaves the disk by segments.
func TestRetention(t *testing.T) {
	h := newHarness(t, state.Windows("s", time.Second, 10*time.Minute, serde.String(), serde.Int64()))
	s := h.store.(state.WindowStore[string, int64])
	minute := func(n int64) int64 { return n * 60_000 }
	for i := range int64(10) {
		h.must(s.Put("k", minute(i), i))
	}
	h.commit()
	h.must(s.Put("other", minute(12), 0))
	h.must(s.Put("k", minute(2), 99)) // 12 - 10: just past
	got := collect(t, s.FetchRange("k", 0, minute(99)))
	if len(got) != 7 || got[0].Value != 3 {
		t.Errorf("got %v, want those of minutes 3 to 9", got)
	}
	before := len(collect(t, h.space.Scan(nil, nil, false)))
	h.must(s.Put("other", minute(16), 0)) // live from minute 6 on, so segment 0 to 5 goes
	h.commit()
	after := len(collect(t, h.space.Scan(nil, nil, false)))
	if before != 11 || after != 1+5+2 {
		t.Errorf("%d entries on disk before, %d after; want 11 and 8", before, after)
	}
}

// TestCacheForwardsOneChange of each key, in the order of their last change, and the oldest
// first when the cache is full.
func TestCacheForwardsOneChange(t *testing.T) {
	h := newHarness(t, state.TimestampedKeyValue("s", serde.String(), serde.Int64(), state.Cached()))
	s := h.store.(state.TimestampedStore[string, int64])
	var got []string
	s.SetFlush(func(key string, c state.Change[state.Timestamped[int64]]) error {
		got = append(got, fmt.Sprintf("%s %v>%v %v>%v @%d", key, c.HasPrior, c.HasNext, c.Prior.Value, c.Next.Value, c.Timestamp))
		return nil
	})
	put := func(key string, v, at int64) {
		h.must(s.Put(key, state.Timestamped[int64]{Value: v, Timestamp: at}))
	}
	put("a", 1, 10)
	put("b", 2, 20)
	put("a", 3, 30)
	put("gone", 4, 40)
	_, _, err := s.DeleteAt("gone", 50)
	h.must(err)
	h.must(h.store.Flush())
	_, _, err = s.DeleteAt("b", 60)
	h.must(err)
	h.must(h.store.Flush())
	want := []string{"b false>true 0>2 @20", "a false>true 0>3 @30", "b true>false 2>0 @60"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	h.cache = 0
	h.restart()
	got = nil
	s = h.store.(state.TimestampedStore[string, int64])
	s.SetFlush(func(key string, c state.Change[state.Timestamped[int64]]) error {
		got = append(got, key)
		return nil
	})
	put("x", 1, 1)
	put("x", 2, 2)
	if !slices.Equal(got, []string{"x", "x"}) {
		t.Errorf("without a cache %v was forwarded", got)
	}
}

// TestReadForPeople: keys come as text, entries as JSON values.
func TestReadForPeople(t *testing.T) {
	h := newHarness(t, state.TimestampedKeyValue("s", serde.Int64(), serde.JSON[map[string]int]()))
	s := h.store.(state.KeyValueStore[int64, state.Timestamped[map[string]int]])
	h.must(s.Put(7, state.Timestamped[map[string]int]{Value: map[string]int{"n": 1}, Timestamp: 5}))
	h.must(s.Put(8, state.Timestamped[map[string]int]{Value: map[string]int{"n": 2}, Timestamp: 6}))
	h.commit()
	p := h.def.Plan()
	key, err := p.EncodeKey("7")
	h.must(err)
	read := func(q plan.Query) (out []string) {
		for _, e := range collect(t, p.Read(h.space, q)) {
			out = append(out, fmt.Sprintf("%v=%v@%d", e.Key, e.Value, e.Timestamp))
		}
		return out
	}
	if got := read(plan.Query{Key: key}); !slices.Equal(got, []string{"7=map[n:1]@5"}) {
		t.Errorf("got %v", got)
	}
	if got := read(plan.Query{From: key, Reverse: true}); !slices.Equal(got, []string{"8=map[n:2]@6", "7=map[n:1]@5"}) {
		t.Errorf("got %v", got)
	}
	_, err = p.EncodeKey("seven")
	contains(t, err, `"seven"`, "whole number")
}

// TestReadWindowsForPeople: times select, and windows are told.
func TestReadWindowsForPeople(t *testing.T) {
	h := newHarness(t, state.Windows("s", time.Second, 0, serde.String(), serde.Int64()))
	s := h.store.(state.WindowStore[string, int64])
	for i := range int64(4) {
		h.must(s.Put("k", i*1000, i))
		h.must(s.Put("other", i*1000, i))
	}
	h.commit()
	p := h.def.Plan()
	key, err := p.EncodeKey("k")
	h.must(err)
	var got []string
	for _, e := range collect(t, p.Read(h.space, plan.Query{Key: key, TimeFrom: 1000, TimeTo: 2000})) {
		got = append(got, fmt.Sprintf("%v=%v %d-%d", e.Key, e.Value, e.WindowStart, e.WindowEnd))
	}
	if !slices.Equal(got, []string{"k=1 1000-2000", "k=2 2000-3000"}) {
		t.Errorf("got %v", got)
	}
	if got := string(p.PartitionKey([]byte("k\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"))); got != "k" {
		t.Errorf("partitioned by %q", got)
	}
}

// TestUnloggedValueThatCannotBeWritten fails before the transaction ends, as one with a changelog.
func TestUnloggedValueThatCannotBeWritten(t *testing.T) {
	type average struct{ Mean float64 }
	for _, options := range [][]state.Option{nil, {state.NotLogged()}} {
		h := startHarness(t, state.KeyValue("s", serde.String(), serde.JSON[average](), options...), "")
		if err := h.store.(state.KeyValueStore[string, average]).Put("k", average{math.NaN()}); err != nil {
			continue // it is noticed at once
		}
		if err := errors.Join(h.store.Flush(), h.store.Log()); err == nil {
			t.Errorf("%d options: it would fail after the transaction", len(options))
		}
	}
}

// TestDefinitions: what they tell the runtime.
func TestDefinitions(t *testing.T) {
	str := serde.String()
	kv := state.KeyValue("s", str, str, state.InMemory(), state.NotLogged()).Plan()
	if kv.Persistent || kv.Logged || kv.Windowed || kv.Kind != "key-value" {
		t.Errorf("got %+v", kv)
	}
	w := state.Windows("s", time.Hour, time.Minute, str, str, state.RetainDuplicates(), state.Cached()).Plan()
	if !w.Windowed || w.Retention != time.Hour || w.Cached || w.ChangelogConfig["cleanup.policy"] != "delete" {
		t.Errorf("got %+v", w)
	}
	v := state.Versioned("s", time.Hour, str, str, state.Logged(map[string]string{"segment.ms": "1"})).Plan()
	want := map[string]string{"segment.ms": "1", "min.compaction.lag.ms": "90000000"}
	if v.Windowed || !v.Logged || !maps.Equal(v.ChangelogConfig, want) {
		t.Errorf("got %+v", v)
	}
}
