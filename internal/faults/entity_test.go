//go:build unix

package faults_test

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/pabal-dev/pabal/internal/faults/wire"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// TestKillEntityHosts kills processes that host the same entities, which take
// commands from a topic and directly, at the nth of each of their steps. Each
// command takes effect once, is answered once, and its message is sent once.
func TestKillEntityHosts(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		for _, durable := range []bool{false, true} {
			kind := map[bool]string{false: "events", true: "states"}[durable]
			t.Run(name+"/"+kind, func(t *testing.T) {
				random := testenv.Rand(t)
				o := newOffice(t, backend(t), durable, random.IntN(2) == 0)
				o.round("before any fault")
				all := consuming(o.on.postgres != "")
				if o.file != "" {
					for _, p := range o.clerks {
						watchLog(t, o.file, p.trap.watch)
					}
					all = append(all, at("sqlite", "write", true))
				}
				rounds := 2
				if full() {
					rounds = 150
				}
				for range rounds {
					o.killRound(o.clerks[random.IntN(len(o.clerks))], all[random.IntN(len(all))], 1+random.IntN(5))
				}
				o.finish()
			})
		}
	}
}

func (o *office) killRound(victim *program, where spot, nth int) {
	o.Helper()
	victim.killAt(where, nth)
	o.round(fmt.Sprintf("kill %s %s #%d", victim.name, where, nth))
	victim.trap.disarm()
}

// TestStopEntityHost stops a host in the middle (SIGSTOP), lets the other one take its
// entities over, and lets it go on with states that are old by then.
func TestStopEntityHost(t *testing.T) {
	t.Parallel()
	random := testenv.Rand(t)
	server := testenv.StartPostgres(t, "idle_in_transaction_session_timeout = 1s")
	for _, durable := range []bool{false, true} {
		o := newOffice(t, surroundings{brokers: broker(t), postgres: server.URL}, durable, false)
		o.round("before any fault")
		all := consuming(true)
		rounds := 1
		if full() {
			rounds = 60
		}
		for range rounds {
			victim, where := o.clerks[random.IntN(len(o.clerks))], all[random.IntN(len(all))]
			victim.trap.set(where, 1+random.IntN(5), func(wire.Point) bool {
				victim.signal(syscall.SIGSTOP)
				return true
			})
			o.round(fmt.Sprintf("stop %s %s", victim.name, where))
			victim.trap.disarm()
			victim.signal(syscall.SIGCONT)
			tally.stops.Add(1)
			o.round("continued")
		}
		o.finish()
	}
}
