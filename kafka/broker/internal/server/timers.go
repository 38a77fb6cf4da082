package server

import (
	"time"
)

// ticker is a coordinator that has something to do at times.
type ticker interface {
	Tick(now time.Time)
	NextDeadline() (time.Time, bool)
}

// timers has coordinators do what is due.
type timers struct {
	now   func() time.Time
	woken chan struct{} // has room for one
	ended chan struct{}
}

func newTimers(now func() time.Time) *timers {
	return &timers{now: now, woken: make(chan struct{}, 1), ended: make(chan struct{})}
}

// wake has the deadlines looked at again. It does not block.
func (t *timers) wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

func (t *timers) stop() { close(t.ended) }

// longestWait is how late a clock that was set forward is noticed.
const longestWait = time.Minute

func (t *timers) run(all ...ticker) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.woken:
		case <-t.ended:
			return
		}
		wait := longestWait
		now := t.now()
		for _, c := range all {
			c.Tick(now)
			if next, ok := c.NextDeadline(); ok {
				wait = min(wait, next.Sub(now))
			}
		}
		timer.Reset(max(wait, time.Millisecond))
	}
}
