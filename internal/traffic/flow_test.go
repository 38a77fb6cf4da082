package traffic

import (
	"context"
	"sync/atomic"
	"testing"
)

// TestFlowHoldsWhileFull: nothing is begun beyond the bound, and what is freed lets the
// next one begin.
func TestFlowHoldsWhileFull(t *testing.T) {
	const bound, pieces = 3, 60
	var open, most, next atomic.Int64
	freed, stop := make(chan struct{}, 1), make(chan struct{})
	Flow[int64]{
		Rate: 1_000_000, Workers: 10, Freed: freed,
		Counts: func(int64) bool { return true },
		Full:   func() bool { return open.Load() >= bound },
		Next:   func() int64 { open.Add(1); return next.Add(1) },
		Do: func(_ context.Context, n int64) {
			for {
				was := most.Load()
				if now := open.Load(); now <= was || most.CompareAndSwap(was, now) {
					break
				}
			}
			if n == pieces {
				close(stop)
			}
			open.Add(-1)
			select {
			case freed <- struct{}{}:
			default:
			}
		},
	}.Run(t.Context(), stop)
	if most.Load() > bound || next.Load() < pieces || open.Load() > 1 {
		t.Errorf("%d at a time, bound %d; %d begun, %d still open", most.Load(), bound, next.Load(), open.Load())
	}
}

// TestFlowEndsWithItsContext although nobody takes the work.
func TestFlowEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	Flow[int]{
		Rate: 1_000_000, Workers: 1,
		Counts: func(int) bool { return true }, Full: func() bool { return false }, Next: func() int { return 1 },
		Do: func(ctx context.Context, _ int) { cancel(); <-ctx.Done() },
	}.Run(ctx, nil)
}
