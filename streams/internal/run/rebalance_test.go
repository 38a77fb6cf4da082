package run

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/plan"
)

// another instance of the same application has a folder of its own.
func another(t testing.TB, cfg Config) Config {
	cfg.StateDir = t.TempDir()
	return cfg
}

func awaitRunning(t testing.TB, all ...*Runtime) {
	t.Helper()
	testenv.Wait(t, "RUNNING", 60*time.Second, func() bool {
		for _, r := range all {
			if r.State() != Running {
				return false
			}
		}
		return true
	})
}

// load feeds until it is told to stop, and then says how many.
func load(t testing.TB, k kafka.Config) (stop func() int64) {
	ctx, cancel := context.WithCancel(t.Context())
	c, total := client(t, k), make(chan int64)
	go func() {
		var n int64
		for ctx.Err() == nil {
			feed(t, k, c, 50)
			n += 50
			time.Sleep(time.Millisecond)
		}
		total <- n
	}()
	return func() int64 { cancel(); return <-total }
}

func TestInstancesComeAndGoUnderLoad(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 6, "in", "out")
		cfg := configure(t, k)
		cfg.Workers, cfg.Standbys = 2, 1
		out := newOutput(t, k)
		total := load(t, k)
		first := begin(t, cfg)
		awaitRunning(t, first)
		second, third := begin(t, another(t, cfg)), begin(t, another(t, cfg))
		testenv.Wait(t, "tasks on all three", 60*time.Second, func() bool {
			return len(first.tasks.stats()) > 0 && len(second.tasks.stats()) > 0 && len(third.tasks.stats()) > 0
		})
		awaitRunning(t, first, second, third)
		stop(t, first)
		awaitRunning(t, second, third)
		fourth := begin(t, another(t, cfg))
		awaitRunning(t, fourth)
		forget(second) // without a farewell
		out.await(t, total())
		for _, r := range []*Runtime{third, fourth} {
			if n := r.meter.aborts.Load(); n > 0 {
				t.Logf("%d transactions were given up", n)
			}
		}
	})
}

func TestAPoisonRecordStopsAndIsNamed(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out")
		r := begin(t, configure(t, k))
		poisonAfter(t, k, 20)
		select {
		case <-r.Done():
		case <-deadline(t).Done():
			t.Fatal("it goes on")
		}
		var f *plan.Failure
		if err := r.Err(); !errors.As(err, &f) || f.Record.Offset != 20 || f.Record.Topic != k.Topic("in") || r.State() != Errored {
			t.Errorf("%s: %v", r.State(), err)
		}
	})
}

func TestVerdictsAndPolicies(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out", "app-dead-letters")
		cfg := unhurried(t, k)
		verdicts := make(chan plan.Verdict, 2)
		verdicts <- plan.Stop // and begin anew
		verdicts <- plan.DeadLetter
		cfg.OnFailure = func(*plan.Failure) plan.Verdict { return <-verdicts }
		cfg.OnUncaught = func(error) Uncaught { return ReplaceThread }
		out := newOutput(t, k)
		r := begin(t, cfg)
		poisonAfter(t, k, 20)
		feed(t, k, client(t, k), 100)
		out.await(t, 120)
		if r.State() != Running || r.meter.aborts.Load() != 1 {
			t.Errorf("it is %s after %d aborts", r.State(), r.meter.aborts.Load())
		}
	})
}

func TestShutdownApplicationReachesEveryInstance(t *testing.T) {
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 4, "in", "out")
		cfg := configure(t, k)
		cfg.OnUncaught = func(error) Uncaught { return ShutdownApplication }
		first, second := begin(t, cfg), begin(t, another(t, cfg))
		awaitRunning(t, first, second)
		poisonAfter(t, k, 1)
		for _, r := range []*Runtime{first, second} {
			select {
			case <-r.Done():
			case <-deadline(t).Done():
				t.Fatal("it goes on")
			}
			if r.State() != Errored || r.Err() == nil {
				t.Errorf("%s: %v", r.State(), r.Err())
			}
		}
	})
}
