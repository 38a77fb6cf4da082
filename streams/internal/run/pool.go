package run

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// Errors of changing the number of workers.
var (
	ErrNotRunning = errors.New("streams: the App does not run")
	ErrLastWorker = errors.New("streams: the last worker stays; use Pause or Stop")
)

// AddWorker begins one more, which takes tasks over from the others, and returns how many there
// are.
func (r *Runtime) AddWorker(ctx context.Context) (int, error) {
	return r.resize(ctx, (*tasks).grow)
}

// RemoveWorker hands the tasks of one to the others, and ends it.
func (r *Runtime) RemoveWorker(ctx context.Context) (int, error) {
	return r.resize(ctx, (*tasks).shrink)
}

// resize makes one change at a time. One that was begun is finished, also when ctx ends.
func (r *Runtime) resize(ctx context.Context, change func(*tasks) error) (int, error) {
	if !r.isReady() {
		return 0, ErrNotRunning
	}
	ts := r.tasks
	select {
	case ts.resizing <- struct{}{}:
	case <-ctx.Done():
		return len(ts.pool()), ctx.Err()
	}
	done := make(chan error, 1)
	if !ts.run(func() { done <- change(ts); <-ts.resizing }) {
		<-ts.resizing
		return 0, ErrNotRunning
	}
	select {
	case err := <-done:
		return len(ts.pool()), err
	case <-ctx.Done():
		return len(ts.pool()), ctx.Err()
	}
}

// run has f done in a goroutine, unless nothing is to begin any more.
func (ts *tasks) run(f func()) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closing {
		return false
	}
	ts.wg.Go(f)
	return true
}

// hire begins a worker with the first number that is free; false where nothing is to begin
// any more.
func (ts *tasks) hire() bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closing {
		return false
	}
	number := 0
	for slices.ContainsFunc(ts.workers, func(w *worker) bool { return w.number == number }) {
		number++
	}
	w := newWorker(ts.r, number)
	ctx, cancel := context.WithCancel(ts.r.life)
	w.dismiss = cancel
	ts.setPool(append(slices.Clone(ts.workers), w))
	ts.r.working.Go(func() {
		defer close(w.ended)
		w.run(ctx)
	})
	return true
}

func (ts *tasks) grow() error {
	if !ts.hire() {
		return ErrNotRunning
	}
	return ts.spread(nil)
}

func (ts *tasks) shrink() error {
	ts.mu.Lock()
	last := len(ts.workers) - 1
	if last == 0 {
		ts.mu.Unlock()
		return ErrLastWorker
	}
	leaving := ts.workers[last]
	ts.setPool(slices.Clone(ts.workers[:last]))
	ts.mu.Unlock()
	if err := ts.spread(leaving); err != nil {
		return err // the runtime is about to end
	}
	leaving.dismiss()
	<-leaving.ended
	return nil
}

// pool are the workers as of now.
func (ts *tasks) pool() []*worker {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.workers
}

// setPool is called with mu held.
func (ts *tasks) setPool(all []*worker) {
	ts.workers = all
	ts.size.Store(int64(len(all)))
}

// spread moves tasks until every worker has about as many, and one that is leaving, if any, has
// none. Each commits what it has first, and its new worker goes on from there.
func (ts *tasks) spread(leaving *worker) error {
	ts.mu.Lock()
	moves := even(ts.all, ts.workers)
	byWorker := map[*worker][]*owned{}
	for o := range moves {
		byWorker[o.worker] = append(byWorker[o.worker], o)
		o.moving = true
		o.cancel()
	}
	if leaving != nil && byWorker[leaving] == nil {
		byWorker[leaving] = []*owned{}
	}
	ts.mu.Unlock()
	for w, some := range byWorker {
		if err := ts.free(w, some); err != nil {
			return err
		}
		if w == leaving {
			if err := ts.fence(w); err != nil {
				return err
			}
		}
		ts.mu.Lock()
		for _, o := range some {
			o.moving = false
			if o.phase != gone && !ts.closing && ts.all[o.id] == o {
				o.worker = moves[o]
				ts.prepare(o)
			}
		}
		ts.mu.Unlock()
	}
	ts.r.change.tell()
	return nil
}

// free has a worker commit and close tasks, whether they run or are being prepared.
func (ts *tasks) free(w *worker, some []*owned) error {
	for _, o := range some {
		select {
		case <-o.prepared: // it may have told the worker to start
		case <-ts.r.life.Done():
			return ErrNotRunning
		}
	}
	closed := make(chan struct{})
	w.order(w.release(some, closed))
	select {
	case <-closed:
		return nil
	case <-ts.r.life.Done():
		return ErrNotRunning
	}
}

// fence has a worker that is leaving end what its last commit may have left open: nobody begins
// with its transactional id after it, and readers of committed records would wait.
func (ts *tasks) fence(w *worker) error {
	fenced := make(chan struct{})
	w.order(func(ctx context.Context) error {
		defer close(fenced)
		w.fence(ctx)
		return nil
	})
	select {
	case <-fenced:
		return nil
	case <-ts.r.life.Done():
		return ErrNotRunning
	}
}

// even says which tasks move and where: those whose worker is not there, and as few others
// as make the numbers differ by one at most.
func even(all map[plan.TaskID]*owned, workers []*worker) map[*owned]*worker {
	at := map[*worker][]*owned{}
	for _, w := range workers {
		at[w] = nil
	}
	var homeless []*owned
	for _, o := range all {
		if _, ok := at[o.worker]; ok {
			at[o.worker] = append(at[o.worker], o)
		} else {
			homeless = append(homeless, o)
		}
	}
	byCount := func(a, b *worker) int { return cmp.Or(len(at[a])-len(at[b]), a.number-b.number) }
	byID := func(a, b *owned) int { return compareTasks(a.id, b.id) }
	moves := map[*owned]*worker{}
	give := func(o *owned) {
		to := slices.MinFunc(workers, byCount)
		moves[o] = to
		at[to] = append(at[to], o)
	}
	slices.SortFunc(homeless, byID)
	for _, o := range homeless {
		give(o)
	}
	for {
		most, least := slices.MaxFunc(workers, byCount), slices.MinFunc(workers, byCount)
		if len(at[most])-len(at[least]) <= 1 {
			return moves
		}
		slices.SortFunc(at[most], byID)
		o := at[most][len(at[most])-1]
		at[most] = at[most][:len(at[most])-1]
		give(o)
	}
}
