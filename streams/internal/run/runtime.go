package run

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/streams/internal/local"
)

// Runtime runs a topology in this process. It is a lifecycle.Service that can be started
// once.
type Runtime struct {
	cfg      Config
	budget   budget
	memory   *local.Budget
	states   *states
	problems *lifecycle.Problems

	life context.Context // ends when everything is to stop at once
	kill context.CancelFunc

	// Made by Start, in this order.
	process  string // id of the process, kept in the folder
	admin    *kgo.Client
	plans    atomic.Pointer[layout] // see Runtime.layout
	implicit bool                   // the brokers' transactions know offsets without being told first
	db       *local.DB
	globals  *globals
	standbys *standbys
	tasks    *tasks
	reader   *reader
	// assignments is what the group decides, group the client.
	assignments *assignments
	group       *group
	ends        *ends
	purger      *purger
	others      sync.Map   // partitions of topics that are only written, by name
	growing     sync.Mutex // held by whoever replaces plans

	reading sync.WaitGroup
	working sync.WaitGroup
	made    chan struct{} // closed when Start makes nothing any more
	stopped chan struct{} // closed when nothing is left
	once    sync.Once

	resting atomic.Bool // somebody paused everything

	mu       sync.Mutex
	started  bool
	stopping bool
	giveUp   context.CancelFunc // ends a Start that waits
	ready    bool               // everything is made
	err      error              // why it ended

	meter  *meter
	change change
}

// New makes a Runtime of a Config that was checked.
func New(cfg Config) *Runtime {
	r := &Runtime{cfg: cfg, budget: divide(cfg.MemoryBytes), meter: newMeter(cfg), made: make(chan struct{}), stopped: make(chan struct{})}
	r.memory = local.NewBudget(r.budget.stores + r.budget.queues)
	r.states = newStates(cfg.OnState, r.change.tell)
	r.problems = lifecycle.NewProblems(cfg.Logger, "streams")
	r.life, r.kill = context.WithCancel(context.Background())
	return r
}

// Start looks at the topics, makes the internal ones, opens the stores and joins the
// group. It does not wait for tasks: see Changed. A Stop meanwhile ends it, with an error.
func (r *Runtime) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	if r.started || r.stopping {
		r.mu.Unlock()
		return errors.New("streams: an App is started once; make a new one")
	}
	r.started, r.giveUp = true, cancel
	r.mu.Unlock()
	r.states.set(Rebalancing)
	err := r.start(ctx)
	close(r.made)
	if err == nil {
		return nil
	}
	why := err
	if r.isStopping() {
		why, err = nil, fmt.Errorf("streams: it was stopped before it had started: %w", err)
	}
	r.once.Do(func() { r.end(why) })
	return err
}

func (r *Runtime) isStopping() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopping
}

func (r *Runtime) start(ctx context.Context) (err error) {
	if r.admin, err = kafka.NewClient(r.cfg.Kafka, kgo.DisableClientMetrics(), kgo.MaxVersions(pinned())); err != nil {
		return err
	}
	l, err := prepareTopics(ctx, r.admin, r.cfg)
	if err != nil {
		return err
	}
	r.plans.Store(l)
	if r.implicit, err = knowsImplicitOffsets(ctx, r.admin); err != nil {
		return err
	}
	if err := r.openStores(); err != nil {
		return err
	}
	if r.standbys, err = newStandbys(ctx, r); err != nil {
		return err
	}
	if r.globals, err = newGlobals(ctx, r); err != nil {
		return err
	}
	r.reader, r.ends, r.tasks, r.purger = newReader(r), newEnds(r), newTasks(r), newPurger(r)
	r.assignments = newAssignments(r)
	if err := ctx.Err(); err != nil { // who is stopped does not join
		return err
	}
	if r.group, err = newGroup(r); err != nil {
		return err
	}
	for range r.cfg.Workers {
		r.tasks.hire()
	}
	r.reading.Go(func() { r.reader.run(r.life) })
	r.working.Go(func() { r.ends.run(r.life) })
	r.working.Go(func() { r.purger.run(r.life) })
	r.working.Go(func() { r.watchPartitions(r.life) })
	r.mu.Lock()
	r.ready = true
	r.mu.Unlock()
	r.showAll()
	r.change.tell()
	return nil
}

func (r *Runtime) openStores() (err error) {
	r.db, err = local.Open(local.Options{
		Dir: filepath.Join(r.dir(), "stores"), MemoryBytes: r.budget.disk, Budget: r.memory, Logger: r.cfg.Logger,
		FS: r.cfg.FS, OnDiscard: r.discarded, OnStop: r.storesStopped,
	})
	if err != nil {
		return fmt.Errorf("open the stores: %w", err)
	}
	r.process, err = processID(r.cfg.FS, filepath.Join(r.dir(), "process-id"))
	return err
}

// discarded is told when the stores on disk were thrown away.
func (r *Runtime) discarded(err error) {
	r.problems.Announce("stores were thrown away and are restored", err, time.Minute)
}

// Stop commits, leaves the group (a static member stays in it) and releases everything. When
// ctx ends first, it stops at once; what was not committed is processed again by others.
func (r *Runtime) Stop(ctx context.Context) error {
	r.mu.Lock()
	started := r.started
	r.stopping = true
	if started {
		r.giveUp()
	}
	r.mu.Unlock()
	if !started {
		return nil
	}
	r.states.set(PendingShutdown)
	go r.shutdown(nil)
	select {
	case <-r.stopped:
		return nil
	case <-ctx.Done():
		r.kill()
		<-r.stopped
		return ctx.Err()
	}
}

// fatalTimeout is how long a last commit may take where nobody waits for it.
const fatalTimeout = 30 * time.Second

// fatal ends the process's part with an error.
func (r *Runtime) fatal(err error) {
	if r.states.set(PendingError) {
		r.cfg.Logger.Error("streams: the application stops", "error", err)
		late := time.AfterFunc(fatalTimeout, r.kill)
		go func() {
			defer late.Stop()
			r.shutdown(err)
		}()
	}
}

// shutdown runs once, whoever asks first. What is being made cannot be released, so that it waits
// for Start.
func (r *Runtime) shutdown(why error) {
	<-r.made
	r.once.Do(func() {
		why := r.whyStores(why)
		if err := r.finish(); err != nil {
			r.cfg.Logger.Warn("streams: the last commit failed; what it had is processed again", "error", err)
		}
		r.end(why)
	})
}

// finish has the workers commit for the last time.
func (r *Runtime) finish() error {
	if r.tasks == nil {
		return nil
	}
	r.tasks.stop()
	defer r.tasks.finish()
	var failed []error
	var waits []<-chan error
	for _, w := range r.tasks.pool() {
		done := make(chan error, 1)
		waits = append(waits, done)
		w.order(w.finish(done))
	}
	for _, done := range waits {
		select {
		case err := <-done:
			failed = append(failed, err)
		case <-r.life.Done():
		}
	}
	return errors.Join(failed...)
}

// end releases everything, whether or not it was acquired.
func (r *Runtime) end(why error) {
	if r.group != nil {
		r.group.leave()
	}
	r.kill()
	if r.assignments != nil {
		r.assignments.stop()
	}
	if r.group != nil {
		r.group.client.AllowRebalance()
		r.reading.Wait()
		r.group.client.Close()
	}
	r.working.Wait()
	if r.tasks != nil {
		r.tasks.wait()
	}
	if r.standbys != nil {
		r.standbys.stop()
	}
	if r.globals != nil {
		r.globals.close()
	}
	r.meter.close() // before what the gauges look at
	if r.db != nil {
		if err := r.db.Close(); err != nil {
			r.cfg.Logger.Warn("streams: the stores did not close well", "error", err)
		}
	}
	if r.admin != nil {
		r.admin.Close()
	}
	r.mu.Lock()
	r.err = why
	r.mu.Unlock()
	r.states.set(PendingError) // where it never ran
	if !r.states.set(Errored) {
		r.states.set(NotRunning)
	}
	select {
	case <-r.states.told():
	case <-time.After(toldTimeout):
		r.cfg.Logger.Warn("streams: it ends while OnState has not returned", "after", toldTimeout)
	}
	close(r.stopped)
}

// toldTimeout is for a listener that is slow, or waits for the end itself.
const toldTimeout = 5 * time.Second

// Done is closed when nothing of the runtime is left; Err says why it ended by itself.
func (r *Runtime) Done() <-chan struct{} { return r.stopped }

// Err is the error that ended it; nil while it runs, and after Stop.
func (r *Runtime) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// State of the runtime.
func (r *Runtime) State() State { return r.states.get() }

// uncaught asks the policy; true has the worker begin anew.
func (r *Runtime) uncaught(err error) bool {
	what := ShutdownClient
	if r.cfg.OnUncaught != nil {
		what = r.cfg.OnUncaught(err)
	}
	switch what {
	case ReplaceThread:
		return true
	case ShutdownApplication:
		r.cfg.Logger.Error("streams: every instance of the application is asked to stop", "error", err)
		r.assignments.shutdownAll(err)
	default:
		r.fatal(err)
	}
	return false
}

// assigned is told when an assignment is complete.
func (r *Runtime) assigned() {
	r.tasks.mu.Lock()
	defer r.tasks.mu.Unlock()
	r.settle(r.tasks.allRun())
}

// settle follows the tasks.
func (r *Runtime) settle(allRun bool) {
	if allRun {
		r.states.set(Running)
	} else {
		r.states.set(Rebalancing)
	}
}

// mostDirty changes are committed at once, before the interval is over.
func (r *Runtime) mostDirty() int64 { return r.budget.stores / 4 / max(r.tasks.size.Load(), 1) }

// commitTimeout: after the transaction's there is nothing left to commit.
func (r *Runtime) commitTimeout() time.Duration { return r.cfg.TransactionTimeout }

// fault is where tests let the process die.
func (r *Runtime) fault(p Point) error {
	if r.cfg.Fault == nil {
		return nil
	}
	err := r.cfg.Fault(p)
	if err != nil {
		r.kill()
	}
	return err
}

// committed counts a commit.
func (r *Runtime) committed(offsets map[topicPartition]position, took time.Duration) {
	r.meter.committed(took)
	r.purger.note(offsets)
}
