package lens

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

// Bounds of a trace: a transaction of thousands of events is no picture any more.
const (
	mostEvents = 500
	mostID     = 1000 // bytes of what is asked for
)

// Trace implements api.Lens.
func (l *Lens) Trace(ctx context.Context, id string) (api.Trace, error) {
	if id == "" || len(id) > mostID {
		return api.Trace{}, api.BadField("id", "a correlation id, event id or key has 1 to %d bytes", mostID)
	}
	ix, t, err := l.reading()
	if err != nil {
		return api.Trace{}, err
	}
	asked, cancel := context.WithTimeout(ctx, l.config.AskTimeout)
	defer cancel()
	c := collecting{lens: l, index: ix, tail: t, services: l.services.all(asked, l.config.AskTimeout*2/5)}
	c.f = &facts{query: id, prefix: l.kafka.Prefix, stallAfter: l.config.StallAfter, services: c.services.services, unasked: map[string]bool{}}
	if err := c.find(ctx, asked, id); err != nil {
		return api.Trace{}, err
	}
	c.inboxes(asked)
	c.sagas(asked)
	c.history(asked)
	c.surroundings()
	now := l.config.Clock()
	trace, nodes := draw(c.f, now)
	trace.Sagas = c.f.sagaLines()
	trace.Stuck = diagnoseSagas(diagnose(nodes, c.f, now), nodes, c.f, now)
	return trace, nil
}

// collecting gathers the facts of a transaction.
type collecting struct {
	lens     *Lens
	index    *index
	tail     *tail
	services look
	f        *facts
	notes    []string
}

// find looks for the transaction in the log, and in the outboxes; ErrNotFound where
// it is in neither. ctx is for the index, asked for the services.
func (c *collecting) find(ctx, asked context.Context, id string) error {
	found, err := c.index.find(ctx, id)
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	c.f.correlation = transactionOf(found, id)
	if c.f.correlation != "" {
		c.rows(asked, outbox.RowQuery{Correlation: c.f.correlation})
	} else {
		c.rows(asked, outbox.RowQuery{Correlation: id}, outbox.RowQuery{EventIDs: []string{id}}, outbox.RowQuery{Key: id})
		if c.f.correlation = transactionOfRows(c.f.rows, id); c.f.correlation == "" {
			return c.notFound(id)
		}
		if c.f.correlation != id {
			c.f.rows = nil
			c.rows(asked, outbox.RowQuery{Correlation: c.f.correlation})
		}
	}
	// After the rows: what left an outbox meanwhile may be in the log by now.
	if found, err = c.index.find(ctx, c.f.correlation); err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	c.keep(found)
	if len(c.f.entries) == 0 && len(c.f.rows) == 0 {
		return c.notFound(id)
	}
	return nil
}

func (c *collecting) notFound(id string) error {
	behind, _, _, problem := c.tail.progress()
	text := fmt.Sprintf("no transaction, event or key %q, in the indexed part of the log and in the outboxes", id)
	if behind > 0 {
		text += fmt.Sprintf("; the index is %d records behind", behind)
	}
	if problem != "" {
		text += "; " + problem
	}
	for _, note := range slices.Concat(c.services.notes, c.notes) {
		text += "; " + note
	}
	return fmt.Errorf("%w: %s", api.ErrNotFound, text)
}

// transactionOf is the correlation id of what a text names: the id itself, or that
// of the event, or that of the newest event of a key. "" where nothing was found.
func transactionOf(found []entry, id string) string {
	var newest, named *entry
	for i := range found {
		e := &found[i]
		switch {
		case e.transaction() == id:
			return id
		case e.id == id:
			named = e
		case newest == nil || e.time > newest.time:
			newest = e
		}
	}
	if e := cmp.Or(named, newest); e != nil {
		return e.transaction()
	}
	return ""
}

// transactionOfRows is transactionOf for outboxes.
func transactionOfRows(rows []rowFact, id string) string {
	var newest, named *rowFact
	for i := range rows {
		r := &rows[i]
		switch {
		case r.transaction() == id:
			return id
		case r.EventID == id:
			named = r
		case newest == nil || r.EnqueuedAt.After(newest.EnqueuedAt):
			newest = r
		}
	}
	if r := cmp.Or(named, newest); r != nil {
		return r.transaction()
	}
	return ""
}

func (r *rowFact) transaction() string { return cmp.Or(r.CorrelationID, r.EventID) }

// keep takes the entries of the transaction, the earliest where there are too many.
func (c *collecting) keep(found []entry) {
	found = slices.DeleteFunc(slices.Clone(found), func(e entry) bool { return e.transaction() != c.f.correlation })
	slices.SortFunc(found, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.topic, b.topic), cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
	})
	if len(found) > mostEvents {
		c.notes = append(c.notes, fmt.Sprintf("the transaction has %d records; the first %d are shown", len(found), mostEvents))
		found = found[:mostEvents]
	}
	c.f.entries = found
}

// rows asks all outboxes for STARTED and FAILED rows. Those are in the outbox, which
// is small; the history is asked only for what is missing.
func (c *collecting) rows(ctx context.Context, queries ...outbox.RowQuery) {
	a := newAsking()
	for _, s := range c.services.services {
		if s.away != "" {
			c.f.unasked[s.Name] = true
			continue
		}
		if s.outbox == nil {
			continue
		}
		for _, q := range queries {
			for _, status := range []outbox.Status{outbox.Started, outbox.Failed} {
				q.Status, q.Limit = status, mostEvents
				c.askRows(a, ctx, s.Name, q)
			}
		}
	}
	c.notes = append(c.notes, a.wait()...)
}

func (c *collecting) askRows(a *asking, ctx context.Context, service string, q outbox.RowQuery) {
	ask(a, ctx, "outbox of "+service, func(ctx context.Context) ([]outbox.StoredRow, error) {
		s, err := c.lens.services.at(ctx, service)
		if err != nil {
			return nil, err
		}
		page, err := s.Rows(ctx, q)
		return page.Rows, err
	}, func(rows []outbox.StoredRow) {
		for _, r := range rows {
			c.f.addRow(rowFact{service, r})
		}
	}, func(string) { c.f.unasked[service] = true })
}
