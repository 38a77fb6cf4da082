package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// layout as of now: source topics may get more partitions while the application runs. The group's
// leader notices, and gives tasks of them to members, where the topology allows it.
func (r *Runtime) layout() *layout { return r.plans.Load() }

// grown is the layout with as many partitions of its source topics, where they are more; itself
// where none are. It fails where internal topics do not fit any more, or keys are elsewhere now
// than what stores have of them.
func (l *layout) grown(t *plan.Topology, partitions map[string]int32) (*layout, error) {
	known := maps.Clone(l.partitions)
	var more []string
	for topic, n := range partitions {
		if _, internal := l.internal[topic]; l.subOf[topic] != nil && !internal && n > known[topic] {
			known[topic] = n
			more = append(more, fmt.Sprintf("%s, which has %d instead of %d", topic, n, l.partitions[topic]))
		}
	}
	slices.Sort(more)
	for _, g := range t.Globals {
		if topic := l.names.Topic(g.Topic); partitions[topic] > known[topic] {
			return nil, fmt.Errorf("%w: new partitions of %s are not part of the global store %s: restart every instance", ErrLayout, topic, g.Store.Name)
		}
	}
	if len(more) == 0 {
		return l, nil
	}
	next, err := newLayout(t, l.names, known)
	if err != nil {
		return nil, fmt.Errorf("new partitions are not read of %q: %w", more, err)
	}
	for _, sub := range t.Subs {
		if len(sub.Stores) > 0 && next.tasks[sub.ID] > l.tasks[sub.ID] {
			return nil, fmt.Errorf("%w: new partitions are not read of %q: sub-topology %d has stores, with keys whose records come from other partitions now; reset the application, or use another application id",
				ErrLayout, more, sub.ID)
		}
	}
	return next, nil
}

const whatGrows = "reading new partitions"

// grow takes new partitions on, or says why not.
func (r *Runtime) grow(partitions map[string]int32) error {
	r.growing.Lock()
	defer r.growing.Unlock()
	now := r.layout()
	next, err := now.grown(r.cfg.Topology, partitions)
	if err != nil {
		r.problems.Report(whatGrows, err)
		return err
	}
	if next != now {
		r.plans.Store(next)
		r.cfg.Logger.Info("streams: source topics have more partitions", "tasks", next.tasks)
		r.change.tell()
	}
	return nil
}

// growBy partitions that the group gave to this process.
func (r *Runtime) growBy(parts map[string][]int32) {
	known := map[string]int32{}
	for topic, numbers := range parts {
		for _, n := range numbers {
			known[topic] = max(known[topic], n+1)
		}
	}
	r.grow(known)
}

// watchEvery is how often topics are looked at.
const watchEvery = time.Minute

func (r *Runtime) watchPartitions(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.lookAtPartitions(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// lookAtPartitions of all topics that are read, or written by a partitioner. Brokers that are away
// are the business of others.
func (r *Runtime) lookAtPartitions(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	names := r.layout().sourceTopics()
	for _, g := range r.cfg.Topology.Globals {
		names = append(names, r.layout().names.Topic(g.Topic))
	}
	r.others.Range(func(topic, _ any) bool { names = append(names, topic.(string)); return true })
	topics, err := kadm.NewClient(r.admin).ListTopics(ctx, names...)
	if err != nil {
		return
	}
	found := map[string]int32{}
	for name, t := range topics {
		if t.Err != nil {
			continue
		}
		found[name] = int32(len(t.Partitions))
		if _, written := r.others.Load(name); written {
			r.others.Store(name, found[name])
		}
	}
	if r.grow(found) == nil {
		r.problems.Solve(whatGrows)
	}
}
