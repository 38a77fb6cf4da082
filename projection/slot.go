package projection

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// slot is a worker: it handles the slices the manager gives it, one claim after
// the other.
type slot struct {
	*runner
	worker     string
	projection string // the live one's name, or the rebuild's
	suffix     string // of the tables

	mu      sync.Mutex
	target  *journal.SliceRange
	changed chan struct{} // closed when target changes
	view    view

	failures int // since something was committed
}

func newSlot(r *runner, worker, projection, suffix string) *slot {
	return &slot{runner: r, worker: worker, projection: projection, suffix: suffix, changed: make(chan struct{})}
}

// aim gives the slot its slices, or none.
func (s *slot) aim(slices journal.SliceRange, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if some && s.target != nil && *s.target == slices || !some && s.target == nil {
		return
	}
	s.target = nil
	if some {
		s.target = &slices
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

func (s *slot) aimed() (*journal.SliceRange, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.target, s.changed
}

func (s *slot) run(soft, hard context.Context) {
	for soft.Err() == nil {
		target, changed := s.aimed()
		if target == nil {
			s.show(func(v *view) { *v = view{} })
			await(soft, changed)
			continue
		}
		again, _ := s.again.wait()
		err := s.hold(soft, hard, *target, changed)
		s.ended(soft, *target, err, changed, again)
	}
}

// hold has the slices until they are taken, given to others, or fail.
func (s *slot) hold(soft, hard context.Context, slices journal.SliceRange, changed <-chan struct{}) error {
	ctx, cancel := context.WithCancel(soft)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		await(ctx, changed)
		cancel()
	})
	s.show(func(v *view) {
		*v = view{state: StateClaiming, slices: slices, latest: v.latest, caughtUpAt: v.caughtUpAt}
	})
	begin := s.cfg.Start
	if s.suffix != "" {
		begin = OnlyKnown // it may be over by now
	}
	claim, err := s.store.ClaimSlices(hard, s.projection, s.cfg.source(), slices, begin)
	if err != nil {
		return fmt.Errorf("claim slices %s: %w", slices, err)
	}
	offsets, err := s.store.Offsets(hard, claim, maxRemembered)
	if err != nil {
		return fmt.Errorf("load offsets of slices %s: %w", slices, err)
	}
	return newTenure(s, claim, offsets).run(ctx, hard)
}

// Reclaiming after somebody else had the slices: two workers may disagree for a
// moment whose they are.
var fencedBackoff = outbox.Backoff{Min: 20 * time.Millisecond, Max: time.Second}

// ended waits after a claim ended before the next is made.
func (s *slot) ended(soft context.Context, slices journal.SliceRange, err error, changed, again <-chan struct{}) {
	var stuck *EventError
	problem := s.problem(slices)
	wait := time.Duration(0)
	switch {
	case soft.Err() != nil || isClosed(changed):
	case errors.Is(err, ErrUnknown): // a rebuild that is over
		wait = s.cfg.BeatInterval
		s.lookNow()
	case errors.Is(err, errDrained):
	case errors.Is(err, ErrFenced):
		s.failures++
		s.counts.fenced.Add(1)
		s.lookNow()
		wait = fencedBackoff.After(s.failures)
	case errors.As(err, &stuck):
		s.health.Report(problem, err)
		s.show(func(v *view) { v.state, v.problem = StateStopped, err.Error() })
		wait = s.cfg.Restart
	default:
		s.failures++
		s.counts.repeated.Add(1)
		s.health.Report(problem, err)
		s.show(func(v *view) { v.problem = err.Error() })
		wait = s.cfg.Backoff.After(s.failures)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-again:
	case <-changed:
	case <-soft.Done():
	}
	if soft.Err() != nil || isClosed(changed) {
		s.health.Forget(problem, s.reading(slices))
	}
}

// progressed says that the claim works.
func (s *slot) progressed(slices journal.SliceRange) {
	s.failures = 0
	s.health.Solve(s.problem(slices))
	s.show(func(v *view) { v.problem = "" })
}

func (s *slot) problem(slices journal.SliceRange) string {
	if s.suffix != "" {
		return fmt.Sprintf("rebuilding slices %s", slices)
	}
	return fmt.Sprintf("slices %s", slices)
}

func (s *slot) reading(slices journal.SliceRange) string { return "reading for " + s.problem(slices) }

func (s *slot) show(change func(*view)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.view)
}

func (s *slot) seen() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.view
}

func await(ctx context.Context, ch <-chan struct{}) {
	select {
	case <-ch:
	case <-ctx.Done():
	}
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
