package entity

import (
	"context"
	"errors"
	"fmt"

	"github.com/pabal-dev/pabal/journal"
)

// DeleteEvents deletes an entity's events up to and including a sequence number,
// and says how many are gone. The newest snapshot must have them, as the state
// could not be read otherwise. Projections that have not read them yet do not get
// them. It waits for commands of the entity that came before.
func (h *Host[C, S, R]) DeleteEvents(ctx context.Context, id string, to int64) (deleted int64, err error) {
	if h.Kind() != journal.Events {
		return 0, fmt.Errorf("entities of %s have no events: %w", h.EntityType(), errors.ErrUnsupported)
	}
	err = h.alone(ctx, id, func(e *entity[S]) error {
		s, ok, err := h.store.LoadSnapshot(ctx, e.pid, 0)
		if err != nil {
			return err
		}
		if !ok || s.SeqNr < to {
			return fmt.Errorf("its newest snapshot is at %d: events after it, up to %d, are needed for the state", s.SeqNr, to)
		}
		deleted, err = h.store.DeleteEvents(ctx, e.pid, to, false)
		return err
	})
	return deleted, err
}

// Erase deletes everything that is stored of an entity: events, snapshot, state. It
// is then in its initial state. A marker keeps its sequence numbers from being
// used again, unless forget is set: then nothing is left, and the next number is
// 1. Projections tell such events from the old ones by their time, which is later
// than that of the last one they handled; where the clock of the host or the
// database was set back since, they take them for old ones. It waits for commands of the
// entity that came before. After an error it may be called again.
//
// Other hosts that have the entity in memory do not notice: erase it where its
// commands are carried out.
func (h *Host[C, S, R]) Erase(ctx context.Context, id string, forget bool) error {
	return h.alone(ctx, id, func(e *entity[S]) error {
		e.stale.Store(true)
		e.current.Store(nil)
		defer e.erased.Add(1)
		if h.Kind() == journal.States {
			return h.eraseState(ctx, e, forget)
		}
		if err := h.saved(ctx, e.identity); err != nil {
			return err
		}
		// The snapshot first: without its events it would still be a state.
		if err := h.store.DeleteSnapshot(ctx, e.pid, 0); err != nil {
			return err
		}
		highest, err := highestOf(ctx, h.store, e.identity)
		if err != nil || highest == 0 {
			return err
		}
		_, err = h.store.DeleteEvents(ctx, e.pid, highest, forget)
		return err
	})
}

func (h *Host[C, S, R]) eraseState(ctx context.Context, e *entity[S], forget bool) error {
	stored, ok, err := h.store.LoadState(ctx, e.pid)
	if err != nil || !ok || stored.Deleted && !forget {
		return err
	}
	_, err = h.writer.WriteState(ctx, journal.StateWrite{
		PersistenceID: e.pid, Revision: stored.SeqNr + 1, Delete: true, Hard: forget,
	})
	return err
}

// alone calls fn with the entity's turn.
func (h *Host[C, S, R]) alone(ctx context.Context, id string, fn func(*entity[S]) error) error {
	who, err := identify(h.EntityType(), id)
	if err != nil {
		return err
	}
	t := &turn[S]{granted: make(chan struct{})}
	e, err := h.enqueue(who, t)
	if err != nil {
		return err
	}
	select {
	case <-t.granted:
	case <-ctx.Done():
		if h.leave(e, t) {
			return notBegun(who.pid, ctx.Err())
		}
	}
	defer h.release(e)
	if err := fn(e); err != nil {
		return fmt.Errorf("%s: %w", who.pid, err)
	}
	return nil
}
