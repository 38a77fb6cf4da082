package task

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// nodeContext is the task as its nodes see it.
type nodeContext struct{ t *Task }

var _ plan.Context = nodeContext{}

func (t *Task) contextOf() plan.Context { return nodeContext{t} }

func (c nodeContext) Context() context.Context  { return c.t.cfg.Context }
func (c nodeContext) Task() plan.TaskID         { return c.t.cfg.ID }
func (c nodeContext) ApplicationID() string     { return c.t.cfg.Names.Application }
func (c nodeContext) Logger() *slog.Logger      { return c.t.cfg.Logger }
func (c nodeContext) Topic(t plan.Topic) string { return c.t.cfg.Names.Topic(t) }
func (c nodeContext) Record() *kgo.Record       { return c.t.record }
func (c nodeContext) Now() int64                { return c.t.now }
func (c nodeContext) RequestCommit()            { c.t.requested, c.t.touched = true, true }

func (c nodeContext) Partitions(topic string) (int32, error) { return c.t.cfg.Partitions(topic) }

func (c nodeContext) Produce(_ string, rec *kgo.Record) {
	c.t.touched = true
	c.t.counts.produced++
	c.t.cfg.Producer(rec)
}

func (c nodeContext) Store(name string) (any, error) {
	if s := c.t.Store(name); s != nil {
		return s, nil
	}
	if c.t.cfg.Globals != nil {
		return c.t.cfg.Globals(name)
	}
	return nil, fmt.Errorf("store %s is not in this sub-topology", name)
}

func (c nodeContext) Failed(node string, err error) error {
	if isFailure(err) {
		return err // it was decided about further down
	}
	return c.t.decide(&plan.Failure{Stage: "process", Node: node, Task: c.t.cfg.ID, Record: c.t.record, Err: err})
}

// Schedule as in plan.Context: the first punctuation of stream time comes with the first
// record, and the others at multiples of the interval; those of the wall clock after the
// interval. One that comes late is not made up for: the next is at the next multiple.
func (c nodeContext) Schedule(interval int64, wall bool, f func(timestamp int64) error) (cancel func()) {
	return c.t.schedule(interval, wall, f)
}

func (c nodeContext) StreamTime() int64           { return c.t.streamTime }
func (c nodeContext) Dropped(node, reason string) { c.t.drop(node, reason) }

func (c nodeContext) Metadata(name string) (int64, bool) {
	v, ok := c.t.remembered.values[name]
	return v, ok
}

func (c nodeContext) SetMetadata(name string, value int64) { c.t.remember(name, value) }

func (c nodeContext) Keep(key string, value *int64) {
	if v, ok := c.Metadata(key); ok {
		*value = v
	}
	c.t.kept[key] = value
}

func (c nodeContext) OnIdle(f func(streamTime int64) error) {
	c.t.idle.listeners = append(c.t.idle.listeners, f)
}

func (t *Task) remember(name string, value int64) {
	t.remembered.set(name, value)
	t.forward, t.touched = true, true
}

// gather takes up the kept numbers that changed.
func (t *Task) gather() {
	for key, value := range t.kept {
		if old, ok := t.remembered.values[key]; !ok || old != *value {
			t.remembered.set(key, *value)
			t.forward = true
		}
	}
}

// slabSize is how many records are allocated at once.
const slabSize = 32

func (t *Task) newRecord() *kgo.Record {
	if len(t.slab) == 0 {
		t.slab = make([]kgo.Record, slabSize)
	}
	r := &t.slab[0]
	t.slab = t.slab[1:]
	return r
}
