package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/restore"
)

// standbys are the copies of stores that this process keeps for tasks that run elsewhere,
// and the restorer, which fills those of its own tasks, too.
type standbys struct {
	r        *Runtime
	restorer *restore.Restorer

	mu  sync.Mutex
	all map[plan.TaskID][]*restore.Job
	// coming is the one that is being added; -1_-1 is none.
	coming plan.TaskID

	sweeping sync.WaitGroup
}

var noTask = plan.TaskID{Sub: -1, Partition: -1}

func newStandbys(ctx context.Context, r *Runtime) (*standbys, error) {
	s := &standbys{r: r, all: map[plan.TaskID][]*restore.Job{}, coming: noTask}
	var err error
	s.restorer, err = restore.New(restore.Config{
		Kafka: r.cfg.Kafka, Group: r.cfg.group(), DB: r.db, FetchBytes: r.budget.restore,
		Clock: r.cfg.Clock, Logger: r.cfg.Logger, Metrics: r.cfg.Metrics, Application: r.cfg.ApplicationID,
	})
	if err != nil {
		return nil, err
	}
	s.sweeping.Go(func() { newSweeper(r).run(r.life) })
	return s, s.restorer.Start(ctx)
}

// claim takes a standby's jobs over for the task that begins here; none where there is none.
func (s *standbys) claim(id plan.TaskID) []*restore.Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	jobs := s.all[id]
	delete(s.all, id)
	s.r.meter.hide("standby " + name(id))
	return jobs
}

// activate has the stores of a task filled to the ends of their changelogs, and returns
// the jobs that do it. Those of a standby go on from where they are.
func (s *standbys) activate(o *owned, claimed []*restore.Job) ([]*restore.Job, error) {
	if len(claimed) == 0 {
		return s.add(o.id, o.sub, restore.Active)
	}
	for _, j := range claimed {
		j.Promote()
	}
	return claimed, nil
}

// ids of the tasks that are followed.
func (s *standbys) ids() []plan.TaskID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.all), compareTasks)
}

// add begins a job for each store of a task that has a changelog.
func (s *standbys) add(id plan.TaskID, sub *plan.Sub, mode restore.Mode) ([]*restore.Job, error) {
	var jobs []*restore.Job
	for _, c := range s.r.layout().changelogs(sub, id.Partition) {
		st := c.store
		space, err := s.r.db.Renew(id, st.Name, st.Persistent)
		var job *restore.Job
		if err == nil {
			job, err = s.restorer.Add(restore.Spec{Task: id, Store: st, Topic: c.topic, Partition: c.partition, Space: space, Mode: mode})
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("restore %s of task %s: %w", st.Name, name(id), err), s.remove(jobs))
		}
		jobs = append(jobs, job)
	}
	return jobs, nil
}

func (s *standbys) remove(jobs []*restore.Job) error {
	var failed []error
	for _, j := range jobs {
		_, _, err := j.Remove(s.r.life)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// assign keeps standbys of exactly these tasks. Spaces of the others stay on disk.
func (s *standbys) assign(ids []plan.TaskID) error {
	want := map[plan.TaskID]bool{}
	for _, id := range ids {
		want[id] = true
	}
	s.mu.Lock()
	var gone []*restore.Job
	for id, jobs := range s.all {
		if !want[id] {
			gone = append(gone, jobs...)
			delete(s.all, id)
			s.r.meter.hide("standby " + name(id))
		}
	}
	s.mu.Unlock()
	failed := []error{s.remove(gone)}
	for id := range want {
		s.mu.Lock()
		_, there := s.all[id]
		if !there {
			s.coming = id
		}
		s.mu.Unlock()
		if there {
			continue
		}
		jobs, err := s.add(id, s.r.layout().sub(id.Sub), restore.Standby)
		s.mu.Lock()
		s.coming = noTask
		if err == nil {
			s.all[id] = jobs
			s.r.showStandby(id, jobs)
		}
		s.mu.Unlock()
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// stores for queries.
func (s *standbys) stores(name string) (out []LocalStore) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, jobs := range s.all {
		for _, st := range s.r.layout().sub(id.Sub).Stores {
			space, err := s.r.db.Space(id, st.Name, st.Persistent)
			if st.Name != name || err != nil {
				continue
			}
			l := LocalStore{Task: id, Store: st, Space: space, Lag: -1}
			for _, j := range jobs {
				if p := j.Progress(); p.Store == name {
					l.Ready, l.Lag = p.Done, p.Lag()
				}
			}
			out = append(out, l)
		}
	}
	return out
}

// stop ends the restorer with all its jobs.
func (s *standbys) stop() {
	s.sweeping.Wait() // life has ended
	if err := s.restorer.Stop(context.Background()); err != nil {
		s.r.cfg.Logger.Warn("streams: the restorer did not stop well", "error", err)
	}
}
