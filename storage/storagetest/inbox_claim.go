package storagetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/inbox"
)

func nextIs(t *testing.T, what string, claim inbox.Claim, want ...int64) {
	t.Helper()
	if !slices.Equal(claim.Next, want) {
		t.Fatalf("%s: next offsets %v, want %v", what, claim.Next, want)
	}
}

func isFenced(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, inbox.ErrFenced) {
		t.Fatalf("%s: got %v, want ErrFenced", what, err)
	}
}

// try advances lane 0, or only checks, and returns the transaction's error.
func (c inboxCase[T]) try(t *testing.T, claim inbox.Claim, next int64) error {
	return c.db.Update(t.Context(), func(tx T) error { return tx.AdvanceInbox(t.Context(), claim, 0, next) })
}

func (c inboxCase[T]) firstClaim(t *testing.T) {
	claim := c.claim(t, 3)
	nextIs(t, "first claim", claim, -1, -1, -1)
	if claim.Consumer != "payment" || claim.Partition != partition(0) || claim.Epoch < 1 || claim.Replay != (inbox.Replay{}) {
		t.Fatalf("first claim: %+v", claim)
	}
	second := c.claim(t, 3)
	if second.Epoch <= claim.Epoch {
		t.Fatalf("epoch %d after %d", second.Epoch, claim.Epoch)
	}
	nextIs(t, "second claim", second, -1, -1, -1)
}

func (c inboxCase[T]) advance(t *testing.T) {
	claim := c.claim(t, 2)
	c.advanceTo(t, claim, 10)
	nextIs(t, "one lane moved", c.claim(t, 2), 10, -1)
	claim = c.claim(t, 2)
	c.advanceTo(t, claim, 11, 0)
	c.advanceTo(t, claim, 12, 7)
	must(t, c.try(t, claim, -1))
	nextIs(t, "both moved", c.claim(t, 2), 12, 7)
}

func (c inboxCase[T]) apart(t *testing.T) {
	ctx := t.Context()
	other := []inbox.Partition{partition(0), partition(1), partition(0), partition(0)}
	other[2].Cluster = "cluster-2"
	other[3].TopicID = "ffeeddccbbaa99887766554433221100"
	claims := make([]inbox.Claim, len(other))
	for i, p := range other {
		claim, err := c.db.Claim(ctx, "payment", p, 1)
		must(t, err)
		claims[i] = claim
	}
	stock, err := c.db.Claim(ctx, "stock", partition(0), 1)
	must(t, err)
	for i, claim := range append(claims, stock) {
		c.advanceTo(t, claim, int64(100+i))
	}
	for i, p := range other {
		claim, err := c.db.Claim(ctx, "payment", p, 1)
		must(t, err)
		nextIs(t, p.Cluster+p.TopicID, claim, int64(100+i))
	}
	must(t, c.try(t, stock, 200))
}

func (c inboxCase[T]) fences(t *testing.T) {
	old := c.claim(t, 1)
	c.advanceTo(t, old, 5)
	latest := c.claim(t, 1)
	isFenced(t, "checking", c.try(t, old, -1))
	isFenced(t, "advancing", c.try(t, old, 9))
	isFenced(t, "a transaction with effects", c.db.Update(t.Context(), func(tx T) error {
		if _, err := tx.MarkInbox(t.Context(), "payment", handled("a")); err != nil {
			return err
		}
		return tx.AdvanceInbox(t.Context(), old, 0, 9)
	}))
	c.unseenAre(t, "effects of a fenced transaction", "payment", handled("a"), true)
	must(t, c.try(t, latest, 6))
	nextIs(t, "after all", c.claim(t, 1), 6)
}

// inFlight: a transaction of the old claim is waited for, or fails, never both.
func (c inboxCase[T]) inFlight(t *testing.T) {
	old := c.claim(t, 1)
	c.advanceTo(t, old, 1)
	advanced, proceed, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		var once sync.Once
		ended <- c.db.Update(t.Context(), func(tx T) error {
			if err := tx.AdvanceInbox(t.Context(), old, 0, 2); err != nil {
				return err
			}
			once.Do(func() { close(advanced) })
			<-proceed
			return nil
		})
	}()
	receive(t, "the old claim's transaction", advanced)
	claimed := make(chan inbox.Claim, 1)
	go func() {
		claim, err := c.db.Claim(t.Context(), "payment", partition(0), 1)
		if err != nil {
			t.Error(err)
		}
		claimed <- claim
	}()
	var claim inbox.Claim
	early := false
	select {
	case claim = <-claimed:
		early = true
	case <-time.After(100 * time.Millisecond): // it has had its chance
	}
	close(proceed)
	err := receive(t, "the end of the old claim's transaction", ended)
	if !early {
		claim = receive(t, "the later claim", claimed)
	}
	switch {
	case err == nil && early:
		t.Fatal("the later claim did not wait for the transaction that committed after it")
	case err == nil:
		nextIs(t, "a claim that waited", claim, 2)
	default:
		nextIs(t, "a claim that fenced", claim, 1)
	}
	isFenced(t, "the old claim afterwards", c.try(t, old, 3))
}

// claimRace: many claim and advance; the offset never goes back and no two
// transactions advance from the same place.
func (c inboxCase[T]) claimRace(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c.advanceTo(t, c.claim(t, 1), 0)
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := map[int64]bool{}
	for range 4 {
		all.Go(func() {
			for range 15 {
				if next, err := c.claimAndAdvance(ctx); err == nil {
					mu.Lock()
					if taken[next] {
						t.Errorf("two claims advanced to %d", next)
					}
					taken[next] = true
					mu.Unlock()
				} else if !errors.Is(err, inbox.ErrFenced) && !c.db.Transient(err) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(taken) == 0 {
		t.Fatal("nobody advanced")
	}
	nextIs(t, "in the end", c.claim(t, 1), int64(len(taken)))
}

func (c inboxCase[T]) claimAndAdvance(ctx context.Context) (int64, error) {
	claim, err := c.db.Claim(ctx, "payment", partition(0), 1)
	if err != nil {
		return 0, err
	}
	next := claim.Next[0] + 1
	return next, c.db.Update(ctx, func(tx T) error { return tx.AdvanceInbox(ctx, claim, 0, next) })
}

func (c inboxCase[T]) lanes(t *testing.T) {
	nextIs(t, "first", c.claim(t, 2), -1, -1)
	nextIs(t, "more before anything was handled", c.claim(t, 3), -1, -1, -1)
	c.advanceTo(t, c.claim(t, 2), 8, 7)
	claim := c.claim(t, 4)
	nextIs(t, "uneven", claim, 8, 7)
	c.advanceTo(t, claim, 8, 8)
	claim = c.claim(t, 4)
	nextIs(t, "level", claim, 8, 8, 8, 8)
	c.advanceTo(t, claim, 9, 9, 9, 9)
	nextIs(t, "fewer", c.claim(t, 1), 9)
	isFenced(t, "a claim of the other number of lanes", c.try(t, claim, 10))
}
