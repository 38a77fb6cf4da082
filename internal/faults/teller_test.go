//go:build unix

package faults_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// consuming are the steps of a consumer and of the relay that sends its answers;
// what it asks Kafka all the time is left out.
func consuming(postgres bool) []spot {
	all := []spot{at("kafka", "Fetch", true)}
	all = append(all, around("kafka", "Produce", "EndTxn")...)
	if postgres {
		all = append(all, around("postgres", "begin", "commit")...)
		all = append(all, every("postgres", true))
	}
	return all
}

// TestKillConsumerAtEveryStep kills a process that handles messages and sends
// answers, at the nth of each of its steps.
func TestKillConsumerAtEveryStep(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			c := newCounter(t, backend(t), 1)
			if c.file != "" {
				watchLog(t, c.file, c.tellers[0].trap.watch)
			}
			c.round("before any fault")
			all := consuming(c.on.postgres != "")
			if c.file != "" {
				all = append(all, at("sqlite", "write", true))
			}
			if !full() {
				for range 4 {
					c.killRound(all[random.IntN(len(all))], 1+random.IntN(5))
				}
				c.finish("share")
				return
			}
			for _, where := range all {
				for nth := 1; nth <= 2*mostTries && c.killRound(where, nth); nth++ {
				}
			}
			c.finish("consumer killed")
		})
	}
}

func (c *counter) killRound(where spot, nth int) bool {
	c.Helper()
	c.tellers[0].killAt(where, nth)
	c.round(fmt.Sprintf("kill %s #%d", where, nth))
	return c.tellers[0].trap.disarm()
}

// TestRepeatsHaveNoEffect sends messages again, in any order, to a consumer that
// is killed in between.
func TestRepeatsHaveNoEffect(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			c := newCounter(t, backend(t), 1)
			rounds := 2
			if full() {
				rounds = 60
			}
			all := consuming(c.on.postgres != "")
			for range rounds {
				c.send(14, c.rounds%5 == 1)
				c.tellers[0].killAt(all[random.IntN(len(all))], 1+random.IntN(5))
				c.sendAgain(random, 40)
				c.round("messages again")
				c.tellers[0].trap.disarm()
			}
			c.finish("messages again")
		})
	}
}

// TestStopConsumerAtEveryStep stops a consumer at the nth of each of its steps
// (SIGSTOP), lets another one take its partitions over, and lets the first go on
// (SIGCONT). Stopped inside a transaction it has its partition until the server
// ends that: idle_in_transaction_session_timeout is set, as
// docs/production.md says.
func TestStopConsumerAtEveryStep(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	server := testenv.StartPostgres(t, "idle_in_transaction_session_timeout = 1s")
	c := newCounter(t, surroundings{brokers: broker(t), postgres: server.URL}, 2)
	c.round("before any fault")
	all := append(consuming(true), around("kafka", "JoinGroup", "SyncGroup")...)
	stops := 0
	for _, late := range []bool{false, true} {
		for _, where := range all {
			tries := []int{1 + random.IntN(4)}
			switch {
			case full():
				tries = share(6, 1, random.IntN)
			case random.IntN(12) > 0:
				continue
			}
			for _, nth := range tries {
				if !c.stopRound(where, nth, late) {
					break
				}
				stops++
			}
		}
	}
	tally.stops.Add(int64(stops))
	c.finish(fmt.Sprintf("%d consumers stopped", stops))
}

func (c *counter) stopRound(where spot, nth int, late bool) bool {
	c.Helper()
	what := fmt.Sprintf("stop %s #%d, late %v", where, nth, late)
	c.rounds++
	stopped := make(chan *program, 1)
	var first atomic.Bool
	release := make(chan struct{})
	let := sync.OnceFunc(func() { close(release) })
	defer let()
	for _, p := range c.tellers {
		p.trap.set(where, nth, func(wire.Point) bool {
			if !first.CompareAndSwap(false, true) {
				return true // one of them goes on
			}
			p.signal(syscall.SIGSTOP)
			stopped <- p
			if late {
				<-release
			}
			return true
		})
	}
	c.send(14, false)
	var victim *program
	select {
	case victim = <-stopped:
	case <-time.After(500 * time.Millisecond): // there is no such step
	}
	for _, p := range c.tellers {
		p.trap.disarm()
	}
	c.send(14, false)
	c.drain(what)
	let()
	for _, p := range c.tellers {
		p.signal(syscall.SIGCONT)
	}
	c.send(14, false)
	c.drain(what + ", continued")
	c.judge(what)
	return victim != nil
}
