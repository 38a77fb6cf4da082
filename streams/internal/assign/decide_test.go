package assign

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
)

func every(int) bool { return true }

func even(sub int) bool { return sub%2 == 0 }

// balanced: stateful tasks, all tasks and copies by workers; tasks of a sub-topology.
func (w *world) balanced(spread int) {
	w.t.Helper()
	type counts struct{ stateful, all, copies float64 }
	var low, high counts
	subs := map[int32][2]int{}
	first := true
	for _, p := range w.procs {
		var c counts
		perSub := map[int32]int{}
		for id := range p.active {
			perSub[id.Sub]++
			c.all++
			if w.ends[id] > 0 {
				c.stateful++
			}
		}
		c.copies = c.stateful + float64(len(p.follows))
		n := float64(p.workers)
		c = counts{c.stateful / n, c.all / n, c.copies / n}
		if first {
			low, high = c, c
			for _, task := range w.in.Tasks {
				subs[task.ID.Sub] = [2]int{perSub[task.ID.Sub], perSub[task.ID.Sub]}
			}
			first = false
		}
		low = counts{min(low.stateful, c.stateful), min(low.all, c.all), min(low.copies, c.copies)}
		high = counts{max(high.stateful, c.stateful), max(high.all, c.all), max(high.copies, c.copies)}
		for sub, lh := range subs {
			subs[sub] = [2]int{min(lh[0], perSub[sub]), max(lh[1], perSub[sub])}
		}
	}
	if high.stateful-low.stateful > 1 || high.all-low.all > 1 || high.copies-low.copies > 1 {
		w.t.Fatalf("tasks per worker from %+v to %+v: %s", low, high, w)
	}
	if spread < 0 {
		return
	}
	for sub, lh := range subs {
		if lh[1]-lh[0] > spread {
			w.t.Fatalf("members have from %d to %d tasks of sub-topology %d: %s", lh[0], lh[1], sub, w)
		}
	}
}

func TestFreshGroup(t *testing.T) {
	for _, members := range []int{1, 2, 3, 5, 8} {
		for standbys := range 3 {
			w := newWorld(t, testenv.Rand(t), 3, 6, even)
			w.in.Standbys = standbys
			for range members {
				w.join(2)
			}
			if n := w.settle(2); n > 1 {
				t.Errorf("%d members: %d rounds", members, n)
			}
			w.balanced(1)
			for id := range w.ends {
				n := 0
				for _, p := range w.procs {
					if p.follows[id] {
						n++
					}
				}
				if want := min(standbys, members-1); n != want {
					t.Errorf("%d members: %v has %d standbys, want %d", members, id, n, want)
				}
			}
		}
	}
}

// TestJoin: a new member warms up, two tasks at a time, and gets its share and no more.
func TestJoin(t *testing.T) {
	w := newWorld(t, testenv.Rand(t), 2, 6, every)
	w.join(1)
	w.join(1)
	w.settle(3)
	c := w.join(1)
	r := Assign(w.input())
	if s := r.Members[c]; len(s.Active) != 0 || len(s.Warmups) != 2 || !r.Probe {
		t.Fatalf("it got %+v, probing %v", s, r.Probe)
	}
	w.moved = 0
	w.settle(20)
	w.balanced(1)
	if w.moved != 4 {
		t.Errorf("%d moves, 4 are needed: %s", w.moved, w)
	}
}

// TestStandbyTakesOver: what a dead member had goes to its standby, at once.
func TestStandbyTakesOver(t *testing.T) {
	w := newWorld(t, testenv.Rand(t), 1, 9, every)
	w.in.Standbys = 1
	a, _, _ := w.join(1), w.join(1), w.join(1)
	w.settle(3)
	w.pass(true)
	died := w.procs[a].active
	followers := map[TaskID]string{}
	for name, p := range w.procs {
		for id := range p.follows {
			followers[id] = name
		}
	}
	delete(w.procs, a)
	r := Assign(w.input())
	for id := range died {
		if name := followers[id]; !set(r.Members[name].Active)[id] {
			t.Errorf("%v was followed by %s, which got %v", id, name, r.Members[name].Active)
		}
	}
	w.moved = 0
	w.settle(20)
	w.balanced(1)
	if w.moved > 1 {
		t.Errorf("%d tasks were moved from the living", w.moved)
	}
}

func TestWorkersAreCapacity(t *testing.T) {
	w := newWorld(t, testenv.Rand(t), 1, 12, every)
	one, three := w.join(1), w.join(3)
	w.settle(3)
	if a, b := len(w.procs[one].active), len(w.procs[three].active); a != 3 || b != 9 {
		t.Errorf("one worker has %d tasks, three have %d", a, b)
	}
}

// TestBlind: without lags nothing moves, and what is free goes to who has most of it.
func TestBlind(t *testing.T) {
	id := func(p int32) TaskID { return TaskID{Partition: p} }
	in := Input{AcceptableLag: 10, MaxWarmups: 2, Blind: true, Tasks: []Task{
		{ID: id(0), Stateful: true, Size: 100}, {ID: id(1), Stateful: true, Size: 100},
		{ID: id(2), Stateful: true, Size: 100}, {ID: id(3), Stateful: true, Size: 100}},
		Members: []Member{
			{ID: "a", Process: "a", Workers: 1, Active: []TaskID{id(0), id(1), id(2)}},
			{ID: "b", Process: "b", Workers: 1, Lags: map[TaskID]int64{id(3): 40, id(0): 0}},
			{ID: "c", Process: "c", Workers: 1, Lags: map[TaskID]int64{id(3): 0}}}}
	r := Assign(in)
	want := map[string]Share{"a": {Active: []TaskID{id(0), id(1), id(2)}}, "b": {}, "c": {Active: []TaskID{id(3)}}}
	if !reflect.DeepEqual(r.Members, want) || !r.Probe {
		t.Errorf("got %+v", r)
	}
}

// TestAway: a static member that is not back keeps its tasks, however crowded the others are.
func TestAway(t *testing.T) {
	w := newWorld(t, testenv.Rand(t), 2, 4, even)
	w.in.Standbys = 1
	a, _ := w.join(1), w.join(1)
	w.settle(5)
	had := fmt.Sprint(sorted(w.procs[a].active))
	w.procs[a].away = true
	w.join(1)
	w.settle(20)
	if now := fmt.Sprint(sorted(w.procs[a].active)); now != had {
		t.Errorf("it had %s and has %s", had, now)
	}
	w.procs[a].away = false
	w.settle(20)
	w.balanced(1)
}

// TestUnable: during an upgrade tasks of a new topic go to who knows it.
func TestUnable(t *testing.T) {
	w := newWorld(t, testenv.Rand(t), 2, 4, even)
	a, b := w.join(1), w.join(1)
	w.procs[a].unable = map[TaskID]bool{}
	for p := range int32(4) {
		w.procs[a].unable[TaskID{Sub: 1, Partition: p}] = true
	}
	w.settle(20)
	if len(w.procs[a].active) != 2 || len(w.procs[b].active) != 6 {
		t.Errorf("%s", w)
	}
	r := Assign(Input{Tasks: w.in.Tasks, Members: []Member{{ID: "x", Process: "x", Workers: 1, Unable: w.procs[a].unable}}})
	if len(r.Members["x"].Active) != 4 {
		t.Errorf("it knows four of the tasks and got %v", r.Members["x"].Active)
	}
}

// TestSameProcess: two members of one process never have two copies of a store.
func TestSameProcess(t *testing.T) {
	in := Input{Standbys: 1, AcceptableLag: 10, MaxWarmups: 2, Members: []Member{
		{ID: "a", Process: "x", Workers: 1}, {ID: "b", Process: "x", Workers: 1}, {ID: "c", Process: "y", Workers: 1}}}
	for p := range int32(6) {
		in.Tasks = append(in.Tasks, Task{ID: TaskID{Partition: p}, Stateful: true, Size: 1000})
	}
	r := Assign(in)
	x := append(r.Members["a"].Active, r.Members["b"].Active...)
	if len(r.Members["c"].Standbys) != len(x) || len(r.Members["a"].Standbys)+len(r.Members["b"].Standbys) != len(r.Members["c"].Active) {
		t.Errorf("%+v", r.Members)
	}
}

// TestHistories: whatever happens to a group, each decision is sound, it comes to rest, and
// is balanced then.
func TestHistories(t *testing.T) {
	rng := testenv.Rand(t)
	for range 150 {
		w := newWorld(t, rng, 1+rng.IntN(4), 1+rng.IntN(8), func(sub int) bool { return sub%3 != 1 })
		w.in.Standbys, w.in.MaxWarmups = rng.IntN(3), 1+rng.IntN(4)
		workers := 1 + rng.IntN(3)
		w.join(workers)
		for range 30 {
			w.event(workers)
			w.round()
			w.pass(false)
		}
		rounds := w.settle(4*len(w.in.Tasks)*(1+w.in.Standbys) + 20)
		w.balanced(2)
		before := w.String()
		w.moved = 0
		if w.round() || w.moved > 0 {
			t.Fatalf("after %d rounds it was at rest and moved on from %s\nto %s", rounds, before, w)
		}
	}
}

func (w *world) event(workers int) {
	names := w.names()
	switch n := w.rng.IntN(10); {
	case n < 3 && len(names) < 8:
		w.join(workers)
	case n < 5 && len(names) > 1:
		delete(w.procs, names[w.rng.IntN(len(names))])
	case n == 5:
		p := w.procs[names[w.rng.IntN(len(names))]]
		clear(p.offsets) // lost its disk, came back as another
		clear(p.active)
		clear(p.planned)
		clear(p.follows)
	case n == 6:
		for id := range w.ends {
			if w.ends[id] > 0 {
				w.ends[id] += w.rng.Int64N(20_000)
			}
		}
	}
}

// TestMoves: how many tasks leave a living owner when somebody comes or goes.
func TestMoves(t *testing.T) {
	rng := testenv.Rand(t)
	for range 60 {
		subs, partitions := 1+rng.IntN(3), 2+rng.IntN(8)
		w := newWorld(t, rng, subs, partitions, every)
		for range 2 + rng.IntN(4) {
			w.join(1)
		}
		w.settle(100)
		tasks, members := subs*partitions, len(w.procs)
		w.moved = 0
		w.join(1)
		w.settle(100)
		if most := tasks/(members+1) + subs; w.moved > most {
			t.Fatalf("%d tasks of %d moved when one joined %d, want at most %d", w.moved, tasks, members, most)
		}
		delete(w.procs, w.names()[rng.IntN(members+1)])
		w.moved = 0
		w.settle(100)
		if most := subs * 2; w.moved > most {
			t.Fatalf("%d tasks of %d moved when one of %d left, want at most %d", w.moved, tasks, members+1, most)
		}
	}
}

// TestLarge: a thousand tasks are no matter of seconds.
func TestLarge(t *testing.T) {
	w := newWorld(t, testenv.Rand(t), 10, 100, even)
	w.in.Standbys, w.in.MaxWarmups = 1, 50
	for range 40 {
		w.join(4)
	}
	start := time.Now()
	w.round()
	w.join(4)
	w.round()
	t.Logf("two decisions about %d tasks for 40 members took %s", len(w.in.Tasks), time.Since(start))
	w.settle(20)
	w.balanced(-1)
}
