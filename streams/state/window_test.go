package state_test

import (
	"slices"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

type windows = state.WindowStore[string, int64]

func at(key string, start, value int64) state.Pair[state.Windowed[string], int64] {
	return state.Pair[state.Windowed[string], int64]{
		Key:   state.Windowed[string]{Key: key, Window: state.Window{Start: start, End: start + 1000}},
		Value: value,
	}
}

func TestWindowsMergeMemoryAndDisk(t *testing.T) {
	h := newHarness(t, state.Windows("w", time.Second, time.Minute, serde.String(), serde.Int64()))
	s := h.store.(windows)
	h.must(s.Put("a", 1000, 1))
	h.must(s.Put("b", 1000, 2))
	h.must(s.Put("a", 30000, 3))
	h.commit()
	h.restart()
	s = h.store.(windows)
	h.must(s.Put("a", 2000, 4))
	h.must(s.Delete("b", 1000))
	h.must(s.Put("b", 40000, 5))
	got := collect(t, s.FetchRange("a", 0, 60000))
	if want := []state.Pair[state.Windowed[string], int64]{at("a", 1000, 1), at("a", 2000, 4), at("a", 30000, 3)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got = collect(t, s.All())
	if want := []state.Pair[state.Windowed[string], int64]{at("a", 1000, 1), at("a", 2000, 4), at("a", 30000, 3), at("b", 40000, 5)}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, ok, err := s.Fetch("b", 1000); ok || err != nil {
		t.Errorf("deleted window: %v, %v", ok, err)
	}
}
