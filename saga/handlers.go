package saga

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/inbox"
)

// Handlers take the answers, by topic, for inbox.Config.Groups. All messages of a
// call are decided in memory, in their order, between one statement that loads the
// sagas and few that save what follows.
//
// An answer for a saga that does not exist is permanent (inbox.Permanent), because
// something was done that nobody asked for any more; it begins a choreographed one,
// unless the event is older than Config.Retention: then it may be one of a saga that
// is deleted. One for a saga of a version that is not here waits (inbox.Later).
func (m *Manager[T, S]) Handlers() map[string]inbox.GroupHandler[T] {
	all := map[string]inbox.GroupHandler[T]{}
	for _, d := range m.cfg.Definitions {
		for _, r := range d.Replies {
			all[r.Topic] = func(ctx context.Context, tx T, ms []inbox.Message) error {
				return m.handle(ctx, tx, ms)
			}
		}
	}
	return all
}

func (m *Manager[T, S]) handle(ctx context.Context, tx T, ms []inbox.Message) error {
	g := &group[S]{events: make([]event.Event, len(ms)), readings: make([]reading[S], len(ms)), of: map[string][]int{}}
	for i, msg := range ms {
		r, err := m.read(msg.Topic, msg.Event)
		if err != nil {
			return m.blame(msg.Event, err)
		}
		g.events[i], g.readings[i] = msg.Event, r
		if !r.ignored {
			g.of[r.id] = append(g.of[r.id], i)
		}
	}
	if len(g.of) == 0 {
		return nil
	}
	return m.settle(ctx, tx, g)
}

// group is the messages of one call.
type group[S any] struct {
	events   []event.Event
	readings []reading[S]
	of       map[string][]int // the messages for a saga, in their order
	outcomes []outcome[S]     // of each message
	stale    int
}

// settle decides and stores.
func (m *Manager[T, S]) settle(ctx context.Context, tx T, g *group[S]) error {
	u := m.newUnit(ctx)
	g.outcomes = make([]outcome[S], len(g.events))
	ids := slices.Sorted(maps.Keys(g.of))
	stored, err := m.load(ctx, tx, ids)
	if err != nil {
		return err
	}
	var fresh []*held[S]
	for _, id := range ids {
		h := stored[id]
		if h == nil {
			if h, err = m.unknown(g, id); err != nil {
				return err
			}
		}
		if err := m.decideAll(u, g, h, id); err != nil {
			return err
		}
		if h.base == 0 && h.changed {
			fresh = append(fresh, h)
		}
	}
	if err := m.insertFresh(ctx, tx, u, g, fresh, stored); err != nil {
		return err
	}
	if err := m.apply(ctx, tx, slices.Collect(maps.Values(stored)), g.outcomes); err != nil {
		return err
	}
	t := tallyOf(g.outcomes)
	t.stale = g.stale
	m.counts.add(t)
	return nil
}

// unknown is a saga that a message is the first of, where there may be such.
func (m *Manager[T, S]) unknown(g *group[S], id string) (*held[S], error) {
	first := g.of[id][0]
	e := g.events[first]
	if !m.cfg.Definitions[0].choreographed {
		return nil, m.blame(e, inbox.Permanent(fmt.Errorf("%w: %s/%s: nobody waits for this answer; was the saga deleted?", ErrNotFound, m.name, id)))
	}
	if m.cfg.Retention > 0 && e.Time.Before(m.now().Add(-m.cfg.Retention)) {
		return nil, m.blame(e, inbox.Permanent(fmt.Errorf("%w: %s/%s: the event of %s begins nothing, because its saga may have been deleted %s after its end",
			ErrNotFound, m.name, id, e.Time.Format(time.RFC3339), brief(m.cfg.Retention))))
	}
	correlation := e.CorrelationID
	if correlation == "" {
		correlation = id
	}
	return m.fresh(id, correlation), nil
}

// decideAll takes all messages for one saga.
func (m *Manager[T, S]) decideAll(u *unit, g *group[S], h *held[S], id string) error {
	for _, i := range g.of[id] {
		e := g.events[i]
		if h.err != nil {
			return m.blame(e, graded(h.err))
		}
		g.outcomes[i] = outcome[S]{}
		answer, err := g.readings[i].by(m.places[h.instance.Version])
		if err != nil {
			return m.blame(e, err)
		}
		if answer == nil {
			continue
		}
		out, err := m.decide(u, h, Input[S]{Answer: answer, Event: e})
		if err != nil {
			return m.blame(e, graded(err))
		}
		if !out.changed {
			g.stale++
		}
		g.outcomes[i] = out
	}
	return nil
}

// insertFresh stores the sagas that began. Those that another transaction began
// meanwhile are decided again as they stand now.
func (m *Manager[T, S]) insertFresh(ctx context.Context, tx T, u *unit, g *group[S], fresh []*held[S], stored map[string]*held[S]) error {
	if len(fresh) == 0 {
		return nil
	}
	inserted, err := m.insert(ctx, tx, fresh)
	if err != nil {
		return err
	}
	var lost []string
	for i, h := range fresh {
		if !inserted[i] {
			lost = append(lost, h.instance.ID)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	again, err := m.load(ctx, tx, lost)
	if err != nil {
		return err
	}
	for _, id := range lost {
		h := again[id]
		if h == nil {
			return m.blame(g.events[g.of[id][0]], errVanished)
		}
		if err := m.decideAll(u, g, h, id); err != nil {
			return err
		}
		stored[id] = h
	}
	return nil
}
