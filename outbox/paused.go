package outbox

import (
	"errors"
	"fmt"
	"sync"
)

// ErrPaused is wrapped by Health of a relay that somebody paused.
var ErrPaused = errors.New("paused")

// Pause keeps an active relay from publishing until Resume. It keeps its lease,
// so that no other relay publishes either; rows go on being enqueued and wait.
// A batch under way is finished; once Stats has the pause as its Reason, with
// State Held, nothing more is published.
// A relay that stands by goes on doing so, and publishes nothing should it
// become the active one. reason is shown to people.
//
// The pause is this relay's and is kept nowhere: a restart resumes, and after a
// crash so does the relay that takes over.
func (r *Relay) Pause(reason string) {
	r.pausing.set(&reason)
	r.count(func(s *Stats) { s.Paused = true })
	r.log.Warn("the relay is paused", "reason", reason)
}

// Resume ends a pause; without one it does nothing.
func (r *Relay) Resume() {
	if !r.pausing.set(nil) {
		return
	}
	r.count(func(s *Stats) { s.Paused = false })
	r.log.Info("the relay goes on after a pause")
}

// pausing is whether a relay is paused.
type pausing struct {
	mu      sync.Mutex
	reason  *string       // nil where it is not
	changed chan struct{} // wakes whoever waits; buffer of one
}

// set returns whether there was a pause before.
func (p *pausing) set(reason *string) (was bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, p.reason = p.reason != nil, reason
	select {
	case p.changed <- struct{}{}:
	default:
	}
	return was
}

// err is nil, or says why nothing is published.
func (p *pausing) err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.reason == nil:
		return nil
	case *p.reason == "":
		return ErrPaused
	}
	return fmt.Errorf("%w: %s", ErrPaused, *p.reason)
}
