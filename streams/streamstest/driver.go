package streamstest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// Driver runs a topology. It is for one goroutine, that of the test.
type Driver struct {
	t      testing.TB
	plan   *plan.Topology
	set    settings
	names  plan.Names
	topics *topics
	db     *local.DB
	now    time.Time

	tasks     []*running
	globals   []*global
	committed map[input]task.Offset
	processed int // since the last commit
	order     order
	turns     int64 // numbers the moments at which tasks became ready
	failNext  bool  // the next commit is aborted
	failed    error
	dropped   map[string]int64

	// crash, in tests of this package, ends the process after a step of a commit; reopen is what
	// its stores are then.
	crash  func(step string) bool
	reopen func(db *local.DB) (*local.DB, error)
}

// input is a topic partition.
type input struct {
	topic     string
	partition int32
}

// New starts the topology; it is closed when the test ends. What cannot be started fails
// the test.
func New(t testing.TB, topology *streams.Topology, options ...Option) *Driver {
	t.Helper()
	d := newDriver(t, topology.Plan(), options...)
	t.Cleanup(func() {
		if err := d.Close(); err != nil && d.failed == nil {
			t.Errorf("streamstest: %v", err)
		}
	})
	if err := d.open(); err != nil {
		t.Fatalf("streamstest: %v", err)
	}
	return d
}

func newDriver(t testing.TB, p *plan.Topology, options ...Option) *Driver {
	s := settings{start: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), commitEvery: 1, partitions: 1, topics: map[string]int32{}}
	for _, o := range options {
		o(&s)
	}
	if s.config.ApplicationID == "" {
		s.config.ApplicationID = "streamstest"
	}
	if s.config.DeadLetterTopic == "" {
		s.config.DeadLetterTopic = s.config.ApplicationID + "-dead-letters"
	}
	d := &Driver{
		t: t, plan: p, set: s, now: s.start, committed: map[input]task.Offset{}, dropped: map[string]int64{},
		names: plan.Names{Prefix: s.config.Kafka.Prefix, Application: s.config.ApplicationID},
	}
	d.topics = &topics{byName: map[string]*topic{}, partitions: d.partitionsOf()}
	d.db = local.OpenMemory()
	return d
}

// partitionsOf topics by full name: what the options say of them, or what the topology
// says where partitions matter at all.
func (d *Driver) partitionsOf() func(name string) int32 {
	known := map[string]int32{}
	for _, s := range d.plan.Subs {
		for _, n := range s.Nodes {
			for _, t := range n.Topics {
				if t.Repartition && t.Partitions > 0 && d.set.partitions > 1 {
					known[d.names.Topic(t)] = t.Partitions
				}
			}
		}
	}
	for name, n := range d.set.topics {
		known[d.names.Topic(plan.Topic{Name: name})] = n
	}
	return func(name string) int32 {
		if n, ok := known[name]; ok {
			return n
		}
		return d.set.partitions
	}
}

// open makes the tasks from what is committed, restoring their stores.
func (d *Driver) open() error {
	for i, g := range d.plan.Globals {
		if err := d.openGlobal(i, g); err != nil {
			return err
		}
	}
	for _, sub := range d.plan.Subs {
		for p := range d.partitionsOfSub(sub) {
			if err := d.openTask(sub, plan.TaskID{Sub: sub.ID, Partition: p}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Driver) partitionsOfSub(sub *plan.Sub) (most int32) {
	for _, n := range sub.Sources() {
		for _, t := range n.Topics {
			most = max(most, d.topics.partitions(d.names.Topic(t)))
		}
	}
	return most
}

// Advance moves the wall clock, and punctuates.
func (d *Driver) Advance(by time.Duration) {
	d.t.Helper()
	d.check(d.TryAdvance(by))
}

// TryAdvance returns the error on which Advance fails the test.
func (d *Driver) TryAdvance(by time.Duration) error {
	d.now = d.now.Add(by)
	return d.do(func() error {
		for _, r := range d.tasks {
			if _, err := r.task.Punctuate(); err != nil {
				return err
			}
		}
		if err := d.commit(); err != nil {
			return err
		}
		return d.work()
	})
}

// Now is the wall clock.
func (d *Driver) Now() time.Time { return d.now }

// Commit commits what was processed, as an App does from time to time.
func (d *Driver) Commit() {
	d.t.Helper()
	d.check(d.TryCommit())
}

// TryCommit returns the error on which Commit fails the test.
func (d *Driver) TryCommit() error {
	return d.do(func() error {
		if err := d.commit(); err != nil {
			return err
		}
		return d.work()
	})
}

// Close commits and closes processors and stores. It may be called before the test ends, and
// again.
func (d *Driver) Close() error {
	var all []error
	if d.failed == nil {
		all = append(all, d.leave())
		d.failed = errClosed
	}
	d.closeTasks()
	for _, g := range d.globals {
		all = append(all, g.close())
	}
	d.globals = nil
	return errors.Join(append(all, d.db.Close())...)
}

var errClosed = errors.New("the driver is closed")

// leave ends the tasks with a last commit.
func (d *Driver) leave() error {
	var all []error
	for _, r := range d.tasks {
		all = append(all, r.task.End())
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	return d.commit()
}

func (d *Driver) closeTasks() {
	for _, r := range d.tasks {
		d.count(r.task.Stats())
		r.task.Close() // End said what is wrong
	}
	d.tasks, d.order = nil, order{}
}

// Dropped counts the records that nodes left out by the rules (a null key, a window that is
// closed, ...): "node: reason".
func (d *Driver) Dropped() map[string]int64 {
	out := maps.Clone(d.dropped)
	for _, r := range d.tasks {
		addDropped(out, r.task.Stats())
	}
	return out
}

func (d *Driver) count(s task.Stats) { addDropped(d.dropped, s) }

func addDropped(to map[string]int64, s task.Stats) {
	for _, n := range s.Dropped {
		to[n.Node+": "+n.Reason] += n.Count
	}
}

// Topics are the names of those that have records, without the prefix, internal ones too.
func (d *Driver) Topics() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(d.topics.byName)) {
		if len(d.topics.byName[name].committed) > 0 {
			out = append(out, name[len(d.names.Prefix):])
		}
	}
	return out
}

// do runs f, after whose error the driver can only be restarted or closed.
func (d *Driver) do(f func() error) error {
	if d.failed != nil {
		return d.failed
	}
	err := f()
	if err != nil {
		d.failed = err
	}
	return err
}

func (d *Driver) check(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("streamstest: %v", err)
	}
}

// pipe takes a record from outside, which is committed at once, and processes what it can.
func (d *Driver) pipe(r *kgo.Record) error {
	return d.do(func() error {
		p, err := d.topics.append(r)
		if err != nil {
			return err
		}
		d.topics.see(p)
		return d.work()
	})
}

// maxSteps is what one piped record may lead to.
const maxSteps = 1_000_000

// work processes until nothing is left that can be.
func (d *Driver) work() error {
	for range maxSteps {
		if err := d.deliver(); err != nil {
			return err
		}
		r, err := d.next()
		if r == nil || err != nil {
			return err
		}
		if _, err := r.task.Process(1); err != nil {
			return err
		}
		r.ready = false
		d.processed++
		if err := d.order.processed(r); err != nil {
			return err
		}
		if d.processed >= d.set.commitEvery || r.task.CommitRequested() {
			if err := d.commit(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("%d records were processed without an end: does the topology read what it writes?", maxSteps)
}

// next is the task with the smallest time, among equal ones the one that order says, or else
// that which is ready for longest.
func (d *Driver) next() (*running, error) {
	var best []*running
	for _, r := range d.tasks {
		at, ok, err := r.task.Next()
		if err != nil {
			return nil, err
		}
		if !ok {
			r.ready = false
			continue
		}
		d.wake(r)
		r.time = at
		if len(best) > 0 && at < best[0].time {
			best = best[:0]
		}
		if len(best) == 0 || at == best[0].time {
			best = append(best, r)
		}
	}
	if len(best) == 0 {
		return nil, nil
	}
	if r := d.order.first(best, best[0].time); r != nil {
		return r, nil
	}
	return slices.MinFunc(best, func(a, b *running) int { return cmp.Compare(a.turn, b.turn) }), nil
}

// wake gives a task that had nothing to do its turn.
func (d *Driver) wake(r *running) {
	if !r.ready {
		d.turns++
		r.ready, r.turn = true, d.turns
	}
}
