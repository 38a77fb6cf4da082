package coord

import (
	"container/heap"
	"time"
)

// timers are deadlines by key, earliest first; equal ones in the order of set.
type timers struct {
	queue queue
	byKey map[any]*timer
	sets  uint64
}

type timer struct {
	key   any
	at    time.Time
	order uint64
	fire  func()
	index int
}

func newTimers() timers { return timers{byKey: map[any]*timer{}} }

func (t *timers) set(key any, at time.Time, fire func()) {
	t.cancel(key)
	t.sets++
	entry := &timer{key: key, at: at, order: t.sets, fire: fire}
	t.byKey[key] = entry
	heap.Push(&t.queue, entry)
}

func (t *timers) cancel(key any) {
	if entry, ok := t.byKey[key]; ok {
		heap.Remove(&t.queue, entry.index)
		delete(t.byKey, key)
	}
}

func (t *timers) next() (time.Time, bool) {
	if len(t.queue) == 0 {
		return time.Time{}, false
	}
	return t.queue[0].at, true
}

// pop takes out the earliest deadline that is not after now; nil if there is none.
func (t *timers) pop(now time.Time) func() {
	if len(t.queue) == 0 || t.queue[0].at.After(now) {
		return nil
	}
	entry := heap.Pop(&t.queue).(*timer)
	delete(t.byKey, entry.key)
	return entry.fire
}

// queue is a heap that tells its entries where they are.
type queue []*timer

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].order < q[j].order
	}
	return q[i].at.Before(q[j].at)
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	entry := x.(*timer)
	entry.index = len(*q)
	*q = append(*q, entry)
}

func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}
