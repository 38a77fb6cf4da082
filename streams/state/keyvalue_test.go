package state_test

import (
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

func TestTimestampedKeyValue(t *testing.T) {
	h := newHarness(t, state.TimestampedKeyValue("counts", serde.String(), serde.Int64()))
	s := h.store.(state.KeyValueStore[string, state.Timestamped[int64]])
	at := func(v, ts int64) state.Timestamped[int64] {
		return state.Timestamped[int64]{Value: v, Timestamp: ts}
	}
	h.must(s.Put("b", at(2, 20)))
	h.must(s.Put("a", at(1, 10)))
	h.commit()
	h.must(s.Put("c", at(3, 30)))
	if v, ok, err := s.Delete("b"); v != at(2, 20) || !ok || err != nil {
		t.Errorf("deleted %v, %v, %v", v, ok, err)
	}
	want := []state.Pair[string, state.Timestamped[int64]]{{Key: "a", Value: at(1, 10)}, {Key: "c", Value: at(3, 30)}}
	if got := collect(t, s.All()); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	h.commit()
	h.restore(1)
	s = h.store.(state.KeyValueStore[string, state.Timestamped[int64]])
	slices.Reverse(want)
	if got := collect(t, s.ReverseAll()); !slices.Equal(got, want) {
		t.Errorf("restored: got %v, want %v", got, want)
	}
}
