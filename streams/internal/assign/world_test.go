package assign

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
)

// world is a group and its processes' disks, over many decisions.
type world struct {
	t     testing.TB
	rng   *rand.Rand
	in    Input // what does not change from round to round
	procs map[string]*proc
	ends  map[TaskID]int64
	next  int
	moved int // tasks taken from an owner that is still there, so far
}

type proc struct {
	workers int
	active  map[TaskID]bool
	planned map[TaskID]bool
	follows map[TaskID]bool
	offsets map[TaskID]int64
	away    bool
	unable  map[TaskID]bool
}

func newWorld(t testing.TB, rng *rand.Rand, subs, partitions int, stateful func(sub int) bool) *world {
	w := &world{t: t, rng: rng, procs: map[string]*proc{}, ends: map[TaskID]int64{}}
	w.in.AcceptableLag, w.in.MaxWarmups = 100, 2
	for s := range subs {
		for p := range partitions {
			id := TaskID{Sub: int32(s), Partition: int32(p)}
			w.in.Tasks = append(w.in.Tasks, Task{ID: id, Stateful: stateful(s)})
			if stateful(s) {
				w.ends[id] = 100_000
			}
		}
	}
	return w
}

func (w *world) join(workers int) string {
	w.next++
	name := fmt.Sprintf("p%02d", w.next)
	w.procs[name] = &proc{workers: workers, active: map[TaskID]bool{}, planned: map[TaskID]bool{}, follows: map[TaskID]bool{}, offsets: map[TaskID]int64{}}
	return name
}

func (w *world) input() Input {
	in := w.in
	in.Tasks = nil
	for _, task := range w.in.Tasks {
		task.Size = w.ends[task.ID]
		in.Tasks = append(in.Tasks, task)
	}
	for name, p := range w.procs {
		m := Member{ID: name, Process: name, Workers: p.workers, Away: p.away, Lags: map[TaskID]int64{}, Unable: p.unable,
			Active: slices.Collect(maps.Keys(p.active)), Planned: slices.Collect(maps.Keys(p.planned)), Standbys: slices.Collect(maps.Keys(p.follows))}
		for id, at := range p.offsets {
			if !p.active[id] {
				m.Lags[id] = w.ends[id] - at
			}
		}
		in.Members = append(in.Members, m)
	}
	w.rng.Shuffle(len(in.Members), func(i, j int) { in.Members[i], in.Members[j] = in.Members[j], in.Members[i] })
	w.rng.Shuffle(len(in.Tasks), func(i, j int) { in.Tasks[i], in.Tasks[j] = in.Tasks[j], in.Tasks[i] })
	return in
}

// round decides and does what was decided, as the cooperative protocol does it. It returns
// whether there is more to do.
func (w *world) round() (again bool) {
	in := w.input()
	r := Assign(in)
	w.check(in, r)
	owner := map[TaskID]string{}
	for name, p := range w.procs {
		for id := range p.active {
			owner[id] = name
		}
	}
	revoked := false
	for name, share := range r.Members {
		p := w.procs[name]
		p.planned, p.follows = map[TaskID]bool{}, set(slices.Concat(share.Standbys, share.Warmups))
		for _, id := range share.Active {
			if o := owner[id]; o != "" && o != name {
				p.planned[id], p.follows[id] = true, w.ends[id] > 0
				delete(w.procs[o].active, id)
				w.procs[o].offsets[id] = w.ends[id]
				w.moved++
				revoked = true
				continue
			}
			p.active[id] = true
			if w.ends[id] > 0 {
				p.offsets[id] = w.ends[id]
			}
		}
	}
	for _, p := range w.procs {
		for id := range p.offsets {
			if !p.active[id] && !p.follows[id] && w.rng.IntN(10) == 0 {
				delete(p.offsets, id) // cleaned up
			}
		}
	}
	return r.Probe || revoked
}

// pass lets stores be filled.
func (w *world) pass(completely bool) {
	for id := range w.ends {
		w.ends[id] += w.rng.Int64N(50)
	}
	for _, p := range w.procs {
		for id := range p.follows {
			if end := w.ends[id]; end > 0 {
				at := p.offsets[id]
				if completely || w.rng.IntN(2) == 0 {
					at = end
				} else {
					at += w.rng.Int64N(end - at + 1)
				}
				p.offsets[id] = at
			}
		}
	}
}

// settle goes on until nothing is left to do.
func (w *world) settle(most int) (rounds int) {
	w.t.Helper()
	for rounds = 1; w.round(); rounds++ {
		if rounds > most {
			w.t.Fatalf("no end after %d rounds: %s", rounds, w)
		}
		w.pass(true)
	}
	return rounds
}

func (w *world) String() string {
	out := ""
	for _, name := range slices.Sorted(maps.Keys(w.procs)) {
		p := w.procs[name]
		out += fmt.Sprintf("\n%s workers=%d active=%v follows=%v planned=%v", name, p.workers, sorted(p.active), sorted(p.follows), sorted(p.planned))
	}
	return out
}

func sorted(ids map[TaskID]bool) []TaskID {
	return slices.SortedFunc(maps.Keys(ids), compareIDs)
}

// check what holds of every decision.
func (w *world) check(in Input, r Result) {
	w.t.Helper()
	if len(r.Members) != len(in.Members) {
		w.t.Fatalf("%d shares for %d members", len(r.Members), len(in.Members))
	}
	active := map[TaskID]string{}
	copies := map[TaskID]map[string]int{}
	note := func(id TaskID, name string) {
		if copies[id] == nil {
			copies[id] = map[string]int{}
		}
		if copies[id][name]++; copies[id][name] > 1 {
			w.t.Fatalf("%s has several copies of %v: %+v", name, id, r.Members)
		}
	}
	warmups := 0
	for name, share := range r.Members {
		warmups += len(share.Warmups)
		for _, id := range share.Active {
			if active[id] != "" {
				w.t.Fatalf("%v is active on %s and %s", id, active[id], name)
			}
			active[id] = name
			note(id, name)
		}
		for _, id := range slices.Concat(share.Standbys, share.Warmups) {
			if w.ends[id] == 0 {
				w.t.Fatalf("the stateless %v has a standby on %s", id, name)
			}
			note(id, name)
		}
		if w.procs[name].away {
			for _, id := range share.Active {
				if !w.procs[name].active[id] {
					w.t.Fatalf("%s is away and got %v", name, id)
				}
			}
		}
	}
	for _, task := range in.Tasks {
		if active[task.ID] == "" {
			w.t.Fatalf("nobody runs %v: %+v", task.ID, r.Members)
		}
	}
	if warmups > in.MaxWarmups {
		w.t.Fatalf("%d warm-ups, at most %d are allowed", warmups, in.MaxWarmups)
	}
	w.checkFilled(in, active)
}

// checkFilled: who runs a task has its stores, if anybody has.
func (w *world) checkFilled(in Input, active map[TaskID]string) {
	w.t.Helper()
	for _, task := range in.Tasks {
		id := task.ID
		if !task.Stateful {
			continue
		}
		lag := func(p *proc) int64 {
			if p.active[id] {
				return -1
			}
			return w.ends[id] - p.offsets[id]
		}
		mine := lag(w.procs[active[id]])
		for name, p := range w.procs {
			if theirs := lag(p); theirs < mine && mine > in.AcceptableLag && !p.away {
				w.t.Fatalf("%v went to %s, which lacks %d, and %s lacks %d", id, active[id], mine, name, theirs)
			}
		}
	}
}

func (w *world) names() []string { return slices.Sorted(maps.Keys(w.procs)) }
