package run

import (
	"context"
	"sync"
	"time"
)

// ends looks up what brokers have of partitions for which tasks wait, so that a task with
// several inputs knows when there is nothing to wait for.
type ends struct {
	r    *Runtime
	mail chan struct{}

	mu    sync.Mutex
	asked map[topicPartition]question
}

type question struct {
	o *owned
	w *worker
}

// endsEvery is the least time between two look-ups.
const endsEvery = 10 * time.Millisecond

func newEnds(r *Runtime) *ends {
	return &ends{r: r, mail: make(chan struct{}, 1), asked: map[topicPartition]question{}}
}

// ask has the end told to the task, soon.
func (e *ends) ask(tp topicPartition, o *owned, w *worker) {
	e.mu.Lock()
	e.asked[tp] = question{o, w}
	e.mu.Unlock()
	select {
	case e.mail <- struct{}{}:
	default:
	}
}

func (e *ends) run(ctx context.Context) {
	for {
		select {
		case <-e.mail:
		case <-ctx.Done():
			return
		}
		e.answer(ctx)
		select {
		case <-time.After(endsEvery):
		case <-ctx.Done():
			return
		}
	}
}

func (e *ends) answer(ctx context.Context) {
	e.mu.Lock()
	asked := e.asked
	e.asked = map[topicPartition]question{}
	e.mu.Unlock()
	parts := make([]topicPartition, 0, len(asked))
	for tp := range asked {
		parts = append(parts, tp)
	}
	if len(parts) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	found, err := fetchEnds(ctx, e.r.admin, parts)
	if err != nil {
		e.r.problems.Report("looking up the ends of partitions", err)
		return
	}
	e.r.problems.Solve("looking up the ends of partitions")
	for tp, end := range found {
		q := asked[tp]
		q.w.order(func(context.Context) error {
			if a := q.w.find(q.o); a != nil {
				return a.SetEnd(tp.topic, tp.partition, end)
			}
			return nil
		})
	}
}
