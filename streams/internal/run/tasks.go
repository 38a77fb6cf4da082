package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/restore"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// phase of a task that this process has.
type phase int

// The phases in their order; a task that failed goes back to restoring.
const (
	restoring phase = iota
	starting        // its worker has been told
	running
	gone
)

// owned is a task that the group gave to this process.
type owned struct {
	id     plan.TaskID
	sub    *plan.Sub
	inputs []*input
	// worker is guarded by tasks.mu; it changes only while nobody prepares or runs the task.
	worker *worker
	// session of the group in which it was assigned.
	session int64
	// counts of the task as of the last tally, for the metrics.
	counts atomic.Pointer[task.Stats]

	// Guarded by tasks.mu.
	phase  phase
	moving bool // to another worker
	jobs   []*restore.Job
	// claimed jobs were a standby's.
	claimed []*restore.Job
	// cancel ends the goroutine that prepares it, which closes prepared.
	cancel   context.CancelFunc
	prepared chan struct{}
	// leaving tasks are being removed; their workers do not restore them again.
	leaving bool
	// closed when its worker has nothing of it any more; it was removed then.
	closed <-chan struct{}
}

// tasks are those of this process, and how far each has come.
type tasks struct {
	r *Runtime

	mu      sync.Mutex
	all     map[plan.TaskID]*owned
	ending  []*owned // removed, and not closed yet as far as known
	closing bool
	// finished is closed when the workers have committed for the last time, or never will.
	finished chan struct{}
	over     sync.Once
	workers  []*worker    // replaced, never changed
	size     atomic.Int64 // of workers
	last     rates
	wg       sync.WaitGroup

	resizing chan struct{} // held by whoever changes the workers
}

func newTasks(r *Runtime) *tasks {
	return &tasks{r: r, all: map[plan.TaskID]*owned{}, resizing: make(chan struct{}, 1), finished: make(chan struct{})}
}

// name as Kafka Streams writes it.
func name(id plan.TaskID) string { return fmt.Sprintf("%d_%d", id.Sub, id.Partition) }

// add takes tasks on: their inputs are held until they run.
func (ts *tasks) add(ids []plan.TaskID) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.closing {
		return
	}
	for _, id := range ids {
		inputs := ts.r.layout().inputs(ts.r.layout().sub(id.Sub), id.Partition)
		if ts.all[id] != nil || len(inputs) == 0 { // new partitions that cannot be read have none
			continue
		}
		o := &owned{id: id, sub: ts.r.layout().sub(id.Sub), worker: ts.leastBusy(), session: ts.r.group.session.Load()}
		for _, tp := range inputs {
			in := newInput(ts.r.group.client.Client, tp)
			in.task = o
			o.inputs = append(o.inputs, in)
		}
		ts.all[id] = o
		ts.r.showTask(o)
		ts.r.reader.add(o.inputs)
		ts.prepare(o)
	}
	ts.r.change.tell()
}

func (ts *tasks) leastBusy() *worker {
	count := map[*worker]int{}
	for _, o := range ts.all {
		count[o.worker]++
	}
	best := ts.workers[0]
	for _, w := range ts.workers {
		if count[w] < count[best] {
			best = w
		}
	}
	return best
}

// prepare restores a task and has its worker start it, with mu held.
func (ts *tasks) prepare(o *owned) {
	ctx, cancel := context.WithCancel(ts.r.life)
	prepared := make(chan struct{})
	o.phase, o.cancel, o.prepared = restoring, cancel, prepared
	o.claimed = ts.r.standbys.claim(o.id)
	ts.wg.Go(func() {
		defer close(prepared)
		defer cancel()
		ts.prepareUntilDone(ctx, o)
	})
}

// prepareUntilDone tries again until ctx ends: it fails where brokers are away.
func (ts *tasks) prepareUntilDone(ctx context.Context, o *owned) {
	var trouble backoff
	what := "start of task " + name(o.id)
	defer ts.r.problems.Forget(what)
	defer ts.unclaim(o)
	for ctx.Err() == nil {
		err := ts.prepareOnce(ctx, o)
		if err == nil || ctx.Err() != nil {
			return
		}
		if errors.Is(err, errUncaught) && !ts.r.uncaught(err) {
			return
		}
		ts.r.problems.Report(what, err)
		select {
		case <-time.After(trouble.next(time.Now())):
		case <-ctx.Done():
		}
	}
}

// unclaim ends a standby's jobs that were taken over and not begun with, because the task went away
// at once: their spaces could have no others.
func (ts *tasks) unclaim(o *owned) {
	ts.mu.Lock()
	left := o.claimed
	o.claimed = nil
	ts.mu.Unlock()
	if err := ts.r.standbys.remove(left); err != nil && ts.r.life.Err() == nil {
		ts.r.problems.Announce("ending the standby of task "+name(o.id), err, problemLasts)
	}
}

func (ts *tasks) prepareOnce(ctx context.Context, o *owned) error {
	if err := ts.restore(ctx, o); err != nil {
		return err
	}
	parts := make([]topicPartition, len(o.inputs))
	for i, in := range o.inputs {
		parts[i] = in.topicPartition
	}
	at, err := fetchOffsets(ctx, ts.r.group.client.Client, ts.r.cfg.group(), parts)
	if err != nil {
		return err
	}
	starts, err := fetchStarts(ctx, ts.r.group.client.Client, parts)
	if err != nil {
		return err
	}
	ends, err := fetchEnds(ctx, ts.r.group.client.Client, parts)
	if err != nil {
		return err
	}
	for _, in := range o.inputs {
		committed, ok := at[in.topicPartition]
		at[in.topicPartition] = in.begin(committed, ok, starts[in.topicPartition], ends[in.topicPartition], ts.r.layout().resets[in.topic])
	}
	if err := ts.r.reader.rewind(ctx, o.inputs, at); err != nil {
		return err
	}
	o.worker.order(o.worker.start(o, startOffsets(o.inputs, at), ends))
	return nil
}

// restore fills the task's stores up to the ends of their changelogs.
func (ts *tasks) restore(ctx context.Context, o *owned) error {
	ts.mu.Lock()
	claimed := o.claimed
	o.claimed = nil
	ts.mu.Unlock()
	jobs, err := ts.r.standbys.activate(o, claimed)
	if err != nil {
		return err
	}
	ts.mu.Lock()
	o.jobs = jobs
	ts.mu.Unlock()
	defer func() {
		ts.mu.Lock()
		o.jobs = nil
		ts.mu.Unlock()
	}()
	for _, j := range jobs {
		select {
		case <-j.Done():
		case <-ctx.Done():
		}
	}
	var failed []error
	var records int64
	for _, j := range jobs {
		records += j.Progress().Records
		// Also when ctx has ended: the space is somebody else's afterwards.
		_, _, err := j.Remove(ts.r.life)
		failed = append(failed, err)
		if err := j.Err(); err != nil && ctx.Err() == nil {
			failed = append(failed, fmt.Errorf("%w: restore: %w", errUncaught, err))
		}
	}
	if err := errors.Join(append(failed, ctx.Err())...); err != nil {
		return err
	}
	if len(jobs) > 0 && ts.r.cfg.Restored != nil {
		ts.r.cfg.Restored(records)
	}
	return nil
}

// advance moves a task on; false where it is not this process's any more.
func (ts *tasks) advance(o *owned, to phase) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if o.phase == gone {
		return false
	}
	o.phase = to
	ts.r.change.tell()
	ts.r.settle(ts.allRun())
	return true
}

// restart restores tasks again that were given up.
func (ts *tasks) restart(all []*owned) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, o := range all {
		if o.phase != gone && !o.leaving && !o.moving && !ts.closing {
			ts.prepare(o)
		}
	}
	ts.r.change.tell()
}

// remove ends the tasks of those ids: committed where commit says so, else given up. It
// returns when they are closed, or ctx ends.
func (ts *tasks) remove(ctx context.Context, ids []plan.TaskID, commit bool) {
	ts.mu.Lock()
	if ts.closing {
		ts.mu.Unlock()
		ts.giveUp(ctx, ids)
		return
	}
	byWorker := map[*worker][]*owned{}
	closing := map[*worker]chan struct{}{}
	var leaving []*owned
	var done []<-chan struct{}
	for _, id := range ids {
		o := ts.all[id]
		if o == nil {
			continue
		}
		delete(ts.all, id)
		ts.r.meter.hide("task " + name(id))
		o.leaving = true
		o.cancel()
		closed := closing[o.worker]
		if closed == nil {
			closed = make(chan struct{})
			closing[o.worker] = closed
			done = append(done, closed)
		}
		o.closed = closed
		ts.ending = append(ts.ending, o)
		leaving = append(leaving, o)
		done = append(done, o.prepared)
		byWorker[o.worker] = append(byWorker[o.worker], o)
	}
	ts.mu.Unlock()
	for w, some := range byWorker {
		if commit {
			w.order(w.release(some, closing[w]))
		} else {
			w.order(w.lose(some, closing[w]))
		}
	}
	for _, d := range done {
		select {
		case <-d:
		case <-ctx.Done():
		}
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, o := range leaving {
		o.phase = gone
		ts.r.reader.remove(o.inputs)
	}
	ts.r.change.tell()
	ts.r.settle(ts.allRun())
}

// giveUp tasks while the process stops: others get them when the last commit is made. One that is
// made later is refused.
func (ts *tasks) giveUp(ctx context.Context, ids []plan.TaskID) {
	select {
	case <-ts.finished:
	case <-ctx.Done():
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, id := range ids {
		if o := ts.all[id]; o != nil {
			o.phase = gone
		}
	}
}

// finish says that the workers commit no more.
func (ts *tasks) finish() { ts.over.Do(func() { close(ts.finished) }) }

// allRun says that every task runs, with mu held.
func (ts *tasks) allRun() bool {
	for _, o := range ts.all {
		if o.phase != running {
			return false
		}
	}
	return true
}

// lost is a task of these that others may run already: it is of an earlier session, or the group
// did not wait for its last commit. nil is none.
func (ts *tasks) lost(all []*active, session int64) *owned {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, a := range all {
		if a.owned.session != session || a.owned.phase == gone {
			return a.owned
		}
	}
	return nil
}

func (ts *tasks) has(id plan.TaskID) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	return ts.all[id] != nil
}

func (ts *tasks) runsNow(id plan.TaskID) bool {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	o := ts.all[id]
	return o != nil && o.phase == running
}

// stop takes no more on, and ends what is being prepared. Those that run are ended by
// their workers.
func (ts *tasks) stop() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.closing = true
	for _, o := range ts.all {
		o.cancel()
	}
}

// wait returns when nothing is being prepared any more.
func (ts *tasks) wait() {
	ts.stop()
	ts.finish()
	ts.wg.Wait()
}
