package state_test

import (
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/state"
)

// picky is a serde of bytes that refuses "bad".
type picky struct{ serde.Serde[[]byte] }

var errBad = errors.New("bad is not encoded")

func (p picky) Append(dst []byte, v []byte) ([]byte, error) {
	if string(v) == "bad" {
		return dst, errBad
	}
	return p.Serde.Append(dst, v)
}

// TestRefusedValueLeavesTheOld: who goes on after a value that cannot be encoded finds what is
// in the space.
func TestRefusedValueLeavesTheOld(t *testing.T) {
	for name, def := range map[string]func() state.Definition{
		"plain": func() state.Definition { return state.KeyValue("s", serde.String(), picky{serde.Bytes()}) },
		"cached": func() state.Definition {
			return state.KeyValue("s", serde.String(), picky{serde.Bytes()}, state.Cached())
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t, def())
			h.must(h.store.(state.KeyValueStore[string, []byte]).Put("k", []byte("old")))
			h.commit()
			h.store.Close()
			h.open() // nothing is in memory
			s := h.store.(state.KeyValueStore[string, []byte])
			for range 2 {
				if err := s.Put("k", []byte("bad")); !errors.Is(err, errBad) {
					t.Fatal(err)
				}
				if v, ok, err := s.Get("k"); string(v) != "old" || !ok || err != nil {
					t.Errorf("%q, %v, %v", v, ok, err)
				}
			}
			h.must(s.Put("k", []byte("new")))
			h.commit()
			if v, _, _ := s.Get("k"); string(v) != "new" {
				t.Errorf("%q", v)
			}
		})
	}
}
