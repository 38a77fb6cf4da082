package state

import "github.com/pabal-dev/pabal/streams/internal/plan"

// account tells the process's memory what a store holds, a few KiB at a time.
type account struct {
	memory        plan.Memory
	held, counted int64 // bytes; of held, what memory knows
}

func (a *account) holds(n int64) {
	a.held += n
	if d := a.held - a.counted; d > 8<<10 || d < -8<<10 {
		a.tell()
	}
}

func (a *account) tell() {
	if a.memory != nil {
		a.memory.Add(a.held - a.counted)
	}
	a.counted = a.held
}

// close gives everything back.
func (a *account) close() {
	a.held = 0
	a.tell()
}

// tight says that clean entries are to go.
func (a *account) tight() bool { return a.memory != nil && a.memory.Tight() }

// arena cuts slices from shared allocations, because a commit makes many small ones that
// live as long as one another.
type arena struct{ free []byte }

const arenaBytes = 32 << 10

// carve returns what fill appends.
func (a *arena) carve(fill func(dst []byte) []byte) []byte {
	if cap(a.free)-len(a.free) < 256 {
		a.free = make([]byte, 0, arenaBytes)
	}
	n := len(a.free)
	out := fill(a.free[n:n:cap(a.free)])
	if len(out) <= cap(a.free)-n {
		a.free = a.free[:n+len(out)]
	}
	return out[:len(out):len(out)]
}

// done lets go of what is in use, so that a few bytes do not keep all of it.
func (a *arena) done() {
	if len(a.free) > arenaBytes/2 {
		a.free = nil
	}
}
