package run

import (
	"context"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// within a bound that has nothing to do with the context of a Stop.
func within(t testing.TB, what string, limit time.Duration, do func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); do() }()
	select {
	case <-done:
	case <-time.After(limit):
		stacks := make([]byte, 1<<20)
		t.Fatalf("%s takes longer than %s\n%s", what, limit, stacks[:runtime.Stack(stacks, true)])
	}
}

// nobodyIn the group, and nobody in the folder.
func nobodyIn(t testing.TB, admin *kadm.Client, r *Runtime) {
	t.Helper()
	testenv.Wait(t, "the group is empty", 30*time.Second, func() bool {
		groups, err := admin.DescribeGroups(deadline(t), r.cfg.group())
		if err != nil {
			t.Fatal(err)
		}
		return len(groups[r.cfg.group()].Members) == 0
	})
	if err := r.CleanUp(); err != nil {
		t.Error(err)
	}
}

// TestStopDuringStart stops at any moment of a start: both return, and nothing is left.
func TestStopDuringStart(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 2, "in", "out", "lookup")
	random, admin := testenv.Rand(t), kadm.NewClient(client(t, k))
	cfg := configure(t, k)
	cfg.SessionTimeout = 30 * time.Second // who has not left is still there
	topic := plan.Topic{Name: "lookup"}
	cfg.Topology.Globals = []*plan.Global{{Topic: topic, Store: &plan.Store{Name: "lookup", Global: true, Persistent: true, Restored: restoreCounts},
		Nodes: []*plan.Node{{Name: "global", Kind: plan.SourceNode, Topics: []plan.Topic{topic}}}}}
	began := time.Now()
	first := begin(t, cfg)
	span := time.Since(began)
	awaitRunning(t, first)
	stop(t, first)
	nobodyIn(t, admin, first)
	before, interrupted := runtime.NumGoroutine(), 0
	for n := range 40 {
		r := New(cfg)
		started := make(chan error, 1)
		go func() { started <- r.Start(deadline(t)) }()
		time.Sleep(time.Duration(random.Int64N(int64(3 * span / 2)))) // no state is waited for
		within(t, "Stop", 30*time.Second, func() {
			if err := r.Stop(deadline(t)); err != nil {
				t.Error(err)
			}
		})
		within(t, "Start", 30*time.Second, func() {
			if err := <-started; err != nil {
				interrupted++
			}
		})
		if r.Err() != nil || r.State() != NotRunning && r.State() != Created {
			t.Errorf("it is %s and says %v", r.State(), r.Err())
		}
		if n%8 == 0 {
			nobodyIn(t, admin, r)
		}
	}
	t.Logf("%d starts were interrupted; one takes %s", interrupted, span)
	nobodyIn(t, admin, first)
	testenv.Wait(t, "goroutines end", 30*time.Second, func() bool { return runtime.NumGoroutine() <= before+10 })
}

// TestStopEndsAStartThatWaits for brokers that do not answer.
func TestStopEndsAStartThatWaits(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	l, through := newLine(t, k)
	through.RequestTimeout = time.Second // bounds also the first words with a broker
	cfg := configure(t, through)
	l.freeze()
	r := New(cfg)
	started := make(chan error, 1)
	go func() { started <- r.Start(context.Background()) }()
	testenv.Wait(t, "it starts", 30*time.Second, func() bool { return r.State() == Rebalancing })
	within(t, "Stop", 30*time.Second, func() { stop(t, r) })
	within(t, "Start", 30*time.Second, func() {
		if err := <-started; err == nil || !strings.Contains(err.Error(), "stopped before") {
			t.Error(err)
		}
	})
	if r.Err() != nil || r.State() != NotRunning {
		t.Errorf("it is %s and says %v", r.State(), r.Err())
	}
}

// TestStopWithoutBrokers ends soon after its context, also where the farewell reaches nobody.
func TestStopWithoutBrokers(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 2, "in", "out")
	l, through := newLine(t, k)
	r := begin(t, configure(t, through))
	awaitRunning(t, r)
	feed(t, k, client(t, k), 100)
	l.freeze()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	within(t, "Stop", 30*time.Second, func() { r.Stop(ctx) })
}

// TestListenerThatStops may wait for the end: it is not waited for in turn.
func TestListenerThatStops(t *testing.T) {
	k := kafkatestConfig(t)
	makeTopics(t, k, 1, "in", "out")
	cfg := configure(t, k)
	var r *Runtime
	cfg.OnState = func(_, to State) {
		if to == Running {
			r.Stop(context.Background())
		}
	}
	r = New(cfg)
	if err := r.Start(deadline(t)); err != nil {
		t.Fatal(err)
	}
	within(t, "Stop", 60*time.Second, func() { <-r.Done() })
}

// TestStopAtAnyMoment of restores, standbys and rebalances: instances come and go, some without
// any time for it.
func TestStopAtAnyMoment(t *testing.T) {
	slowBrokers(t, func(t *testing.T, k kafka.Config) {
		random := testenv.Rand(t)
		makeTopics(t, k, 6, "in", "out")
		cfg := configure(t, k)
		cfg.Standbys, cfg.Workers, cfg.MaxWarmups, cfg.AcceptableLag = 1, 2, 4, 0
		cfg.ProbeInterval = 200 * time.Millisecond
		c, out, total := client(t, k), newOutput(t, k), int64(0)
		var folders []Config
		for range 3 {
			folders = append(folders, another(t, cfg))
		}
		running := make([]*Runtime, len(folders))
		until := time.Now().Add(8 * time.Second)
		for n := 0; time.Now().Before(until); n++ {
			i := random.IntN(len(folders))
			if r := running[i]; r != nil {
				stopSomehow(t, random, r)
				running[i] = nil
			} else {
				running[i] = begin(t, folders[i])
			}
			feed(t, k, c, 100)
			total += 100
			time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond) // no state is waited for
		}
		for _, r := range running {
			if r != nil {
				stopSomehow(t, random, r)
			}
		}
		begin(t, folders[0])
		out.await(t, total)
	})
}

func stopSomehow(t testing.TB, random *rand.Rand, r *Runtime) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(4))*500*time.Millisecond)
	defer cancel()
	within(t, "Stop", 45*time.Second, func() { r.Stop(ctx) })
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}
