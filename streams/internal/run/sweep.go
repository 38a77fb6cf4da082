package run

import (
	"context"
	"errors"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// sweeper drops what the stores of tasks have left here that run elsewhere, once they are away
// for Config.CleanupDelay. Who comes back before reads only what is new.
type sweeper struct {
	r *Runtime
	// away since when, by Config.Clock.
	away map[plan.TaskID]time.Time
}

func newSweeper(r *Runtime) *sweeper {
	return &sweeper{r: r, away: map[plan.TaskID]time.Time{}}
}

// Bounds of how often it is looked.
const (
	oftenSwept  = 100 * time.Millisecond
	seldomSwept = time.Minute
)

const whatSweeps = "dropping stores of tasks that run elsewhere"

func (s *sweeper) run(ctx context.Context) {
	tick := time.NewTicker(min(max(s.r.cfg.CleanupDelay/4, oftenSwept), seldomSwept))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.sweep(); err != nil && ctx.Err() == nil {
			s.r.problems.Announce(whatSweeps, err, problemLasts)
		}
	}
}

// sweep looks once. Who is not in the group does not know which tasks are elsewhere.
func (s *sweeper) sweep() error {
	if !s.r.isMember() {
		clear(s.away)
		return nil
	}
	kept, err := s.r.db.Tasks()
	failed := []error{err}
	dropped := 0
	now := s.r.cfg.Clock()
	before := s.away
	s.away = map[plan.TaskID]time.Time{}
	for _, id := range kept {
		if id.Partition < 0 || s.r.tasks.uses(id) { // global stores are everywhere
			continue
		}
		since, ok := before[id]
		if !ok {
			since = now
		}
		s.away[id] = since
		if now.Sub(since) < s.r.cfg.CleanupDelay || s.r.State() != Running {
			continue
		}
		done, err := s.r.tasks.dropUnused(id)
		failed = append(failed, err)
		if done {
			dropped++
			delete(s.away, id)
			s.r.cfg.Logger.Info("streams: the stores of a task that runs elsewhere are dropped", "task", name(id), "away", now.Sub(since))
		}
	}
	if dropped > 0 {
		failed = append(failed, s.r.db.Flush()) // which frees the disk
	}
	return errors.Join(failed...)
}

// isMember: everything is made, and the group has given this process its part.
func (r *Runtime) isMember() bool {
	return r.isReady() && r.assignments.hold()
}

// uses says whether the stores of a task are used here, or about to be.
func (ts *tasks) uses(id plan.TaskID) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.runsOrEnds(id) || ts.r.standbys.uses(id)
}

// dropUnused drops the spaces of a task, unless somebody uses them; nobody begins to meanwhile.
func (ts *tasks) dropUnused(id plan.TaskID) (bool, error) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	s := ts.r.standbys
	s.mu.Lock()
	defer s.mu.Unlock()
	if ts.closing || ts.runsOrEnds(id) || s.follows(id) {
		return false, nil
	}
	err := ts.r.db.Drop(id)
	return err == nil, err
}

// runsOrEnds with mu held.
func (ts *tasks) runsOrEnds(id plan.TaskID) bool {
	if ts.all[id] != nil {
		return true
	}
	var left []*owned
	found := false
	for _, o := range ts.ending {
		if isClosed(o.prepared) && isClosed(o.closed) {
			continue
		}
		left = append(left, o)
		found = found || o.id == id
	}
	ts.ending = left
	return found
}

func (s *standbys) uses(id plan.TaskID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.follows(id)
}

// follows with mu held.
func (s *standbys) follows(id plan.TaskID) bool {
	return s.all[id] != nil || s.coming == id || s.restorer.Fills(id)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
