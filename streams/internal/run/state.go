package run

import (
	"slices"
	"sync"
)

// State of the runtime, with Kafka Streams' names.
type State string

// The states.
const (
	Created         State = "CREATED"
	Rebalancing     State = "REBALANCING"
	Running         State = "RUNNING"
	PendingShutdown State = "PENDING_SHUTDOWN"
	NotRunning      State = "NOT_RUNNING"
	PendingError    State = "PENDING_ERROR"
	Errored         State = "ERROR"
)

// follows are the transitions there are.
var follows = map[State][]State{
	Created:         {Rebalancing, PendingShutdown, PendingError},
	Rebalancing:     {Running, PendingShutdown, PendingError},
	Running:         {Rebalancing, PendingShutdown, PendingError},
	PendingShutdown: {NotRunning},
	PendingError:    {Errored},
}

// states is the state machine. Its listener is called in order by one goroutine at a time,
// and never while a lock is held.
type states struct {
	listen func(from, to State)
	change func()

	mu      sync.Mutex
	now     State
	waiting []transition
	telling bool
	idle    chan struct{} // closed when everything was told
}

type transition struct{ from, to State }

func newStates(listen func(from, to State), change func()) *states {
	s := &states{listen: listen, change: change, now: Created, idle: make(chan struct{})}
	close(s.idle)
	return s
}

func (s *states) get() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// set makes the transition, if it is one of those there are.
func (s *states) set(to State) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == to || !slices.Contains(follows[s.now], to) {
		return false
	}
	if s.listen != nil {
		s.waiting = append(s.waiting, transition{s.now, to})
		if !s.telling {
			s.telling = true
			s.idle = make(chan struct{})
			go s.tell()
		}
	}
	s.now = to
	s.change()
	return true
}

func (s *states) tell() {
	for {
		s.mu.Lock()
		if len(s.waiting) == 0 {
			s.telling = false
			close(s.idle)
			s.mu.Unlock()
			return
		}
		t := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.mu.Unlock()
		s.listen(t.from, t.to)
	}
}

// told is closed when the listener has heard of everything so far.
func (s *states) told() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.idle
}
