package run

import (
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/streams/internal/local"
)

// Health is what does not work at the moment, nil where all does.
func (r *Runtime) Health() error {
	select {
	case <-r.stopped:
		return nil
	default:
	}
	if !r.isReady() {
		return r.problems.Err()
	}
	return errors.Join(r.problems.Err(), r.db.Err(), r.standbys.trouble(), r.memoryTrouble())
}

// memoryTrouble: stores in memory are the one thing that cannot be made smaller.
func (r *Runtime) memoryTrouble() error {
	if n := r.db.InMemory(); n > r.budget.stores {
		return fmt.Errorf("the stores in memory take %d MiB; of MemoryBytes (%d MiB) they and what is not committed have %d MiB: give it more, or keep them on disk",
			n>>20, r.cfg.MemoryBytes>>20, r.budget.stores>>20)
	}
	return nil
}

// trouble is what keeps a store from being restored. Many have the same, so one is named.
func (s *standbys) trouble() error {
	for _, p := range s.restorer.Progress() {
		if p.Problem != nil {
			return fmt.Errorf("restoring store %s of task %s: %w", p.Store, name(p.Task), p.Problem)
		}
	}
	return nil
}

// storesStopped ends the process's part: the database refuses everything until it is opened
// anew, which the next start does.
func (r *Runtime) storesStopped(why error) {
	go r.fatal(why)
}

// whyStores says so where stores that stopped are why a task failed: it may see that before they tell.
func (r *Runtime) whyStores(err error) error {
	if err == nil || r.db == nil {
		return err
	}
	why := r.db.Err()
	if why == nil || errors.Is(why, local.ErrFull) || errors.Is(why, local.ErrCorrupt) { // which pass
		return err
	}
	return fmt.Errorf("the stores on disk stopped, start the application again: %w", err)
}
