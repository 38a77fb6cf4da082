//go:build unix

package faults_test

import (
	"fmt"
	"sync"

	"github.com/pabal-dev/pabal/internal/faults/wire"
)

// spot is where a fault strikes: the nth time that a point matches.
type spot struct {
	name  string
	match func(wire.Point) bool
}

func (s spot) String() string { return s.name }

// at is one point.
func at(server, op string, answered bool) spot {
	p := wire.Point{Server: server, Op: op, Answered: answered}
	return spot{p.String(), func(q wire.Point) bool { return p == q }}
}

// around is a point before the request, and one after.
func around(server string, ops ...string) (all []spot) {
	for _, op := range ops {
		all = append(all, at(server, op, false), at(server, op, true))
	}
	return all
}

// every point of a server.
func every(server string, answered bool) spot {
	name := server + " before any request"
	if answered {
		name = server + " answered any request"
	}
	return spot{name, func(p wire.Point) bool { return p.Server == server && p.Answered == answered }}
}

// trap is what one process's proxies ask at each point. It is sprung once.
type trap struct {
	mu     sync.Mutex
	where  spot
	nth    int
	seen   int
	strike func(wire.Point) (pass bool)
	sprung chan struct{}
	struck wire.Point
}

// set arms it; strike is called at the nth matching point, from there on.
func (t *trap) set(where spot, nth int, strike func(wire.Point) bool) (sprung <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.where, t.nth, t.seen, t.strike = where, nth, 0, strike
	t.sprung = make(chan struct{})
	return t.sprung
}

// disarm says whether it was sprung.
func (t *trap) disarm() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.strike == nil {
		return t.sprung != nil
	}
	t.strike = nil
	return false
}

func (t *trap) watch(p wire.Point) bool {
	t.mu.Lock()
	if t.strike == nil || !t.where.match(p) {
		t.mu.Unlock()
		return true
	}
	t.seen++
	if t.seen != t.nth {
		t.mu.Unlock()
		return true
	}
	strike, sprung := t.strike, t.sprung
	t.strike, t.struck = nil, p
	t.mu.Unlock()
	pass := strike(p)
	close(sprung)
	return pass
}

// armed says whether it waits to be sprung.
func (t *trap) armed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.strike != nil
}

func (t *trap) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprintf("%s #%d", t.where, t.nth)
}
