package streamstest

import (
	"container/heap"
	"slices"
)

// order decides between records of equal times as Kafka Streams' driver does, so that both
// have the same results: there all tasks are one, whose queues are a heap by the time of
// their first records.
type order struct{ heads []head }

// head is a queue that has records.
type head struct {
	to   *running
	in   input
	time int64
}

func (o *order) Len() int           { return len(o.heads) }
func (o *order) Less(i, j int) bool { return o.heads[i].time < o.heads[j].time }
func (o *order) Swap(i, j int)      { o.heads[i], o.heads[j] = o.heads[j], o.heads[i] }
func (o *order) Push(x any)         { o.heads = append(o.heads, x.(head)) }
func (o *order) Pop() any {
	last := o.heads[len(o.heads)-1]
	o.heads = o.heads[:len(o.heads)-1]
	return last
}

// arrived notes that a queue has records.
func (o *order) arrived(r *running, in input) error {
	if slices.ContainsFunc(o.heads, func(h head) bool { return h.to == r && h.in == in }) {
		return nil
	}
	at, ok, err := r.task.Head(in.topic, in.partition)
	if ok && err == nil {
		heap.Push(o, head{r, in, at})
	}
	return err
}

// first is the task whose turn it is among those that are ready at that time, or nil where
// it waits for other records.
func (o *order) first(ready []*running, time int64) *running {
	if len(o.heads) == 0 || o.heads[0].time != time || !slices.Contains(ready, o.heads[0].to) {
		return nil
	}
	h := o.heads[0]
	h.to.task.Prefer(h.in.topic, h.in.partition)
	return h.to
}

// processed notes that a task has processed a record: that of the heap's root, if it is the
// task's, or any.
func (o *order) processed(r *running) error {
	var again []head
	if len(o.heads) > 0 && o.heads[0].to == r {
		again = append(again, heap.Pop(o).(head))
	} else {
		for i := len(o.heads) - 1; i >= 0; i-- {
			if o.heads[i].to == r {
				again = append(again, heap.Remove(o, i).(head))
			}
		}
	}
	for _, h := range again {
		if err := o.arrived(r, h.in); err != nil {
			return err
		}
	}
	return nil
}
