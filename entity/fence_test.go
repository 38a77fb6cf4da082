package entity

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/pabal-dev/pabal/journal"
)

// TestTwoHostsNeverBothWin has two hosts fight over a few entities, while answers
// of commits get lost: every deposit counts once, and one host's reply is never
// another's.
func TestTwoHostsNeverBothWin(t *testing.T) {
	const entities, askers, each = 3, 4, 50
	store := newMemory()
	lost := 0
	store.set(nil, func(_ context.Context, method string) error {
		if method != "AppendGroup" {
			return nil
		}
		store.mu.Lock()
		defer store.mu.Unlock()
		if lost++; lost%7 == 0 {
			return errAway
		}
		return nil
	})
	hosts := []*accountHost{open(t, store, Config{ConflictRetries: 1000}), open(t, store, Config{ConflictRetries: 1000})}
	var all sync.WaitGroup
	for n := range askers {
		all.Go(func() {
			for i := range each {
				id := fmt.Sprint("e", i%entities)
				if _, err := hosts[n%2].Ask(t.Context(), id, deposit{1, fmt.Sprintf("%d-%d", n, i)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	total := 0
	for n := range entities {
		view, err := hosts[0].StateAt(t.Context(), fmt.Sprint("e", n), 0)
		if err != nil {
			t.Fatal(err)
		}
		total += int(view.State.Balance)
		slices.Sort(view.State.IDs)
		if distinct := slices.Compact(slices.Clone(view.State.IDs)); len(distinct) != int(view.State.Balance) {
			t.Errorf("%d deposits made %d, some of them twice", len(distinct), view.State.Balance)
		}
	}
	if total != askers*each {
		t.Errorf("%d deposits count %d", askers*each, total)
	}
	if conflicts := hosts[0].Stats().Conflicts + hosts[1].Stats().Conflicts; conflicts == 0 {
		t.Error("the hosts never fought")
	}
}

func TestRefusalIsMadeOnTheNewestState(t *testing.T) {
	for name, open := range map[string]func(testing.TB, journal.Store, Config) *accountHost{"events": open, "states": openDurable} {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			a, b := open(t, store, Config{}), open(t, store, Config{})
			exclusive := open(t, store, Config{Exclusive: true})
			for _, h := range []*accountHost{a, b, exclusive} {
				ask(t, h, "kim", balance{}) // all have the state in memory
			}
			ask(t, a, "kim", deposit{Amount: 10})
			if got := ask(t, exclusive, "kim", balance{}); got != 0 {
				t.Errorf("a host that believes to be alone looked: %d", got)
			}
			if got := ask(t, b, "kim", balance{}); got != 10 {
				t.Errorf("the other host answers %d", got)
			}
			ask(t, a, "kim", deposit{Amount: 10})
			if got := ask(t, b, "kim", withdraw{Amount: 15}); got != 5 {
				t.Errorf("the other host allows it and answers %d", got)
			}
		})
	}
}

func TestGivenUpAfterManyConflicts(t *testing.T) {
	store := newMemory()
	a, b := open(t, store, Config{ConflictRetries: 3}), open(t, store, Config{})
	ask(t, a, "kim", deposit{Amount: 1})
	meddling := false
	store.set(func(ctx context.Context, method string) error {
		if method == "AppendGroup" && !meddling { // somebody else is always faster
			meddling = true
			defer func() { meddling = false }()
			ask(t, b, "kim", deposit{Amount: 1})
		}
		return nil
	}, nil)
	_, err := a.Ask(t.Context(), "kim", deposit{Amount: 100})
	store.set(nil, nil)
	if !errors.Is(err, journal.ErrConflict) {
		t.Errorf("after endless conflicts: %v", err)
	}
	if got := ask(t, a, "kim", balance{}); got != 5 {
		t.Errorf("the balance is %d: 1 and what the other one deposited", got)
	}
}

// TestUnknownOutcome loses the caller's patience while the command is being stored.
func TestUnknownOutcome(t *testing.T) {
	store := newMemory()
	h := open(t, store, Config{})
	ask(t, h, "kim", deposit{Amount: 1})
	begun, release := make(chan struct{}), make(chan struct{})
	store.set(func(ctx context.Context, method string) error {
		if method == "AppendGroup" {
			close(begun)
			<-release
		}
		return nil
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := h.Ask(ctx, "kim", deposit{Amount: 1})
		failed <- err
	}()
	<-begun
	waits := make(chan error)
	waiting, goAway := context.WithCancel(t.Context())
	go func() {
		_, err := h.Ask(waiting, "kim", deposit{Amount: 100})
		waits <- err
	}()
	eventually(t, "the second command waits", func() bool { return h.Stats().Pending == 2 })
	if view, err := h.Read(t.Context(), "kim"); err != nil || view.State.Balance != 1 {
		t.Errorf("read while the writer is busy: %+v, %v", view, err)
	}
	goAway()
	if err := <-waits; !errors.Is(err, ErrNotBegun) {
		t.Errorf("the command that waited: %v", err)
	}
	cancel()
	if err := <-failed; !errors.Is(err, ErrUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("the command that was being stored: %v", err)
	}
	store.set(nil, nil)
	close(release)
	if got := ask(t, h, "kim", deposit{Amount: 1}); got != 3 {
		t.Errorf("the next one sees %d before it", got-1)
	}
}

// TestHungStore stops a host whose database does not answer.
func TestHungStore(t *testing.T) {
	store, time := newMemory(), newClock()
	h := open(t, store, Config{Clock: time.now, IdleTimeout: -1})
	ask(t, h, "kim", deposit{Amount: 1})
	hung := make(chan struct{}, 10)
	store.set(func(ctx context.Context, method string) error {
		if method == "AppendGroup" || method == "LoadSnapshot" {
			hung <- struct{}{}
			<-ctx.Done()
		}
		return ctx.Err()
	}, nil)
	results := make(chan error, 2)
	for _, id := range []string{"kim", "lee"} {
		go func() {
			_, err := h.Ask(context.Background(), id, deposit{Amount: 1})
			results <- err
		}()
		<-hung
	}
	if h.Health() != nil {
		t.Errorf("at first the health is %v", h.Health())
	}
	if time.advance(2 * patience); h.Health() == nil {
		t.Error("the host calls itself well")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Stop(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a stop without patience: %v", err)
	}
	for range 2 {
		if err := <-results; !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrStopped) {
			t.Errorf("a command that hung: %v", err)
		}
	}
}
