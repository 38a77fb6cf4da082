package projection

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// manage tells the slots which slices are theirs, for as long as the projection
// runs.
func (r *runner) manage(ctx, hard context.Context) {
	const looking = "telling the other workers"
	for failures := 0; ctx.Err() == nil; {
		sleep(ctx, r.cfg.BeatInterval, r.poke)
		if ctx.Err() != nil {
			return
		}
		// A beat is not cut short by the end: the database might do it after the goodbye.
		beat, cancel := context.WithTimeout(hard, ttlBeats*r.cfg.BeatInterval+goodbyeTimeout)
		err := r.look(beat)
		cancel()
		if err != nil {
			if ctx.Err() == nil {
				failures++
				r.counts.repeated.Add(1)
				r.health.Report(looking, err)
			}
			continue
		}
		if failures > 0 {
			failures = 0
			r.health.Solve(looking)
		}
	}
}

// ttlBeats is how many beats may be missing before a worker counts as gone.
const ttlBeats = 5

// look says that the workers are alive, and gives each its slices.
func (r *runner) look(ctx context.Context) error {
	var alive []string
	for _, s := range r.slots {
		var err error
		if alive, err = r.store.Beat(ctx, r.cfg.Name, s.worker, ttlBeats*r.cfg.BeatInterval); err != nil {
			return err
		}
	}
	rebuild := false
	if len(r.cfg.Tables) > 0 {
		stored, err := r.theRebuild(ctx)
		if err != nil {
			return fmt.Errorf("look for a rebuild: %w", err)
		}
		rebuild = stored.prepared()
		r.setHeld(len(stored.Workers) > 0) // those are swaps
	}
	for n, s := range r.slots {
		slices, ok := r.sliceOf(n, alive)
		s.aim(slices, ok)
		if len(r.rebuilds) > 0 {
			r.rebuilds[n].aim(slices, ok && rebuild)
		}
	}
	return nil
}

func (r *runner) sliceOf(n int, alive []string) (journal.SliceRange, bool) {
	if len(r.cfg.Slices) > 0 {
		return r.cfg.Slices[n], true
	}
	return share(alive, r.slots[n].worker)
}

// lookNow asks the manager not to wait for the next beat.
func (r *runner) lookNow() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// goodbye lets the others have the slices at once.
func (r *runner) goodbye(hard context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(hard), goodbyeTimeout)
	defer cancel()
	for _, s := range r.slots {
		if _, err := r.store.Beat(ctx, r.cfg.Name, s.worker, 0); err != nil {
			r.log.Warn("a worker could not say goodbye; its slices move when its time has run out", "error", err)
			return
		}
	}
}

// Pause keeps the projection from handling events, in every process, until Resume.
// Transactions under way are finished.
func (p *Projection[T]) Pause(ctx context.Context) error { return p.runner.setPaused(ctx, true) }

// Resume ends a pause, and lets slice ranges that stopped try again at once.
func (p *Projection[T]) Resume(ctx context.Context) error { return p.runner.setPaused(ctx, false) }

// Reset lets all events after the cursor be handled again; nil is from the
// beginning. The view is the caller's to empty.
func (p *Projection[T]) Reset(ctx context.Context, after journal.Cursor) error {
	r := p.runner
	if err := r.store.Reset(ctx, r.cfg.Name, after); err != nil {
		return fmt.Errorf("reset projection %s: %w", r.cfg.Name, err)
	}
	r.again.raise()
	return nil
}

func (r *runner) setPaused(ctx context.Context, paused bool) error {
	if err := r.store.SetPaused(ctx, r.cfg.Name, paused); err != nil {
		return fmt.Errorf("pause projection %s: %w", r.cfg.Name, err)
	}
	r.paused.raise()
	if !paused {
		r.again.raise()
	}
	return nil
}

// setHeld notes whether a swap holds the live view.
func (r *runner) setHeld(held bool) {
	if r.held.Swap(held) != held {
		r.paused.raise()
	}
}

// pauseInterval is how old the knowledge may be that a projection is not paused.
func (r *runner) pauseInterval() time.Duration { return min(time.Second, r.cfg.BeatInterval) }

// pauses knows whether a claim is paused, asking at most every pauseInterval and
// whenever somebody of this process changed it, or held by a swap.
type pauses struct {
	*runner
	claim   Claim
	paused  bool
	seen    int64 // of the signal
	checked time.Time
}

func (p *pauses) now(ctx context.Context) bool {
	if p.held.Load() && p.claim.Projection == p.cfg.Name {
		return true
	}
	_, count := p.runner.paused.wait()
	if count == p.seen && time.Since(p.checked) < p.pauseInterval() {
		return p.paused
	}
	paused, err := p.store.Paused(ctx, p.claim.Projection, p.claim.Slices)
	if err != nil {
		return p.paused // as long as the database is away nothing is handled anyhow
	}
	p.paused, p.seen, p.checked = paused, count, time.Now()
	return paused
}
