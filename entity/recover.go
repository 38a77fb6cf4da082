package entity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/journal"
)

// Pauses between tries to read a state while the database is away.
const (
	firstPause = 20 * time.Millisecond
	lastPause  = time.Second
)

// recover reads an entity's newest state. One that cannot be recovered is not read
// again before its back-off is over.
func (h *Host[C, S, R]) recover(ctx context.Context, from journal.Loader, e *entity[S]) (version[S], error) {
	before := e.fault.Load()
	if before != nil && h.cfg.Clock().Before(before.until) {
		return version[S]{}, before.err
	}
	v, err := h.read(ctx, from, e.identity, 0)
	if broken := (*RecoveryError)(nil); errors.As(err, &broken) {
		now := &fault{err: err, failures: 1}
		if before != nil {
			now.failures = before.failures + 1
		}
		now.until = h.cfg.Clock().Add(h.cfg.Backoff.after(now.failures))
		e.fault.Store(now)
		h.noteBroken(e, err)
		h.problem(e.pid, "the entity cannot be recovered; others go on", err)
	}
	return v, err
}

// noteBroken tells of an entity for as long as it is in memory.
func (h *Host[C, S, R]) noteBroken(e *entity[S], err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cast.all[e.pid] == e {
		h.health.broken(e.pid, err)
	}
}

// read loads a state within the time-out, again where the database is away. In a
// transaction that would be of no use.
func (h *Host[C, S, R]) read(ctx context.Context, from journal.Loader, who identity, at int64) (version[S], error) {
	ctx, cancel := h.recovery(ctx)
	defer cancel()
	_, again := from.(journal.Store)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		v, err := guard("the definition, while recovering,", func() (version[S], error) {
			return h.b.load(ctx, from, who, at, func(message string, err error) { h.problem(who.pid, message, err) })
		})
		if p := (*panicked)(nil); errors.As(err, &p) && !errors.As(err, new(*RecoveryError)) {
			err = &RecoveryError{PersistenceID: who.pid, Type: "not known", Err: err}
		}
		if err == nil {
			h.counts.recovered.Add(1)
			h.health.Solve(reading)
			return v, nil
		}
		if !again || !h.store.Transient(err) || !sleep(ctx, pause) {
			return v, h.unread(ctx, who, err)
		}
		h.health.Report(reading, err)
		h.counts.repeated.Add(1)
	}
}

// recovery bounds a reading.
func (h *Host[C, S, R]) recovery(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, h.cfg.RecoveryTimeout, ErrRecoveryTimeout)
}

// unread is why a state could not be read.
func (h *Host[C, S, R]) unread(ctx context.Context, who identity, err error) error {
	if broken := (*RecoveryError)(nil); errors.As(err, &broken) || errors.Is(err, ErrVersion) {
		return err
	}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrRecoveryTimeout):
		err = fmt.Errorf("%w (%v): %w", ErrRecoveryTimeout, h.cfg.RecoveryTimeout, err)
		h.health.Report(reading, err)
	case h.over():
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	case cause == nil:
		h.health.Report(reading, err)
	}
	return fmt.Errorf("%s: reading the state: %w", who.pid, err)
}

// sleep waits that long; false where ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
