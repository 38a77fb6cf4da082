//go:build unix

package faults_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
)

// steps are what a service changes outside of itself, each with the moment
// before and the moment after. Between two of them nothing durable happens, so
// to be killed at each is to be killed between any two.
func steps(postgres bool) []spot {
	all := around("kafka", "Produce", "EndTxn")
	if postgres {
		all = append(all, around("postgres", "commit", "batch")...)
	}
	return all
}

// rising are the steps of a service that comes up after a crash.
func rising(postgres bool) []spot {
	all := around("kafka", "InitProducerID", "JoinGroup")
	if postgres {
		all = append(all, around("postgres", "commit", "batch")...)
	}
	return all
}

// mostTries bounds n where the work of a round has no end of such steps, as
// with what is repeated by the clock.
const mostTries = 12

// TestKillEveryService kills each service at the nth of each of its steps, for
// every n until a round passes without.
func TestKillEveryService(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			s := newStation(t, backend(t), random.Uint64())
			s.round("before any fault")
			if !full() {
				for range 4 {
					victim := s.services[serviceNames[random.IntN(len(serviceNames))]]
					where := steps(s.postgres)
					s.killRound(victim, where[random.IntN(len(where))], 1+random.IntN(3))
				}
				s.finish("share")
				return
			}
			for _, service := range serviceNames {
				for _, where := range steps(s.postgres) {
					s.killEvery(s.services[service], where)
				}
			}
			s.finish("all")
		})
	}
}

func (s *station) killEvery(victim *program, where spot) {
	s.Helper()
	for nth := 1; nth <= mostTries; nth++ {
		if !s.killRound(victim, where, nth) {
			return
		}
	}
}

// killRound says whether it came to a kill.
func (s *station) killRound(victim *program, where spot, nth int) bool {
	s.Helper()
	victim.killAt(where, nth)
	s.round(fmt.Sprintf("kill %s %s #%d", victim.name, where, nth))
	return victim.trap.disarm()
}

// TestKillWhileRecovering kills a service, and then again at the nth step of
// its coming up.
func TestKillWhileRecovering(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			s := newStation(t, backend(t), random.Uint64())
			tries := 2
			if full() {
				tries = 40
			}
			for range tries {
				victim := s.services[serviceNames[random.IntN(len(serviceNames))]]
				where := rising(s.postgres)
				second, nth := where[random.IntN(len(where))], 1+random.IntN(4)
				victim.killTwice(at("kafka", "EndTxn", random.IntN(2) == 0), second, nth)
				s.round(fmt.Sprintf("kill %s twice, then %s #%d", victim.name, second, nth))
				victim.trap.disarm()
			}
			s.finish("twice")
		})
	}
}

// TestCutEveryConnection cuts a service's connections at the nth of each of its
// steps: before the request was carried out, or after and without an answer.
func TestCutEveryConnection(t *testing.T) {
	t.Parallel()
	for name, backend := range backends {
		t.Run(name, func(t *testing.T) {
			random := testenv.Rand(t)
			s := newStation(t, backend(t), random.Uint64())
			all, tries := steps(s.postgres), 3
			if full() {
				tries = 100
			}
			for range tries {
				victim := s.services[serviceNames[random.IntN(len(serviceNames))]]
				where, nth := all[random.IntN(len(all))], 1+random.IntN(4)
				victim.cutAt(where, nth)
				s.round(fmt.Sprintf("cut %s %s #%d", victim.name, where, nth))
				victim.trap.disarm()
				victim.excused.Store(false)
			}
			s.finish("cut")
		})
	}
}
