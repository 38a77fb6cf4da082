package lens

import (
	"context"
	"slices"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

// inboxes asks every consumer of the transaction's topics: first where it stands,
// then what waits, then the marks. A message that moves on meanwhile is seen later
// in that order, never nowhere.
func (c *collecting) inboxes(ctx context.Context) {
	for _, s := range c.services.services {
		for _, m := range s.Consumers {
			f := consumerFact{service: s.Name, membership: m}
			if s.away != "" {
				f.unasked = "service " + s.Name + " is away: " + s.away
			}
			c.f.consumers = append(c.f.consumers, f)
		}
	}
	a := newAsking()
	for i := range c.f.consumers {
		f := &c.f.consumers[i]
		events := c.f.eventsFor(f)
		if f.unasked != "" || len(events) == 0 {
			continue
		}
		ask(a, ctx, "inbox of "+f.Name, func(ctx context.Context) (consumerFact, error) {
			return c.inbox(ctx, *f, events)
		}, func(answer consumerFact) { *f = answer }, func(reason string) { f.unasked = reason })
	}
	c.notes = append(c.notes, a.wait()...)
}

// eventsFor are the events that a consumer gets.
func (f *facts) eventsFor(c *consumerFact) (events []*entry) {
	for i := range f.entries {
		e := &f.entries[i]
		if e.death == nil && c.reads(f.local(e.topic)) && (e.redriven == "" || e.redriven == c.Name) {
			events = append(events, e)
		}
	}
	return events
}

// mostWaiting is how many messages without a mark are looked for in the table of
// waiting ones, for each consumer.
const mostWaiting = 16

func (c *collecting) inbox(ctx context.Context, f consumerFact, events []*entry) (consumerFact, error) {
	s, err := c.lens.services.at(ctx, f.service)
	if err != nil {
		return f, err
	}
	f.problem = c.problemOf(f.Name)
	if f.positions, err = c.positions(ctx, s, f.Name); err != nil {
		return f, err
	}
	ids := make([]string, 0, len(events))
	for _, e := range events {
		ids = append(ids, e.id)
	}
	f.marks, f.waiting, f.heads = map[string]inbox.StoredMark{}, map[partitionOffset]inbox.StoredWaiting{}, map[[2]string]inbox.StoredWaiting{}
	if err := addMarks(ctx, s, &f, ids); err != nil {
		return f, err
	}
	open := slices.DeleteFunc(slices.Clone(events), func(e *entry) bool { return f.marks[e.id].Outcome == inbox.Handled })
	if len(open) == 0 {
		return f, nil
	}
	for _, e := range open[:min(len(open), mostWaiting)] {
		if err := c.addWaiting(ctx, s, &f, e); err != nil {
			return f, err
		}
	}
	return f, addMarks(ctx, s, &f, ids)
}

func (c *collecting) problemOf(consumer string) string {
	for _, s := range c.services.services {
		if text := s.problems[consumer]; text != "" {
			return text
		}
	}
	return ""
}

// positions of the topics as they are now, not of those of the same name that were
// deleted, or of another cluster.
func (c *collecting) positions(ctx context.Context, s admin.API, consumer string) ([]inbox.Position, error) {
	all, err := s.Positions(ctx, consumer)
	return slices.DeleteFunc(all, func(p inbox.Position) bool { return !c.tail.current(p) }), err
}

func addMarks(ctx context.Context, s admin.API, f *consumerFact, ids []string) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for part := range slices.Chunk(ids, inbox.MaxInspectRows) {
		marks, err := s.Marks(ctx, f.Name, part...)
		if err != nil {
			return err
		}
		for _, m := range marks {
			if before, ok := f.marks[m.ID]; !ok || m.MarkedAt.After(before.MarkedAt) {
				f.marks[m.ID] = m
			}
		}
	}
	return nil
}

// addWaiting looks for the row of a message, and for the first of its key.
func (c *collecting) addWaiting(ctx context.Context, s admin.API, f *consumerFact, e *entry) error {
	local := c.f.local(e.topic)
	page, err := s.Waiting(ctx, inbox.WaitingQuery{Consumer: f.Name, Topic: local, Partition: &e.partition, Offset: &e.offset, Limit: 1})
	if err != nil || len(page.Waiting) == 0 {
		return err
	}
	w := page.Waiting[0]
	f.waiting[placeOf(e)] = w
	key := [2]string{local, w.Key}
	if _, known := f.heads[key]; known || w.Attempts > 0 || w.Key == "" {
		return nil
	}
	page, err = s.Waiting(ctx, inbox.WaitingQuery{Consumer: f.Name, Topic: local, Key: w.Key, Limit: 1})
	if err == nil && len(page.Waiting) > 0 {
		f.heads[key] = page.Waiting[0]
	}
	return err
}

// history asks outboxes for rows that were published: of a consumer that seems to owe
// an answer, because the answer may be where the index does not look; and, once all is
// done, for when an event was published that the index read late. It is a search
// through much, and so the exception.
func (c *collecting) history(ctx context.Context) {
	trace, nodes := draw(c.f, c.lens.config.Clock())
	a := newAsking()
	asked := map[string]bool{}
	for _, n := range nodes {
		late := trace.Complete && n.hop.Kind == api.HopOutbox && n.hop.LatencyMicros < 0
		if n.hop.Kind != api.HopAnswer && !late || asked[n.hop.Service] || c.f.unasked[n.hop.Service] {
			continue
		}
		asked[n.hop.Service] = true
		c.askRows(a, ctx, n.hop.Service, outbox.RowQuery{Status: outbox.Completed, Correlation: c.f.correlation, Limit: mostEvents})
	}
	c.notes = append(c.notes, a.wait()...)
}

// surroundings are facts about the index itself.
func (c *collecting) surroundings() {
	c.f.behind, _, c.f.gaps, c.f.problem = c.tail.progress()
	c.f.oldest = c.index.state().Oldest
	c.f.indexes = func(full string) bool { return c.tail.config.Topics.selects(c.f.local(full)) }
	if c.f.problem != "" {
		c.notes = append(c.notes, "the index cannot read on: "+c.f.problem)
	}
	c.f.notes = slices.Concat(c.services.notes, c.notes)
}
