package run

import (
	"context"
	"errors"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// TestWorkersComeAndGoUnderLoad: each record is counted once, and the group notices nothing.
func TestWorkersComeAndGoUnderLoad(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		random := testenv.Rand(t)
		makeTopics(t, k, 6, "in", "out")
		out := newOutput(t, k)
		r := begin(t, unhurried(t, k))
		awaitRunning(t, r)
		_, generation := r.group.client.GroupMetadata()
		total := load(t, k)
		want := 1
		for n := range 12 {
			change, by := r.AddWorker, 1
			if n > 2 && random.IntN(2) == 0 && want > 1 {
				change, by = r.RemoveWorker, -1
			}
			want += by
			if got, err := change(deadline(t)); got != want || err != nil {
				t.Fatalf("%d workers, want %d: %v", got, want, err)
			}
			if n == 2 {
				tasksOfEach(t, r, 2)
			}
		}
		for ; want > 1; want-- {
			if _, err := r.RemoveWorker(deadline(t)); err != nil {
				t.Fatal(err)
			}
		}
		awaitRunning(t, r)
		if _, err := r.RemoveWorker(deadline(t)); !errors.Is(err, ErrLastWorker) {
			t.Errorf("the last worker: %v", err)
		}
		out.await(t, total())
		if _, now := r.group.client.GroupMetadata(); now != generation || r.meter.aborts.Load() > 0 {
			t.Errorf("generation %d became %d, and %d transactions were given up", generation, now, r.meter.aborts.Load())
		}
	})
}

// tasksOfEach worker differ by one at most.
func tasksOfEach(t testing.TB, r *Runtime, least int) {
	t.Helper()
	r.tasks.mu.Lock()
	defer r.tasks.mu.Unlock()
	at := map[*worker]int{}
	for _, o := range r.tasks.all {
		at[o.worker]++
	}
	for _, w := range r.tasks.workers {
		if n := at[w]; n < least-1 || n > least {
			t.Errorf("worker %d has %d tasks", w.number, n)
		}
	}
}

func TestWorkersOfAnAppThatDoesNotRun(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	r := New(configure(t, k))
	if _, err := r.AddWorker(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Errorf("before Start: %v", err)
	}
	if err := r.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.AddWorker(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("without time: %v", err)
	}
	stop(t, r)
	if _, err := r.AddWorker(deadline(t)); !errors.Is(err, ErrNotRunning) {
		t.Errorf("after Stop: %v", err)
	}
}

func TestEven(t *testing.T) {
	workers := []*worker{{number: 0}, {number: 1}, {number: 2}}
	for name, c := range map[string]struct {
		at    []int // the worker of each task
		pool  []*worker
		moves int
	}{
		"nothing to do":        {[]int{0, 1, 2, 0}, workers, 0},
		"one more":             {[]int{0, 0, 0, 1, 1, 1}, workers, 2},
		"one is gone":          {[]int{0, 0, 1, 1, 2, 2}, workers[:2], 2},
		"one alone":            {[]int{0, 1, 2}, workers[:1], 2},
		"more workers":         {[]int{1}, workers, 0},
		"no tasks":             {nil, workers, 0},
		"the one that was new": {[]int{0, 0, 0, 0}, workers[:2], 2},
	} {
		all := map[plan.TaskID]*owned{}
		for n, at := range c.at {
			id := plan.TaskID{Partition: int32(n)}
			all[id] = &owned{id: id, worker: workers[at]}
		}
		moves := even(all, c.pool)
		count := map[*worker]int{}
		for _, o := range all {
			if to := moves[o]; to != nil {
				count[to]++
			} else {
				count[o.worker]++
			}
		}
		for _, w := range c.pool {
			if n := count[w]; n < len(all)/len(c.pool) || n > len(all)/len(c.pool)+1 {
				t.Errorf("%s: worker %d has %d tasks", name, w.number, n)
			}
		}
		if len(moves) != c.moves {
			t.Errorf("%s: %d moves, want %d", name, len(moves), c.moves)
		}
	}
}
