package projection

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
)

// Swap keeps trying for so long. After half a second the live view is held, so
// that the rebuilt one can reach it under load.
const (
	swapTimeout  = 30 * time.Second
	swapHold     = 500 * time.Millisecond
	swapInterval = 50 * time.Millisecond
)

// Swap makes the rebuilt view the live one, in one transaction with the offsets.
// While the rebuilt one is behind, it waits, for 30 s at most; its error is ErrBehind
// where that lasts too long. The live view stops for a moment where events come all
// the time.
func (p *Projection[T]) Swap(ctx context.Context) error {
	r := p.runner
	if err := r.needRebuild(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, swapTimeout)
	defer cancel()
	s := swap{runner: r, worker: "swap@" + event.NewID(), began: time.Now()}
	defer s.letGo(ctx)
	if err := s.run(ctx); err != nil {
		return fmt.Errorf("swap %s: %w", r.cfg.Name, err)
	}
	r.again.raise()
	return nil
}

// swap holds the live view as a worker of the rebuild, the only kind there is: so
// the hold ends with the transaction that swaps, or soon after its process.
type swap struct {
	*runner
	worker      string
	began, beat time.Time
	// unsure says that a try may have been committed, though it failed.
	unsure bool
}

func (s *swap) run(ctx context.Context) error {
	for {
		err := s.tables.SwapTables(ctx, s.cfg.Tables, rebuildSuffix, s.cfg.Name, rebuildName(s.cfg.Name))
		if err == nil {
			return nil
		}
		s.unsure = s.unsure || !errors.Is(err, ErrBehind)
		there, unseen := s.there(ctx)
		switch {
		case unseen == nil && !there && s.unsure:
			return nil // its offsets are the live one's
		case unseen == nil && !there:
			return ErrNoRebuild
		case !errors.Is(err, ErrBehind) && !s.store.Transient(err):
			return err
		}
		if time.Since(s.began) > swapHold {
			s.hold(ctx)
		}
		if sleep(ctx, swapInterval, nil); ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

// there says whether the rebuild is still there, also where ctx has just ended.
func (s *swap) there(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTimeout)
	defer cancel()
	stored, err := s.theRebuild(ctx)
	return len(stored.Ranges) > 0, err
}

// hold keeps the live view's workers from handling events, see runner.look.
func (s *swap) hold(ctx context.Context) {
	first := s.beat.IsZero()
	if !first && time.Since(s.beat) < s.cfg.BeatInterval {
		return
	}
	s.beat = time.Now()
	_, err := s.store.Beat(ctx, rebuildName(s.cfg.Name), s.worker, ttlBeats*s.cfg.BeatInterval)
	if err != nil && ctx.Err() == nil {
		s.log.Warn("a swap could not hold the live view; it is tried again", "error", err)
	}
	if first {
		s.lookNow()
	}
}

// letGo lets the live view go on at once.
func (s *swap) letGo(ctx context.Context) {
	defer s.lookNow()
	if s.beat.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTimeout)
	defer cancel()
	if _, err := s.store.Beat(ctx, rebuildName(s.cfg.Name), s.worker, 0); err != nil {
		s.log.Warn("a swap could not let the live view go; it goes on when the swap's time has run out", "error", err)
	}
}
