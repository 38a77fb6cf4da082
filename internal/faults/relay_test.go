//go:build unix

package faults_test

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// mostRelayTries bounds n; a relay looks at its database again and again, so on
// PostgreSQL there is no end of requests.
const mostRelayTries = 60

// share are the n that the short mode tries: one of the first of each stride.
func share(strides, stride int, random func(int) int) (all []int) {
	for i := range strides {
		all = append(all, 1+i*stride+random(stride))
	}
	return all
}

// requests are all points of a relay's traffic.
func requests(postgres bool) []spot {
	all := []spot{every("kafka", false), every("kafka", true)}
	if postgres {
		all = append(all, every("postgres", false), every("postgres", true))
	}
	return all
}

// TestKillRelayAtEveryRequest kills the relay before and after its nth request
// to Kafka and to PostgreSQL, for every n that is reached.
func TestKillRelayAtEveryRequest(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			b := newBench(t, backend(t), 1)
			b.round("before any fault")
			for _, where := range requests(b.on.postgres != "") {
				if !full() {
					for _, nth := range share(2, 10, random.IntN) {
						b.killRound(where, nth)
					}
					continue
				}
				for nth := 1; nth <= mostRelayTries && b.killRound(where, nth); nth++ {
				}
			}
			b.finish("relay killed")
		})
	}
}

func (b *bench) killRound(where spot, nth int) bool {
	b.Helper()
	b.relays[0].killAt(where, nth)
	b.round(fmt.Sprintf("kill %s #%d", where, nth))
	return b.relays[0].trap.disarm()
}

// TestCutRelayAtEveryRequest is the same with the connections cut.
func TestCutRelayAtEveryRequest(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			b := newBench(t, backend(t), 1)
			relay := b.relays[0]
			b.round("before any fault")
			for _, where := range requests(b.on.postgres != "") {
				tries := share(2, 10, random.IntN)
				if full() {
					tries = share(mostRelayTries, 1, random.IntN)
				}
				for _, nth := range tries {
					relay.cutAt(where, nth)
					b.round(fmt.Sprintf("cut %s #%d", where, nth))
					if !relay.trap.disarm() {
						break
					}
				}
			}
			b.finish("relay cut")
		})
	}
}

// TestStopRelayAtEveryRequest stops the active relay at its nth request
// (SIGSTOP), lets another one take over and publish, and lets the first go on
// (SIGCONT). The request it was stopped at arrives at once, or only when the
// other has taken over.
func TestStopRelayAtEveryRequest(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	b := newBench(t, surroundings{brokers: broker(t), postgres: testenv.Postgres(t)}, 2)
	b.round("before any fault")
	stops := 0
	for _, late := range []bool{false, true} {
		for _, where := range requests(true) {
			tries := share(1, 10, random.IntN)
			if full() {
				tries = share(mostRelayTries/2, 1, random.IntN)
			}
			for _, nth := range tries {
				if !b.stopRound(where, nth, late) {
					break
				}
				stops++
			}
		}
	}
	tally.stops.Add(int64(stops))
	if n := b.takeovers(); n < stops/4 {
		t.Errorf("of %d relays that were stopped only %d were active", stops, n)
	}
	b.finish(fmt.Sprintf("%d relays stopped, %d takeovers", stops, b.takeovers()))
}

func (b *bench) stopRound(where spot, nth int, late bool) bool {
	b.Helper()
	what := fmt.Sprintf("stop %s #%d, late %v", where, nth, late)
	b.rounds++
	stopped := make(chan *program, 1)
	var first atomic.Bool
	release := make(chan struct{})
	let := sync.OnceFunc(func() { close(release) })
	defer let()
	for _, r := range b.relays {
		r.trap.set(where, nth, func(wire.Point) bool {
			if !first.CompareAndSwap(false, true) {
				return true // one of them goes on
			}
			r.signal(syscall.SIGSTOP)
			stopped <- r
			if late {
				<-release
			}
			return true
		})
	}
	b.enqueue(false)
	var victim *program
	done := time.NewTicker(20 * time.Millisecond)
	defer done.Stop()
	for idle := 0; victim == nil && idle < 10; {
		select {
		case victim = <-stopped:
		case <-done.C:
			if backlog, err := b.db.Backlog(b.Context()); err == nil && backlog.Started == 0 {
				idle++
			}
		}
	}
	for _, r := range b.relays {
		r.trap.disarm()
	}
	b.drain(what)
	let()
	for _, r := range b.relays {
		r.signal(syscall.SIGCONT)
	}
	b.enqueue(false)
	b.drain(what + ", continued")
	b.judge(what)
	return victim != nil
}

// takeovers are how often a relay became the active one, but for the first time.
func (b *bench) takeovers() int {
	b.Helper()
	n := -1
	for _, r := range b.relays {
		log, err := os.ReadFile(r.log)
		if err != nil {
			b.Fatal(err)
		}
		n += bytes.Count(log, []byte("the relay is active"))
	}
	return n
}
