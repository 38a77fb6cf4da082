package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/pabal-dev/pabal/streams/internal/assign"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// assignments is this process's part in deciding who runs which task.
type assignments struct {
	r        *Runtime
	balancer *assign.Balancer

	mu   sync.Mutex
	last assign.Assignment
	// session of the group in which last was told, -1 before.
	session  int64
	shutdown error // why every instance is asked to stop
	probe    *time.Timer
}

// ErrShutdownApplication ends every instance when one of them asks for it.
var ErrShutdownApplication = errors.New("an instance asked the whole application to stop")

func newAssignments(r *Runtime) *assignments {
	a := &assignments{r: r, session: -1}
	a.balancer = assign.New(assign.Config{
		Layout: a.definitions, Subscription: a.subscription, Ends: a.ends, OnAssignment: a.told,
		Standbys: r.cfg.Standbys, AcceptableLag: r.cfg.AcceptableLag, MaxWarmups: r.cfg.MaxWarmups,
		ProbeInterval: r.cfg.ProbeInterval, Logger: r.cfg.Logger,
	})
	return a
}

// definitions are all tasks of the application. partitions may be more than there were.
func (a *assignments) definitions(partitions map[string]int32) ([]assign.Definition, error) {
	a.r.grow(partitions)
	l := a.r.layout()
	var out []assign.Definition
	for _, sub := range a.r.cfg.Topology.Subs {
		for p := range l.tasks[sub.ID] {
			d := assign.Definition{ID: plan.TaskID{Sub: sub.ID, Partition: p}, Stateful: len(l.changelogs(sub, p)) > 0}
			for _, tp := range l.inputs(sub, p) {
				d.Inputs = append(d.Inputs, assign.TopicPartition{Topic: tp.topic, Partition: tp.partition})
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// subscription is what this process has.
func (a *assignments) subscription() assign.Subscription {
	<-a.r.made // the client is faster than its maker
	a.mu.Lock()
	defer a.mu.Unlock()
	return assign.Subscription{
		Process: a.r.process, Endpoint: a.r.cfg.Endpoint, Workers: len(a.r.tasks.pool()),
		Standbys: a.r.standbys.ids(), Offsets: a.r.savedOffsets(), Shutdown: a.shutdown != nil,
	}
}

// savedOffsets are how far the stores of each task are filled here, those of running ones left
// out.
func (r *Runtime) savedOffsets() map[plan.TaskID]int64 {
	out := map[plan.TaskID]int64{}
	for _, sub := range r.cfg.Topology.Subs {
		for p := range r.layout().tasks[sub.ID] {
			id := plan.TaskID{Sub: sub.ID, Partition: p}
			if at, any := r.savedOffset(sub, id); any && !r.tasks.runsNow(id) {
				out[id] = at
			}
		}
	}
	return out
}

func (r *Runtime) savedOffset(sub *plan.Sub, id plan.TaskID) (sum int64, any bool) {
	for _, c := range r.layout().changelogs(sub, id.Partition) {
		space, err := r.db.Space(id, c.store.Name, c.store.Persistent)
		if err != nil {
			continue
		}
		if at, ok := space.Offset(); ok {
			sum, any = sum+at, true
		}
	}
	return sum, any
}

// ends of the changelogs of each task, added up. A source topic stands for its table's up
// to what is committed of it.
func (a *assignments) ends(ctx context.Context) (map[plan.TaskID]int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(a.r.life, cancel)() // who stops does not decide any more
	var logs, sources []topicPartition
	for _, sub := range a.r.cfg.Topology.Subs {
		for p := range a.r.layout().tasks[sub.ID] {
			for _, c := range a.r.layout().changelogs(sub, p) {
				if c.store.Source != nil {
					sources = append(sources, c.topicPartition)
				} else {
					logs = append(logs, c.topicPartition)
				}
			}
		}
	}
	ends, err := fetchEnds(ctx, a.r.admin, logs)
	if err != nil {
		return nil, err
	}
	if len(sources) > 0 {
		committed, err := kadm.NewClient(a.r.admin).FetchOffsets(ctx, a.r.cfg.group())
		if err != nil {
			return nil, fmt.Errorf("fetch the committed offsets: %w", err)
		}
		for _, tp := range sources {
			if at, ok := committed.Lookup(tp.topic, tp.partition); ok {
				ends[tp] = max(at.At, 0)
			}
		}
	}
	return a.r.layout().addUp(a.r.cfg.Topology, ends), nil
}

// addUp the ends by task.
func (l *layout) addUp(t *plan.Topology, ends map[topicPartition]int64) map[plan.TaskID]int64 {
	out := map[plan.TaskID]int64{}
	for _, sub := range t.Subs {
		for p := range l.tasks[sub.ID] {
			for _, c := range l.changelogs(sub, p) {
				out[plan.TaskID{Sub: sub.ID, Partition: p}] += ends[c.topicPartition]
			}
		}
	}
	return out
}

// told keeps what this process got; the partitions follow by the client.
func (a *assignments) told(got assign.Assignment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last, a.session = got, a.r.group.session.Load()
	if a.probe != nil {
		a.probe.Stop()
		a.probe = nil
	}
	if got.Probe > 0 {
		a.probe = time.AfterFunc(got.Probe, a.r.group.client.ForceRebalance)
	}
	if got.Shutdown {
		a.r.fatal(cmp.Or(a.shutdown, ErrShutdownApplication))
	}
	a.r.change.tell()
}

// hold says that what was told still holds: the group has not given this process up since.
func (a *assignments) hold() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session == a.r.group.session.Load()
}

// follow keeps the standbys that were told, once the partitions are revoked and assigned.
func (a *assignments) follow() {
	a.mu.Lock()
	want := slices.DeleteFunc(slices.Concat(a.last.Standbys, a.last.Warmups), a.r.tasks.has)
	a.mu.Unlock()
	const what = "keeping standbys"
	if err := a.r.standbys.assign(want); err != nil && a.r.life.Err() == nil {
		a.r.problems.Announce(what, err, problemLasts)
	}
	a.r.change.tell()
}

// shutdownTimeout is how long it is waited for the group to pass the word.
const shutdownTimeout = 30 * time.Second

// shutdownAll asks every instance, this one too, to stop.
func (a *assignments) shutdownAll(why error) {
	a.mu.Lock()
	a.shutdown = why
	a.mu.Unlock()
	a.r.group.client.ForceRebalance()
	go func() { // ends with the runtime
		select {
		case <-time.After(shutdownTimeout):
			a.r.fatal(why)
		case <-a.r.life.Done():
		}
	}()
}

// hosts are all members.
func (a *assignments) hosts() []assign.Host {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last.Hosts
}

func (a *assignments) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.probe != nil {
		a.probe.Stop()
	}
}
