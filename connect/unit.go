package connect

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// unit is a connector or a task on this worker. Its goroutine runs what is wanted last.
type unit struct {
	w    *Worker
	id   unitID
	done chan struct{}

	mu   sync.Mutex
	spec *spec
	wake chan struct{} // closed when spec has changed
}

func (w *Worker) newUnit(id unitID) *unit {
	u := &unit{w: w, id: id, done: make(chan struct{}), wake: make(chan struct{})}
	return u
}

// want another spec; nil ends the unit.
func (u *unit) want(s *spec) {
	u.mu.Lock()
	defer u.mu.Unlock()
	first := u.spec == nil
	if s != nil && s.equal(u.spec) {
		return
	}
	u.spec = s
	close(u.wake)
	u.wake = make(chan struct{})
	if first && s != nil {
		go u.keep()
	}
}

func (u *unit) wanted() (*spec, <-chan struct{}) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.spec, u.wake
}

func (u *unit) keep() {
	defer close(u.done)
	for {
		s, changed := u.wanted()
		if s == nil {
			return
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			u.run(ctx, s)
		}()
		<-changed
		cancel()
		<-ended
	}
}

// run until ctx ends. What passes by itself is tried again.
func (u *unit) run(ctx context.Context, s *spec) {
	version := u.w.kinds.version(s.props["connector.class"])
	switch {
	case s.broken != nil:
		u.w.report(u.id, stateFailed, s.broken, version)
		return
	case s.target == Paused:
		u.w.report(u.id, statePaused, nil, version)
		return
	case s.target == Stopped:
		u.w.report(u.id, stateStopped, nil, version)
		return
	case u.id.task == whole:
		u.w.report(u.id, stateRunning, nil, version)
		return
	}
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, longestPause) {
		began := time.Now()
		err := hide(u.try(ctx, s), s.props)
		if ctx.Err() != nil {
			return
		}
		if isFenced(err) {
			u.stepBack(ctx, err)
			continue
		}
		logger := u.w.cfg.Logger.With("connector", u.id.connector, "task", u.id.task)
		if !passes(err) {
			logger.Error("connect: the task failed and stays so until it is restarted", "error", err)
			u.w.report(u.id, stateFailed, err, version)
			return
		}
		if time.Since(began) > longestPause {
			pause = firstPause
		}
		logger.Warn("connect: the task begins anew from what is committed", "in", pause, "error", err)
		u.w.report(u.id, stateRestarting, err, version)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// stepBack of one who was fenced: another worker has the task, or will be told that it has not.
func (u *unit) stepBack(ctx context.Context, err error) {
	u.w.cfg.Logger.Warn("connect: another worker has taken the task", "connector", u.id.connector, "task", u.id.task, "error", err)
	select {
	case <-time.After(u.w.cfg.SessionTimeout):
	case <-ctx.Done():
	}
}

// Pauses between the attempts of a task.
const (
	firstPause   = 250 * time.Millisecond
	longestPause = 15 * time.Second
)

// try runs the task once. A panic of a plugin is its failure.
func (u *unit) try(ctx context.Context, s *spec) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	r, err := u.w.newRun(u.id, s)
	if err != nil {
		return err
	}
	return r.run(ctx)
}

// passes says that an error may go away by itself.
func passes(err error) bool {
	var fatal fatalError
	return !errors.As(err, &fatal) && isRetriable(err)
}
