package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/streams/internal/task"
)

// start makes a task run; it is an order.
func (w *worker) start(o *owned, from []task.Offset, ends map[topicPartition]int64) order {
	return func(ctx context.Context) error {
		if !w.r.tasks.advance(o, starting) {
			return nil // revoked meanwhile
		}
		if w.producer == nil {
			w.stalled = append(w.stalled, o)
			return nil
		}
		a := &active{owned: o, inputs: o.inputs}
		w.tasks = append(w.tasks, a) // also where it fails: it is tried again with the others
		if err := w.make(ctx, a, from); err != nil {
			return err
		}
		for tp, end := range ends {
			if err := a.SetEnd(tp.topic, tp.partition, end); err != nil {
				return err
			}
		}
		w.due = time.Time{}
		w.r.reader.release(a.inputs, w)
		w.r.tasks.advance(o, running)
		return nil
	}
}

func (w *worker) make(ctx context.Context, a *active, from []task.Offset) error {
	s := w.producer.sender(ctx)
	t, err := task.New(w.r.taskConfig(ctx, a.owned, from, s.produce))
	if err != nil {
		return fmt.Errorf("%w: %w", errUncaught, err)
	}
	a.Task = t
	s.acknowledged, s.refused = t.Produced, t.FailedProducing
	return nil
}

// release commits everything, and closes those tasks: others take them over. done is
// closed then, whether it was committed or not.
func (w *worker) release(gone []*owned, done chan<- struct{}) order {
	return func(ctx context.Context) error {
		defer close(done)
		err := w.endTasks(gone)
		if err == nil {
			err = w.commit(ctx)
		}
		w.drop(gone)
		return err
	}
}

// finish is the last order: everything is committed and closed.
func (w *worker) finish(done chan<- error) order {
	return func(ctx context.Context) error {
		var all []*owned
		for _, a := range w.tasks {
			all = append(all, a.owned)
		}
		err := w.endTasks(all)
		if err == nil {
			err = w.commit(ctx)
		}
		failed := err != nil || w.producer == nil
		w.abandon()
		if failed {
			w.fence(ctx)
		}
		w.stalled, w.retry = nil, never
		done <- err
		return nil
	}
}

// endTasks closes the nodes, so that their last records are part of the last commit.
func (w *worker) endTasks(gone []*owned) error {
	for _, o := range gone {
		if a := w.find(o); a != nil && a.Task != nil {
			if err := a.End(); err != nil {
				return err
			}
		}
	}
	return nil
}

// drop closes tasks as they are.
func (w *worker) drop(gone []*owned) {
	for _, o := range gone {
		w.stalled = slices.DeleteFunc(w.stalled, func(s *owned) bool { return s == o })
		for i, a := range w.tasks {
			if a.owned == o {
				w.closeTask(a)
				w.tasks = append(w.tasks[:i], w.tasks[i+1:]...)
				break
			}
		}
	}
}

// lose gives up tasks that others may run already: nothing of the present transaction may be
// committed, because it has what they did.
func (w *worker) lose(gone []*owned, done chan<- struct{}) order {
	return func(context.Context) error {
		defer close(done)
		found := false
		for _, o := range gone {
			found = found || w.find(o) != nil
		}
		if !found {
			return nil
		}
		w.drop(gone)
		return fmt.Errorf("%w of %d tasks", errFenced, len(gone))
	}
}
