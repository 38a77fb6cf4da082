//go:build unix

package faults_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestKillSagaHosts kills processes that lead the same sagas and carry out their
// commands, at the nth of each of their steps, while messages come twice. Each trip
// ends, with all of its bookings or none, and each command is carried out once.
func TestKillSagaHosts(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			a := newAgency(t, backend(t), 2)
			a.round("before any fault")
			if n, want := a.judge("before any fault"), a.trips/2; n != want {
				t.Logf("%d trips were made of %d: some answers came late", n, want)
			}
			all := consuming(a.on.postgres != "")
			if a.file != "" {
				for _, p := range a.agents {
					watchLog(t, a.file, p.trap.watch)
				}
				all = append(all, at("sqlite", "write", true))
			}
			rounds := 2
			if full() {
				rounds = 60
			}
			for range rounds {
				a.killRound(random, all[random.IntN(len(all))])
			}
			a.finish(random, "hosts killed")
		})
	}
}

func (a *agency) killRound(random *rand.Rand, where spot) {
	a.Helper()
	victim, nth := a.agents[random.IntN(len(a.agents))], 1+random.IntN(8)
	what := fmt.Sprintf("kill %s %s #%d", victim.name, where, nth)
	victim.killAt(where, nth)
	a.round(what, func() { a.again(random, 10) })
	victim.trap.disarm()
}

// TestStopSagaHost stops a host in the middle (SIGSTOP), lets the other one go on with
// its sagas and timers, and lets it go on with what is old by then.
func TestStopSagaHost(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	server := testenv.StartPostgres(t, "idle_in_transaction_session_timeout = 1s")
	a := newAgency(t, surroundings{brokers: broker(t), postgres: server.URL}, 2)
	a.round("before any fault")
	all := consuming(true)
	rounds := 1
	if full() {
		rounds = 40
	}
	for range rounds {
		victim, where := a.agents[random.IntN(len(a.agents))], all[random.IntN(len(all))]
		victim.trap.set(where, 1+random.IntN(8), func(wire.Point) bool {
			victim.signal(syscall.SIGSTOP)
			return true
		})
		a.round(fmt.Sprintf("stop %s %s", victim.name, where))
		victim.trap.disarm()
		victim.signal(syscall.SIGCONT)
		tally.stops.Add(1)
		a.round("continued")
	}
	a.finish(random, "hosts stopped")
}

// TestCutSagaHost cuts the connection at commits and other requests: what was asked
// was done, or not, and nobody knows.
func TestCutSagaHost(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	a := newAgency(t, surroundings{brokers: broker(t), postgres: testenv.Postgres(t)}, 1)
	a.round("before any fault")
	all := append(around("postgres", "commit", "begin", "batch"), around("kafka", "Produce", "EndTxn")...)
	rounds := 2
	if full() {
		rounds = 60
	}
	for range rounds {
		where := all[random.IntN(len(all))]
		a.agents[0].cutAt(where, 1+random.IntN(8))
		a.round(fmt.Sprintf("cut %s", where))
		a.agents[0].trap.disarm()
	}
	a.finish(random, "connections cut")
}

// TestSellersAreDownPastTheDeadline: commands are not answered until long after the
// sagas gave up. The sellers then find them, and what undoes them, in any order.
func TestSellersAreDownPastTheDeadline(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			a := emptyAgency(t, backend(t))
			a.add(agentSettings{Instance: "lead", Leads: true})
			a.add(agentSettings{Instance: "sellers", Takes: true})
			a.round("before any fault")
			sellers := a.agents[1]
			a.round("sellers down", func() {
				sellers.signal(syscall.SIGSTOP)
				a.order()
				a.shift(2 * time.Hour)
				testenv.Wait(t, "the sagas to give up", patience, func() bool { return a.undoing() })
				a.agents[0].kill() // and what is due meanwhile fires after the start
				a.order()
				sellers.signal(syscall.SIGCONT)
			})
			a.finish(random, "sellers down past the deadline")
		})
	}
}

// undoing says that no trip waits for its flight any more.
func (a *agency) undoing() bool {
	counts, err := a.db.SagaCounts(a.Context())
	if err != nil || len(counts) == 0 {
		return false
	}
	all := int64(0)
	for _, c := range counts {
		if all += c.Count; c.Status == "RUNNING" {
			return false
		}
	}
	return all == int64(a.trips)
}

// TestClockJumps: the clocks of the hosts go forth and back by hours while sagas run.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	a := newAgency(t, surroundings{brokers: broker(t)}, 2)
	a.round("before any fault")
	rounds := 1
	if full() {
		rounds = 20
	}
	for range rounds {
		a.round("clocks that jump", func() {
			for range 3 {
				a.shift(time.Duration(random.IntN(240)-120) * time.Minute)
				a.order()
				a.again(random, 5)
			}
			// Forth for good: what was to be due while it was ahead is due.
			a.shift(3 * time.Hour)
		})
		a.shift(0)
		// Back again: nobody waits for the three hours to pass.
		a.round("clocks that went back")
	}
	a.finish(random, "clocks that jump")
}
