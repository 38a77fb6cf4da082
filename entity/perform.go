package entity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/pabal-dev/pabal/batch"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
)

// perform carries a command out; the caller has the entity's turn. Where another
// host wrote first, it decides again on what that one wrote.
func (h *Host[C, S, R]) perform(e *entity[S], c *call[C, R]) (R, error) {
	for conflicts := 1; ; conflicts++ {
		reply, conflict, err := h.try(e, c)
		if conflict == nil {
			return reply, err
		}
		e.stale.Store(true)
		h.counts.conflicts.Add(1)
		if conflicts > h.cfg.ConflictRetries {
			return reply, fmt.Errorf("%s: command %T: given up after %d conflicts: %w", e.pid, c.command, conflicts, conflict)
		}
		c.undo()
	}
}

func (h *Host[C, S, R]) try(e *entity[S], c *call[C, R]) (reply R, conflict, err error) {
	v, cached, err := h.ready(e)
	if err != nil {
		return reply, nil, err
	}
	if c.abandoned() || h.hard.Err() != nil {
		return reply, nil, h.abandoned(e, c)
	}
	p, err := h.b.decide(h.context(e.identity, v, nil), v, c.command)
	if cached && (err != nil || !p.changes()) {
		if conflict, err := h.compare(h.hard, h.store, e, v); conflict != nil || err != nil {
			return reply, conflict, err
		}
	}
	switch {
	case err != nil:
		return reply, nil, h.failed(e.identity, c.command, err)
	case !p.changes():
		h.counts.commands.Add(1)
		return p.reply, nil, nil
	case !c.commit():
		return reply, nil, h.abandoned(e, c)
	}
	route(c.ctx, p.messages, h.cfg.Topic)
	conflict, err = h.persist(e, v, p)
	if conflict != nil || err != nil {
		return reply, conflict, err
	}
	h.counts.commands.Add(1)
	return p.reply, nil, nil
}

func (h *Host[C, S, R]) abandoned(e *entity[S], c *call[C, R]) error {
	if err := c.ctx.Err(); err != nil {
		return notBegun(e.pid, err)
	}
	return fmt.Errorf("%s: %w", e.pid, ErrStopped)
}

func (h *Host[C, S, R]) context(who identity, v version[S], cause *event.Event) Context {
	return Context{ID: who.id, PersistenceID: who.pid, SeqNr: v.seqNr, Now: h.now(), Cause: cause}
}

// ready is the state to decide on; cached says that it was not read just now.
func (h *Host[C, S, R]) ready(e *entity[S]) (v version[S], cached bool, err error) {
	if now := e.current.Load(); now != nil && !e.stale.Load() {
		return *now, true, nil
	}
	v, err = h.recover(h.hard, h.store, e)
	if err == nil {
		h.show(e, v)
	}
	return v, false, err
}

// compare sees to it that a refusal, or a reply without a change, is made on the
// newest state.
func (h *Host[C, S, R]) compare(ctx context.Context, from journal.Loader, e *entity[S], v version[S]) (conflict, err error) {
	if h.cfg.Exclusive {
		return nil, nil
	}
	ctx, cancel := h.recovery(ctx)
	defer cancel()
	err = h.b.check(ctx, from, e.identity, v)
	if errors.Is(err, journal.ErrConflict) {
		return err, nil
	}
	if err != nil {
		return nil, h.unread(ctx, e.identity, err)
	}
	return nil, nil
}

// failed is a refusal or what went wrong in a decision, for the caller.
func (h *Host[C, S, R]) failed(who identity, command any, err error) error {
	if isRefusal(err) {
		h.counts.refused.Add(1)
		return err
	}
	h.counts.failed.Add(1)
	err = fmt.Errorf("%s: command %T: %w", who.pid, command, err)
	h.problem(who.pid, "a command failed", err)
	return err
}

// persist stores what was decided.
func (h *Host[C, S, R]) persist(e *entity[S], v version[S], p plan[S, R]) (conflict, err error) {
	appended, err := h.append(e, v, p)
	unknown := errors.Is(err, journal.ErrUnknown)
	switch {
	case err == nil:
		h.health.Solve(storing)
		next := p.after(v, appended)
		next.due = v.due || p.snapshot
		h.show(e, next)
		h.counts.events.Add(len(p.events))
		return nil, nil
	case errors.Is(err, journal.ErrConflict) && !unknown: // that may be one with itself
		return err, nil
	}
	e.stale.Store(true)
	h.counts.failed.Add(1)
	switch {
	case unknown:
		// A late commit of this append must not look like one of the next.
		e.writer = event.NewID()
		h.health.Report(storing, err)
		return nil, fmt.Errorf("%s: %w: %w", e.pid, ErrUnknown, err)
	case h.hard.Err() != nil || errors.Is(err, batch.ErrStopped):
		return nil, fmt.Errorf("%s: %w: %w", e.pid, ErrStopped, err)
	}
	err = fmt.Errorf("%s: storing what was decided: %w", e.pid, err)
	h.problem(e.pid, "what was decided could not be stored", err)
	return nil, err
}

func (h *Host[C, S, R]) append(e *entity[S], v version[S], p plan[S, R]) (journal.Appended, error) {
	h.pace.begin(h.cfg.Clock())
	defer func() { h.pace.end(h.cfg.Clock()) }()
	if p.change != nil {
		return h.writer.WriteState(h.hard, stateWrite(e.identity, v, p))
	}
	writer := e.writer
	if writer == "" {
		writer = h.incarnation
	}
	return h.writer.Append(h.hard, eventWrite(e.identity, v, p, writer))
}

func eventWrite[S, R any](who identity, v version[S], p plan[S, R], writer string) journal.Write {
	w := journal.Write{PersistenceID: who.pid, After: v.seqNr, Writer: writer, Events: p.events, Messages: p.messages}
	if v.timed {
		w.AfterTime = v.time
	}
	return w
}

func stateWrite[S, R any](who identity, v version[S], p plan[S, R]) journal.StateWrite {
	w := *p.change
	w.PersistenceID, w.Revision, w.Messages = who.pid, v.seqNr+1, p.messages
	return w
}

// show publishes a committed version, and has it saved where it is due.
func (h *Host[C, S, R]) show(e *entity[S], v version[S]) {
	if v.due && h.saveLater(e.identity, v) {
		v.saved, v.bytes, v.due = v.seqNr, 0, false
	}
	e.current.Store(&v)
	e.stale.Store(false)
	if e.fault.Swap(nil) != nil {
		h.health.recovered(e.pid)
		h.log.LogAttrs(context.Background(), slog.LevelInfo, "the entity is recovered", slog.String("persistence_id", e.pid))
	}
	if size := h.b.size(v.state); size > 0 {
		h.mu.Lock()
		h.cast.weigh(e, int64(size))
		h.mu.Unlock()
	}
}
