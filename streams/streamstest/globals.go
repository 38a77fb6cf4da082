package streamstest

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/internal/task"
)

// global is a global store with what fills it.
type global struct {
	plan  *plan.Global
	topic string
	space local.Space
	task  *task.Task // processors fill it; nil: the topic's records are its contents
	read  []int64    // of each partition
	err   error      // of producing
}

func (d *Driver) openGlobal(i int, p *plan.Global) error {
	id := plan.TaskID{Sub: int32(-1 - i), Partition: -1}
	g := &global{plan: p, topic: d.names.Topic(p.Topic)}
	g.read = make([]int64, d.topics.partitions(g.topic))
	var err error
	if g.space, err = d.db.Space(id, p.Store.Name, p.Store.Persistent); err != nil {
		return fmt.Errorf("global store %s: %w", p.Store.Name, err)
	}
	if err := g.space.Clear(); err != nil {
		return fmt.Errorf("global store %s: %w", p.Store.Name, err)
	}
	if len(p.Nodes) > 1 {
		sub := &plan.Sub{ID: id.Sub, Nodes: p.Nodes, Stores: []*plan.Store{p.Store}}
		g.task, err = task.New(d.taskConfig(sub, id, nil, func(r *kgo.Record) {
			g.err = fmt.Errorf("a processor of global store %s produces to %s, which it cannot", p.Store.Name, r.Topic)
		}))
		if err != nil {
			return err
		}
	}
	d.globals = append(d.globals, g)
	return g.deliver(d)
}

// deliver brings the store to what its topic has.
func (g *global) deliver(d *Driver) error {
	for p := range g.read {
		records, next := d.topics.topic(g.topic).partitions[p].from(g.read[p])
		g.read[p] = next
		if len(records) == 0 {
			continue
		}
		b := d.db.NewBatch()
		err := g.take(b, int32(p), records)
		if err == nil {
			err = commitBatch(b)
		}
		b.Close()
		if err != nil {
			return fmt.Errorf("global store %s: %w", g.plan.Store.Name, err)
		}
	}
	return nil
}

func (g *global) take(b local.Batch, partition int32, records []*kgo.Record) error {
	if g.task == nil {
		return g.plan.Store.Restored(b, g.space, records)
	}
	if err := g.task.Add(g.topic, partition, records); err != nil {
		return err
	}
	for n := len(records); n > 0; n-- {
		if _, err := g.task.Process(1); err != nil {
			return err
		}
	}
	if err := g.task.Prepare(); err != nil {
		return err
	}
	if g.err != nil {
		return g.err
	}
	if err := g.task.Apply(b); err != nil {
		return err
	}
	g.task.Committed()
	return nil
}

func (g *global) close() error {
	if g.task == nil {
		return nil
	}
	return g.task.Close()
}

// globalView is what tasks see of a global store.
func (d *Driver) globalView(store string) (any, error) {
	for _, g := range d.globals {
		if g.plan.Store.Name == store {
			return g.plan.Store.View(g.space)
		}
	}
	return nil, fmt.Errorf("there is no store %s", store)
}
