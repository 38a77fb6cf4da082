//go:build unix

package run

import (
	"flag"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

var measure = flag.Bool("measure", false, "measure latency and idle CPU, which says little on a busy machine")

// TestLatency measures from producing a record until its output is read as committed, one at a
// time and several in flight.
func TestLatency(t *testing.T) {
	if !*measure {
		t.Skip("run it with -measure")
	}
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 1, "in", "out")
		cfg := configure(t, k)
		cfg.CommitInterval = 10 * time.Millisecond
		r := begin(t, cfg)
		awaitRunning(t, r)
		in := client(t, k, kgo.ProducerLinger(0))
		out := newOutput(t, k)
		for _, pause := range []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond} {
			var took []time.Duration
			for range 100 {
				time.Sleep(pause) // between two records, not for a state
				began := time.Now()
				feed(t, k, in, 1)
				out.await(t, out.total+1)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			t.Logf("pause %s: median %s, 90 %% %s, 99 %% %s", pause, took[50], took[90], took[99])
		}
		s := r.Stats()
		t.Logf("commits: %d, %.1f ms on average, %.1f at most", s.Commits, s.CommitMs, s.LongestCommitMs)
	})
}

// TestIdleCPU measures the processor's time while nothing happens.
func TestIdleCPU(t *testing.T) {
	if !*measure {
		t.Skip("run it with -measure")
	}
	brokers(t, func(t *testing.T, k kafka.Config) {
		makeTopics(t, k, 6, "in", "out")
		cfg := configure(t, k)
		cfg.CommitInterval, cfg.Workers, cfg.HeartbeatInterval = 100*time.Millisecond, 4, 3*time.Second
		cfg.SessionTimeout = 45 * time.Second
		const long = 5 * time.Second
		without := cpu(t, long)
		r := begin(t, cfg)
		awaitRunning(t, r)
		t.Logf("%s of processor in %s; %s without", cpu(t, long), long, without)
	})
}

func cpu(t testing.TB, during time.Duration) time.Duration {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	time.Sleep(during)
	return used() - before
}
