package storagetest

import (
	"testing"

	"github.com/pabal-dev/pabal/inbox"
)

func (c inboxCase[T]) startReplay(t *testing.T, from int64) inbox.Replay {
	t.Helper()
	r, err := c.db.StartReplay(t.Context(), "payment", partition(0), from)
	must(t, err)
	return r
}

func (c inboxCase[T]) replay(t *testing.T) {
	claim := c.claim(t, 2)
	c.advanceTo(t, claim, 100, 90)
	r := c.startReplay(t, 40)
	if r.Generation < 1 || r.From != 40 || r.To != 100 {
		t.Fatalf("replay %+v, want [40, 100)", r)
	}
	isFenced(t, "the owner", c.try(t, claim, 101))
	claim = c.claim(t, 2)
	nextIs(t, "during the replay", claim, 40, 40)
	equal(t, "the claim's replay", claim.Replay, r)
	c.advanceTo(t, claim, 120, 120)
	equal(t, "the replay after it is done", c.claim(t, 2).Replay, r)
	second := c.startReplay(t, 110)
	if second.Generation <= r.Generation || second.From != 110 || second.To != 120 {
		t.Fatalf("second replay %+v, want [110, 120) after %+v", second, r)
	}
	claim = c.claim(t, 1) // level: the lanes may change, the replay stays
	nextIs(t, "during the second replay", claim, 110)
	equal(t, "the replay after the lanes changed", claim.Replay, second)
}

// replayTwice: nothing that the first replay had still to do is left out.
func (c inboxCase[T]) replayTwice(t *testing.T) {
	c.advanceTo(t, c.claim(t, 2), 100, 100)
	first := c.startReplay(t, 10)
	c.advanceTo(t, c.claim(t, 2), 30, 60)
	second := c.startReplay(t, 50)
	claim := c.claim(t, 2)
	nextIs(t, "lanes", claim, 30, 50)
	if second.Generation <= first.Generation || second.From > 30 || second.To != 100 {
		t.Fatalf("second replay %+v, want it to cover [30, 100)", second)
	}
	c.advanceTo(t, claim, 70, 70)
	third := c.startReplay(t, 5)
	if third.From != 5 || third.To != 100 {
		t.Fatalf("third replay %+v, want [5, 100)", third)
	}
	nextIs(t, "lanes", c.claim(t, 2), 5, 5)
}

func (c inboxCase[T]) replayWaiting(t *testing.T) {
	claim := c.claim(t, 1)
	c.advanceTo(t, claim, 100)
	c.put(t, claim, inbox.Waiting{Offset: 39, Key: "k", Size: 1}, inbox.Waiting{Offset: 40, Key: "k", Size: 1},
		inbox.Waiting{Offset: 80, Key: "p", Attempts: 5, Parked: true, Size: 1})
	c.startReplay(t, 40)
	c.offsetsAre(t, "what waits", c.claim(t, 1), 39)
}

func (c inboxCase[T]) replayNothing(t *testing.T) {
	if r, err := c.db.StartReplay(t.Context(), "payment", partition(7), 0); err == nil {
		t.Fatalf("a partition that was never claimed was replayed: %+v", r)
	}
	claim := c.claim(t, 1)
	c.advanceTo(t, claim, 10)
	if r, err := c.db.StartReplay(t.Context(), "payment", partition(0), -1); err == nil {
		t.Fatalf("replay from -1: %+v", r)
	}
	must(t, c.try(t, claim, -1))
	nextIs(t, "after refused replays", c.claim(t, 1), 10)
}
