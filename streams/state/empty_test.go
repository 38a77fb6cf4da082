package state_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// TestEmptyValuesSurviveARestore: a value without bytes is no tombstone.
func TestEmptyValuesSurviveARestore(t *testing.T) {
	h := newHarness(t, state.KeyValue("s", serde.String(), serde.Bytes()))
	h.must(h.store.(state.KeyValueStore[string, []byte]).Put("k", []byte{}))
	h.commit()
	h.restore(1)
	if v, ok, err := h.store.(state.KeyValueStore[string, []byte]).Get("k"); !ok || len(v) != 0 || err != nil {
		t.Errorf("%q, %t, %v", v, ok, err)
	}
	w := newHarness(t, state.Windows("w", time.Second, time.Hour, serde.String(), serde.Bytes()))
	w.must(w.store.(state.WindowStore[string, []byte]).Put("k", 5, nil))
	w.commit()
	w.restore(1)
	var got []string
	for p, err := range w.store.(state.WindowStore[string, []byte]).FetchRange("k", 0, math.MaxInt64) {
		w.must(err)
		got = append(got, fmt.Sprintf("%d %q", p.Key.Window.Start, p.Value))
	}
	if fmt.Sprint(got) != `[5 ""]` {
		t.Error(got)
	}
}
