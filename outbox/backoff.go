package outbox

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff says how long to wait after the n-th failure: Min, doubled each
// time up to Max, and of that a random part between half and all, so that many
// do not come back at once.
type Backoff struct {
	// Min and Max; zero takes the default named where the Backoff is used.
	Min, Max time.Duration
}

// After is the wait after the n-th failure, the first being 1.
func (b Backoff) After(n int) time.Duration {
	wait := b.Min
	for i := 1; i < n && wait < b.Max; i++ {
		wait *= 2
	}
	wait = min(wait, b.Max)
	return wait/2 + rand.N(wait/2+1)
}

func (b Backoff) orDefault(least, most time.Duration) Backoff {
	if b.Min <= 0 {
		b.Min = least
	}
	if b.Max <= 0 {
		b.Max = most
	}
	b.Max = max(b.Max, b.Min)
	return b
}

// pause waits, and says whether it was not cut short.
func pause(ctx context.Context, d time.Duration, stop <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-stop:
	}
	return false
}
