package entity

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

func TestDeleteEvents(t *testing.T) {
	store := newMemory()
	h := openWith(t, store, journal.SnapshotPolicy{Every: 3}, Config{})
	for range 5 {
		ask(t, h, "kim", deposit{Amount: 1})
	}
	eventually(t, "a snapshot", func() bool { return store.saved("account|kim") == 3 })
	if _, err := h.DeleteEvents(t.Context(), "kim", 4); err == nil {
		t.Error("events that no snapshot has are deleted")
	}
	if n, err := h.DeleteEvents(t.Context(), "kim", 3); n != 3 || err != nil {
		t.Errorf("%d are deleted, %v", n, err)
	}
	if got := ask(t, open(t, store, Config{}), "kim", deposit{Amount: 1}); got != 6 {
		t.Errorf("the balance is %d", got)
	}
	if _, err := h.StateAt(t.Context(), "kim", 2); !errors.Is(err, ErrVersion) {
		t.Errorf("a state whose events are deleted: %v", err)
	}
	if _, err := openDurable(t, store, Config{}).DeleteEvents(t.Context(), "lee", 1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("events of a durable state: %v", err)
	}
}

func TestErase(t *testing.T) {
	for name, open := range map[string]func(testing.TB, journal.Store, Config) *accountHost{"events": openSnapshotting, "states": openDurable} {
		for _, forget := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				store := newMemory()
				h := open(t, store, Config{})
				for range 5 {
					ask(t, h, "kim", deposit{Amount: 1})
				}
				for range 2 {
					if err := h.Erase(t.Context(), "kim", forget); err != nil {
						t.Fatal(err)
					}
				}
				if got := ask(t, h, "kim", deposit{Amount: 7}); got != 7 {
					t.Errorf("the balance is %d", got)
				}
				view, err := open(t, store, Config{}).Read(t.Context(), "kim")
				if err != nil || view.State.Balance != 7 || forget != (view.SeqNr == 1) {
					t.Errorf("erased, with forget %v, it is %+v, %v", forget, view, err)
				}
				if err := h.Erase(t.Context(), "nobody", forget); err != nil {
					t.Errorf("one that never was: %v", err)
				}
			})
		}
	}
}

// TestDurableDelete follows a delete by a command, with a marker and without.
func TestDurableDelete(t *testing.T) {
	for _, hard := range []bool{false, true} {
		d := durableAccounts(t)
		d.HardDelete = hard
		store := newMemory()
		h, err := NewDurable(d, store, quietly(Config{}))
		run(t, h, err)
		ask(t, h, "kim", deposit{Amount: 3})
		for range 2 { // the second has nothing to delete
			ask(t, h, "kim", closeAccount{})
		}
		view, err := h.Read(t.Context(), "kim")
		if want := map[bool]int64{false: 2, true: 0}[hard]; err != nil || view.SeqNr != want || view.State.Balance != 0 {
			t.Errorf("deleted, hard %v, it is %+v, %v", hard, view, err)
		}
		if got := ask(t, h, "kim", deposit{Amount: 4}); got != 4 {
			t.Errorf("the balance is %d", got)
		}
	}
}

// A Read that began before an Erase, and ends after the next command, shows nobody
// the state that is gone.
func TestReadDuringErase(t *testing.T) {
	for name, open := range map[string]func(testing.TB, journal.Store, Config) *accountHost{"events": openSnapshotting, "states": openDurable} {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			writer := open(t, store, Config{})
			for range 5 {
				ask(t, writer, "kim", deposit{Amount: 1})
			}
			h := open(t, store, Config{})
			read, goOn := make(chan struct{}), make(chan struct{})
			var once sync.Once
			store.set(nil, func(_ context.Context, method string) error {
				if method == "Events" || method == "LoadState" {
					first := false
					once.Do(func() { first = true })
					if first {
						close(read)
						<-goOn
					}
				}
				return nil
			})
			done := make(chan error, 1)
			go func() {
				_, err := h.Read(t.Context(), "kim")
				done <- err
			}()
			<-read
			if err := h.Erase(t.Context(), "kim", true); err != nil {
				t.Fatal(err)
			}
			if got := ask(t, h, "kim", deposit{Amount: 7}); got != 7 {
				t.Errorf("the balance is %d", got)
			}
			close(goOn)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if view, err := h.Read(t.Context(), "kim"); err != nil || view.State.Balance != 7 || view.SeqNr != 1 {
				t.Errorf("then it is %+v, %v", view, err)
			}
		})
	}
}

// Another host that has the old state in memory notices before it answers from it.
func TestForgottenElsewhere(t *testing.T) {
	store := newMemory()
	h, other := openSnapshotting(t, store, Config{}), openSnapshotting(t, store, Config{})
	for range 5 {
		ask(t, h, "kim", deposit{Amount: 1})
	}
	if err := other.Erase(t.Context(), "kim", true); err != nil {
		t.Fatal(err)
	}
	ask(t, other, "kim", deposit{Amount: 1})
	if got := ask(t, h, "kim", balance{}); got != 1 {
		t.Errorf("the balance is %d", got)
	}
}

// TestSnapshotComesAfterErase: another host has saved it meanwhile. (With a marker at its number
// it could as well be the one that DeleteEvents needs.)
func TestSnapshotComesAfterErase(t *testing.T) {
	store := newMemory()
	h := openSnapshotting(t, store, Config{})
	insistOn(t, h, 4)
	if err := h.saved(t.Context(), identity{id: "kim", pid: "account|kim"}); err != nil {
		t.Fatal(err)
	}
	late := store.snapshots["account|kim"]
	if err := h.Erase(t.Context(), "kim", true); err != nil {
		t.Fatal(err)
	}
	if err := store.SaveSnapshot(t.Context(), late); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, h, "kim", deposit{Amount: 7}); got != 7 {
		t.Errorf("the balance is %d", got)
	}
}
