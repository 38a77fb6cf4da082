package run

import (
	"slices"

	"github.com/pabal-dev/pabal/streams/internal/local"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// LocalStore is a store of a task that this process has, for queries.
type LocalStore struct {
	// Task of the store; a global store's has Partition -1.
	Task  plan.TaskID
	Store *plan.Store
	// Space has what is committed.
	Space local.Space
	// Active stores are their tasks' own, others are standbys' copies.
	Active bool
	// Ready stores are restored: an active one's task runs.
	Ready bool
	// Lag is how many changelog records are missing, roughly; -1 unknown. Of a store that is active
	// and ready 0.
	Lag int64
}

// Stores of that name in this process, in order of their tasks. They may change: see Changed.
func (r *Runtime) Stores(name string) []LocalStore {
	if !r.isReady() {
		return nil
	}
	out := r.globals.stores(name)
	out = append(out, r.tasks.stores(name)...)
	out = append(out, r.standbys.stores(name)...)
	slices.SortFunc(out, func(a, b LocalStore) int { return compareTasks(a.Task, b.Task) })
	return out
}

// isReady says that Start has made everything.
func (r *Runtime) isReady() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ready
}

// Changed is closed at the next change of the stores of this process, or of the state.
func (r *Runtime) Changed() <-chan struct{} { return r.change.wait() }

func (gs *globals) stores(name string) (out []LocalStore) {
	for _, g := range gs.all {
		if g.plan.Store.Name == name {
			out = append(out, LocalStore{Task: g.id, Store: g.plan.Store, Space: g.space, Active: true, Ready: true})
		}
	}
	return out
}

func (ts *tasks) stores(name string) (out []LocalStore) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for _, o := range ts.all {
		for i, s := range o.sub.Stores {
			if s.Name != name {
				continue
			}
			space, err := ts.r.db.Space(o.id, s.Name, s.Persistent)
			if err != nil {
				continue // the database is closed, or broken: its health says so
			}
			l := LocalStore{Task: o.id, Store: o.sub.Stores[i], Space: space, Active: true, Ready: o.phase == running}
			if !l.Ready {
				l.Lag = lagOf(o.jobs, name)
			}
			out = append(out, l)
		}
	}
	return out
}

func compareTasks(a, b plan.TaskID) int {
	if a.Sub != b.Sub {
		return int(a.Sub) - int(b.Sub)
	}
	return int(a.Partition) - int(b.Partition)
}
