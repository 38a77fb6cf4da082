package outbox

import (
	"context"
	"fmt"
)

// settlement is what the database is told after a Kafka transaction, or after
// a refusal.
type settlement struct {
	published []int64
	dead      []int64
	replay    int64
	receipt   []byte
	refusals  []Refusal
}

func (s settlement) mergeable() bool { return s.dead == nil && s.refusals == nil }

// maxUnsettled is how many may be on their way; what the log knows beyond the
// database's receipt is bounded by it.
const maxUnsettled = 4

// settler tells the database in order, while the next batch is published.
type settler struct {
	store Store
	lease Lease
	keep  bool

	todo chan settlement
	done chan int      // how many were settled
	gone chan struct{} // closed when run has returned
	err  error         // why, to be read after gone
}

func newSettler(store Store, lease Lease, keep bool) *settler {
	return &settler{
		store: store, lease: lease, keep: keep, gone: make(chan struct{}),
		todo: make(chan settlement, maxUnsettled), done: make(chan int, maxUnsettled),
	}
}

// run ends after the first error, or when todo is closed and empty.
func (s *settler) run(ctx context.Context) {
	defer close(s.gone)
	next, more := <-s.todo
	for more {
		n := 1
		var after settlement
		after, more = settlement{}, false
		for next.mergeable() {
			select {
			case after, more = <-s.todo:
			default:
			}
			if !more || !after.mergeable() {
				break
			}
			next.published, next.receipt = append(next.published, after.published...), after.receipt
			n++
			more = false
		}
		if s.err = s.settle(ctx, next); s.err != nil {
			return
		}
		s.done <- n
		if !more {
			after, more = <-s.todo
		}
		next = after
	}
}

func (s *settler) settle(ctx context.Context, x settlement) error {
	switch {
	case x.refusals != nil:
		if err := s.store.Refuse(ctx, s.lease, x.refusals); err != nil {
			return fmt.Errorf("recording a refusal: %w", err)
		}
	case x.dead != nil:
		if err := s.store.Fail(ctx, s.lease, x.dead, x.replay, x.receipt); err != nil {
			return fmt.Errorf("marking rows FAILED: %w", err)
		}
	default:
		if err := s.store.Complete(ctx, s.lease, x.published, x.receipt, s.keep); err != nil {
			return fmt.Errorf("removing published rows: %w", err)
		}
	}
	return nil
}
