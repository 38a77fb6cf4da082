package batch

import "container/list"

// room bounds what was accepted, in bytes; who comes first gets room first.
type room struct {
	limit, used int
	waiting     list.List // of *waiter
}

type waiter struct {
	size int
	// grant is called once there is room, which is taken then.
	grant func()
}

// take takes room, or says that there is none for now.
func (r *room) take(size int) bool {
	if r.waiting.Len() > 0 || r.used+size > r.limit {
		return false
	}
	r.used += size
	return true
}

// wait queues for room; leave with what it returns.
func (r *room) wait(size int, grant func()) *list.Element {
	return r.waiting.PushBack(&waiter{size, grant})
}

func (r *room) leave(e *list.Element) {
	r.waiting.Remove(e)
	r.admit() // those behind may fit
}

func (r *room) giveBack(size int) {
	r.used -= size
	r.admit()
}

func (r *room) admit() {
	for e := r.waiting.Front(); e != nil; e = r.waiting.Front() {
		w := e.Value.(*waiter)
		if r.used+w.size > r.limit {
			return
		}
		r.waiting.Remove(e)
		r.used += w.size
		w.grant()
	}
}

// clear sends everybody away who waits; they must know it from elsewhere.
func (r *room) clear() {
	for e := r.waiting.Front(); e != nil; e = r.waiting.Front() {
		r.waiting.Remove(e)
	}
}
