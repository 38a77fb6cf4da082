package entity

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

// TestOthersWriteWhileAStateIsRead: before each call of the store that a command needs, another
// host writes, or deletes the events that its snapshot has. The command is decided on
// the state that it changes.
func TestOthersWriteWhileAStateIsRead(t *testing.T) {
	for name, act := range map[string]func(testing.TB, *memory, *accountHost){
		"one event":  func(t testing.TB, _ *memory, h *accountHost) { insistOn(t, h, 1) },
		"a snapshot": func(t testing.TB, store *memory, h *accountHost) { snapshotAndDelete(t, store, h) },
	} {
		for events := range 6 {
			for _, trimmed := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s after %d, trimmed %v", name, events, trimmed), func(t *testing.T) {
					t.Parallel()
					for n := 1; othersActAt(t, n, events, trimmed, act); n++ {
					}
				})
			}
		}
	}
}

// othersActAt says whether there was an nth call.
func othersActAt(t *testing.T, n, events int, trimmed bool, act func(testing.TB, *memory, *accountHost)) bool {
	store := newMemory()
	other := openSnapshotting(t, store, Config{})
	insistOn(t, other, events)
	if trimmed {
		snapshotAndDelete(t, store, other)
	}
	stop(t, other) // all snapshots are there
	other = openSnapshotting(t, store, Config{})
	h := open(t, store, Config{}) // without snapshots, which would hide what it did not see
	calls := 0
	store.set(func(context.Context, string) error {
		if calls++; calls == n {
			store.set(nil, nil)
			act(t, store, other)
		}
		return nil
	}, nil)
	got, err := h.Ask(t.Context(), "kim", deposit{1, "mine"})
	store.set(nil, nil)
	if err != nil {
		t.Fatalf("call %d: %v", n, err)
	}
	stop(t, h)

	state := see(t, open(t, store, Config{}), "kim").State
	if int(got) != slices.Index(state.IDs, "mine")+1 {
		t.Errorf("call %d: the answer was %d, and the account is %+v", n, got, state)
	}
	return calls >= n
}

func insistOn(t testing.TB, h *accountHost, n int) {
	for i := range n {
		if _, err := h.Ask(t.Context(), "kim", deposit{1, fmt.Sprint("other-", i)}); err != nil {
			t.Error(err)
		}
	}
}

func snapshotAndDelete(t testing.TB, store *memory, h *accountHost) {
	insistOn(t, h, 2)
	if err := h.saved(t.Context(), identity{id: "kim", pid: "account|kim"}); err != nil {
		t.Error(err)
	}
	if _, err := h.DeleteEvents(t.Context(), "kim", store.saved("account|kim")); err != nil {
		t.Error(err)
	}
}
