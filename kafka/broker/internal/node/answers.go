package node

import "sync"

// answers are batches of sets whose fate is open, in the order of the log.
type answers struct {
	mu      sync.Mutex
	changed sync.Cond
	waiting []*answer
	first   uint64 // the number of the first one that waits
	last    bool   // no more come
	failed  error
}

// answer is one batch.
type answer struct {
	sets    []set
	settled bool
	err     error
}

// add returns the number of a batch, for settle.
func (a *answers) add(sets []set) uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = append(a.waiting, &answer{sets: sets})
	return a.first + uint64(len(a.waiting)) - 1
}

// settle says whether a batch is durable. It does not block.
func (a *answers) settle(number uint64, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.waiting[number-a.first]
	w.settled, w.err = true, err
	a.changed.Signal()
}

// close says that no more come.
func (a *answers) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = true
	a.changed.Signal()
}

// give answers in order until the last one.
func (a *answers) give() {
	for next := a.next(); next != nil; next = a.next() {
		for _, s := range next.sets {
			s.done(next.err)
		}
	}
}

// next waits for the next batch to be settled. After a failure all fail, though their
// records be in the log.
func (a *answers) next() *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	for !(a.last && len(a.waiting) == 0) && !(len(a.waiting) > 0 && a.waiting[0].settled) {
		a.changed.Wait()
	}
	if len(a.waiting) == 0 {
		return nil
	}
	next := a.waiting[0]
	a.waiting = a.waiting[1:]
	a.first++
	if next.err != nil && a.failed == nil {
		a.failed = next.err
	}
	if a.failed != nil {
		next.err = a.failed
	}
	return next
}
