package entity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// Tx is a transaction in which a Server handles commands: events, the inbox's
// position and the replies in the outbox commit together.
type Tx interface {
	inbox.Tx
	journal.Tx
}

// unit is what the commands of one transaction do. It is written at the end, all
// at once, and nobody sees it before the commit.
type unit[C, S, R any] struct {
	h        *Host[C, S, R]
	tx       Tx
	loader   journal.Loader
	wait     time.Duration // for a turn
	members  map[string]*member[S]
	order    []*member[S]
	messages []outbox.Message
	// notices are sent where the transaction is rolled back.
	notices           []outbox.Message
	commands, refused int
}

// member is an entity in a unit.
type member[S any] struct {
	e *entity[S]
	// turn says that the entity is ours until the end. Without it we rely on the
	// journal to refuse what is decided on an old state.
	turn bool
	now  version[S]
	// sure says that now was read, or is about to be written, in this transaction.
	sure    bool
	changed bool
	events  *journal.Write
	states  []journal.StateWrite
}

func newUnit[C, S, R any](h *Host[C, S, R], tx Tx, wait time.Duration) *unit[C, S, R] {
	u := &unit[C, S, R]{h: h, tx: tx, loader: h.store, wait: wait, members: map[string]*member[S]{}}
	if within, ok := tx.(journal.Loader); ok {
		u.loader = within
	}
	return u
}

// perform decides a command on what the commands before it decided.
func (u *unit[C, S, R]) perform(ctx context.Context, id string, command C, cause *event.Event) (reply R, err error) {
	who, err := identify(u.h.EntityType(), id)
	if err != nil {
		return reply, err
	}
	m, err := u.join(ctx, who)
	if err != nil {
		return reply, err
	}
	p, err := u.decide(ctx, m, command, cause)
	if err != nil {
		return reply, err
	}
	u.commands++
	if p.changes() {
		route(ctx, p.messages, u.h.cfg.Topic)
		u.messages = append(u.messages, p.messages...)
		p.messages = nil
		stage(m, p, u.h.inTx)
	}
	return p.reply, nil
}

// decide is sure of its state where nothing is going to be written.
func (u *unit[C, S, R]) decide(ctx context.Context, m *member[S], command C, cause *event.Event) (plan[S, R], error) {
	for {
		p, err := u.h.b.decide(u.h.context(m.e.identity, m.now, cause), m.now, command)
		if !m.sure && (err != nil || !p.changes()) {
			conflict, unread := u.h.compare(ctx, u.loader, m.e, m.now)
			if unread != nil {
				return p, unread
			}
			if m.sure = true; conflict != nil {
				u.h.counts.conflicts.Add(1)
				if m.now, unread = u.h.recover(ctx, u.loader, m.e); unread != nil {
					return p, unread
				}
				continue
			}
		}
		if isRefusal(err) {
			u.refused++
			return p, err
		}
		if err != nil {
			err = u.h.failed(m.e.identity, command, err)
		}
		return p, err
	}
}

// join takes the entity into the unit.
func (u *unit[C, S, R]) join(ctx context.Context, who identity) (*member[S], error) {
	if m := u.members[who.pid]; m != nil {
		return m, nil
	}
	e, turn, err := u.h.claim(ctx, who, u.wait)
	if err != nil {
		return nil, err
	}
	m := &member[S]{e: e, turn: turn}
	u.members[who.pid] = m
	u.order = append(u.order, m)
	if now := e.current.Load(); now != nil && !e.stale.Load() {
		m.now = *now
		return m, nil
	}
	m.sure = true
	m.now, err = u.h.recover(ctx, u.loader, e)
	if err != nil {
		delete(u.members, who.pid) // it stays in order, to be released
	}
	return m, err
}

// stage adds to what will be written of an entity.
func stage[S, R any](m *member[S], p plan[S, R], writer string) {
	due := m.now.due || p.snapshot
	switch {
	case p.change != nil:
		m.states = append(m.states, stateWrite(m.e.identity, m.now, p))
		m.now = p.after(m.now, journal.Appended{SeqNr: m.now.seqNr + 1})
	default:
		if m.events == nil {
			w := eventWrite(m.e.identity, m.now, plan[S, R]{}, writer)
			m.events = &w
		}
		m.events.Events = append(m.events.Events, p.events...)
		m.now = p.after(m.now, journal.Appended{SeqNr: m.now.seqNr + int64(len(p.events))})
	}
	m.now.due, m.now.timed, m.changed, m.sure = due, false, true, true
}

// flush writes what was decided.
func (u *unit[C, S, R]) flush(ctx context.Context) error {
	if err := u.flushEvents(ctx); err != nil {
		return fmt.Errorf("append the events: %w", err)
	}
	for round := 0; ; round++ {
		if more, err := u.flushStates(ctx, round); err != nil || !more {
			return errors.Join(err, u.flushMessages(ctx, err))
		}
	}
}

func (u *unit[C, S, R]) flushMessages(ctx context.Context, before error) error {
	if before != nil {
		return nil
	}
	return outbox.EnqueueMessages(ctx, u.tx, u.messages...)
}

func (u *unit[C, S, R]) flushEvents(ctx context.Context) error {
	var writes []journal.Write
	var of []*member[S]
	for _, m := range u.order {
		if m.events != nil {
			writes, of = append(writes, *m.events), append(of, m)
		}
	}
	if len(writes) == 0 {
		return nil
	}
	appended, err := u.tx.AppendEvents(ctx, writes)
	for i, a := range appended {
		of[i].now.time, of[i].now.timed = a.Time, true
	}
	return err
}

// flushStates writes the nth change of each durable state.
func (u *unit[C, S, R]) flushStates(ctx context.Context, nth int) (more bool, err error) {
	var writes []journal.StateWrite
	var of []*member[S]
	for _, m := range u.order {
		if nth < len(m.states) {
			writes, of = append(writes, m.states[nth]), append(of, m)
		}
	}
	if len(writes) == 0 {
		return false, nil
	}
	appended, err := u.tx.WriteStates(ctx, writes)
	if err != nil {
		return false, fmt.Errorf("write the states: %w", err)
	}
	for i, a := range appended {
		of[i].now.time, of[i].now.timed = a.Time, true
	}
	return true, nil
}

// finish shows what was committed, or forgets it, and lets the entities go.
func (u *unit[C, S, R]) finish(committed bool) {
	if committed {
		u.h.counts.commands.Add(u.commands)
		u.h.counts.refused.Add(u.refused)
	}
	for _, m := range u.order {
		switch {
		case !committed, !m.turn && m.changed:
			m.e.stale.Store(true)
		case m.turn && m.sure:
			u.h.show(m.e, m.now)
		}
		if committed && m.events != nil {
			u.h.counts.events.Add(len(m.events.Events))
		}
		if m.turn {
			u.h.release(m.e)
		}
	}
}

// claim takes the entity's turn, but waits no longer than that: who has it may be
// waiting for a lock that our transaction holds.
func (h *Host[C, S, R]) claim(ctx context.Context, who identity, wait time.Duration) (e *entity[S], granted bool, err error) {
	t := &turn[S]{granted: make(chan struct{})}
	e, err = h.enqueue(who, t)
	switch {
	case errors.Is(err, ErrBusy):
		return h.use(who), false, nil
	case err != nil:
		return nil, false, err
	}
	select {
	case <-t.granted:
		return e, true, nil
	default:
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	select {
	case <-t.granted:
		return e, true, nil
	case <-waiting.Done():
		return e, !h.leave(e, t), nil
	}
}
