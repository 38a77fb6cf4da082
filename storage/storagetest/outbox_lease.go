package storagetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/outbox"
)

func (c outboxCase[T]) acquire(t *testing.T, holder string, ttl time.Duration, want bool) outbox.Lease {
	t.Helper()
	lease, ok, err := c.db.AcquireLease(t.Context(), holder, ttl)
	must(t, err)
	equal(t, holder+" acquires", ok, want)
	if ok && lease.Holder != holder {
		t.Fatalf("lease of %s: %+v", holder, lease)
	}
	return lease
}

func (c outboxCase[T]) leaseHandOver(t *testing.T) {
	a := c.acquire(t, "a", time.Hour, true)
	c.acquire(t, "b", time.Hour, false)
	again := c.acquire(t, "a", time.Hour, true)
	if again.Token <= a.Token {
		t.Fatalf("acquired again: token %d after %d", again.Token, a.Token)
	}
	isLeaseLost(t, "extending the first acquisition", c.db.ExtendLease(t.Context(), a, time.Hour))
	must(t, c.db.ReleaseLease(t.Context(), a)) // gone already: no error, and it leaves the other alone
	c.acquire(t, "b", time.Hour, false)
	must(t, c.db.ExtendLease(t.Context(), again, time.Hour))
	must(t, c.db.ReleaseLease(t.Context(), again))
	isLeaseLost(t, "extending", c.db.ExtendLease(t.Context(), again, time.Hour))
	b := c.acquire(t, "b", time.Hour, true)
	if b.Token <= again.Token {
		t.Fatalf("handed over: token %d after %d", b.Token, again.Token)
	}
	must(t, c.db.ReleaseLease(t.Context(), again))
	must(t, c.db.ExtendLease(t.Context(), b, time.Hour))
}

func (c outboxCase[T]) leaseRunsOut(t *testing.T) {
	a := c.acquire(t, "a", time.Hour, true)
	c.acquire(t, "b", time.Hour, false)
	must(t, c.db.ExtendLease(t.Context(), a, 50*time.Millisecond))
	var b outbox.Lease
	eventually(t, "the lease of a runs out", func() bool {
		lease, ok, err := c.db.AcquireLease(t.Context(), "b", time.Hour)
		must(t, err)
		b = lease
		return ok
	})
	isLeaseLost(t, "extending", c.db.ExtendLease(t.Context(), a, time.Hour))
	must(t, c.db.ExtendLease(t.Context(), b, time.Hour))
}

func (c outboxCase[T]) leaseRace(t *testing.T) {
	var all sync.WaitGroup
	won := make(chan outbox.Lease, 8)
	for i := range 8 {
		all.Go(func() {
			lease, ok, err := c.db.AcquireLease(t.Context(), fmt.Sprint("holder-", i), time.Hour)
			if err != nil {
				t.Error(err)
			}
			if ok {
				won <- lease
			}
		})
	}
	all.Wait()
	equal(t, "holders of the lease", len(won), 1)
	must(t, c.db.ExtendLease(t.Context(), <-won, time.Hour))
}

func (c outboxCase[T]) leaseFences(t *testing.T) {
	ids := c.fill(t, 3)
	old := c.acquire(t, "a", time.Hour, true)
	must(t, c.db.ReleaseLease(t.Context(), old))
	c.fenced(t, "after its release", old, ids)
	c.acquire(t, "b", time.Hour, true)
	c.fenced(t, "after the hand-over", old, ids)
}

// fenced tries every write of the relay with a lease that is gone.
func (c outboxCase[T]) fenced(t *testing.T, when string, old outbox.Lease, ids []int64) {
	t.Helper()
	for what, write := range map[string]func(context.Context) error{
		"Bind":   func(ctx context.Context) error { return c.db.Bind(ctx, old, "s", "c") },
		"Extend": func(ctx context.Context) error { return c.db.ExtendLease(ctx, old, time.Hour) },
		"Complete": func(ctx context.Context) error {
			return c.db.Complete(ctx, old, ids, []byte("p"), true)
		},
		"Complete without ids": func(ctx context.Context) error { return c.db.Complete(ctx, old, nil, []byte("p"), false) },
		"Refuse": func(ctx context.Context) error {
			return c.db.Refuse(ctx, old, []outbox.Refusal{{ID: ids[0], Attempts: 1, Next: time.Now(), Reason: "r"}})
		},
		"Fail": func(ctx context.Context) error { return c.db.Fail(ctx, old, ids, 0, []byte("p")) },
	} {
		isLeaseLost(t, what+" "+when, write(t.Context()))
	}
	idsAre(t, "pending "+when, c.pending(t), ids...)
	c.backlogIs(t, int64(len(ids)), 0, 0)
	c.positionIs(t, nil)
	id, err := c.db.Identity(t.Context())
	must(t, err)
	equal(t, "bound cluster "+when, id.BoundCluster, "")
}
