package storagetest

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// wakeups: whoever looks after each wake-up sees every row, without polling.
func (c outboxCase[T]) wakeups(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	wake, done := c.db.Wakeups(ctx)
	const writers, each = 4, 25
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for i := range each {
				err := c.db.Update(ctx, func(tx T) error { return outbox.Enqueue(ctx, tx, event.New("t", "k", i)) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	woken := 0
	for len(c.pending(t)) < writers*each {
		receive(t, "a wake-up while rows are missing", wake)
		woken++
	}
	all.Wait()
	if woken > writers*each {
		t.Fatalf("%d wake-ups for %d commits", woken, writers*each)
	}
	cancel()
	receive(t, "the end of the wake-ups", done)
	// The next listener hears of what comes after it began.
	wake, done = c.listen(t)
	c.fill(t, 1)
	receive(t, "a wake-up for the second listener", wake)
	_ = done
}

func (c outboxCase[T]) listen(t *testing.T) (wake, done <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	wake, done = c.db.Wakeups(ctx)
	t.Cleanup(func() {
		cancel()
		receive(t, "the end of the wake-ups", done)
	})
	return wake, done
}

func (c outboxCase[T]) wakeupsEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, done := c.db.Wakeups(ctx)
	select {
	case <-done:
		t.Fatal("ended before its context")
	default:
	}
	cancel()
	receive(t, "the end of the wake-ups", done)
	c.fill(t, 1)
}

func (c outboxCase[T]) quietHorizon(t *testing.T) {
	h, err := c.db.Horizon(t.Context())
	must(t, err)
	if h.LastID != 0 || len(h.Writers) != 0 {
		t.Fatalf("before the first id: %+v", h)
	}
	ids := c.fill(t, 3)
	must(t, c.db.Complete(t.Context(), c.lease(t), ids, nil, false))
	h, err = c.db.Horizon(t.Context())
	must(t, err)
	if h.LastID < ids[2] || len(h.Writers) != 0 || !h.Settles(h) {
		t.Fatalf("of an emptied outbox whose last id was %d: %+v", ids[2], h)
	}
}

// horizon: no row ever appears at or below an id that was declared final, while
// writers wait and roll back at random.
func (c outboxCase[T]) horizon(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	ctx := t.Context()
	const writers, each = 8, 60
	var all sync.WaitGroup
	var stored atomic.Int64
	for w := range writers {
		random := rand.New(rand.NewPCG(seed, uint64(w)))
		all.Go(func() {
			for range each {
				n, err := c.slowWrite(ctx, random)
				if err != nil {
					t.Error(err)
				}
				stored.Add(n)
			}
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()
	marks := c.watchHorizon(t, finished)
	equal(t, "rows in the end", int64(len(c.pending(t))), stored.Load())
	t.Logf("%d marks, %d rows", marks, stored.Load())
	if marks < 5 {
		t.Fatalf("the horizon settled only %d times", marks)
	}
}

var errRollback = errors.New("rolled back on purpose")

// slowWrite enqueues some rows in one transaction with pauses, and says how many
// are there afterwards.
func (c outboxCase[T]) slowWrite(ctx context.Context, random *rand.Rand) (int64, error) {
	rows := int64(0)
	pause := func() {
		if random.IntN(3) == 0 {
			time.Sleep(time.Duration(random.IntN(2000)) * time.Microsecond) // part of the load, no wait for a state
		}
	}
	err := c.db.Update(ctx, func(tx T) error {
		pause()
		for range random.IntN(3) + 1 {
			if err := outbox.Enqueue(ctx, tx, event.New("t", "k", 1)); err != nil {
				return err
			}
			rows++
			pause()
		}
		if random.IntN(4) == 0 {
			return errRollback
		}
		return nil
	})
	if errors.Is(err, errRollback) {
		return 0, nil
	}
	return rows, err
}

// watchHorizon finds marks as a relay does, until the writers have finished,
// and checks every row against them.
func (c outboxCase[T]) watchHorizon(t *testing.T, finished <-chan struct{}) (marks int) {
	t.Helper()
	final, known := int64(0), map[int64]bool{}
	earlier, err := c.db.Horizon(t.Context())
	must(t, err)
	for last := false; ; {
		h, err := c.db.Horizon(t.Context())
		must(t, err)
		settled := h.Settles(earlier)
		for _, id := range idsOf(c.pending(t)) {
			if id <= final && !known[id] {
				t.Fatalf("row %d appeared, %d was final", id, final)
			}
			if settled && id <= earlier.LastID {
				known[id] = true
			}
		}
		if settled {
			if earlier.LastID > final {
				marks++
			}
			final, earlier = max(final, earlier.LastID), h
		}
		if last {
			return marks
		}
		select {
		case <-finished:
			last = true
		default:
		}
	}
}
