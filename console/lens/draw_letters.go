package lens

import (
	"cmp"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

// letters draws dead letters of consumers, those in the log and those on their way,
// and what was sent again.
func (d *drawing) letters() {
	resent := map[*entry]*node{}
	for _, m := range d.emissions {
		for _, e := range m.redriven {
			resent[e] = d.redrive(m, e)
		}
	}
	for i := range d.entries {
		if e := &d.entries[i]; e.death != nil && e.death.consumer != "" {
			d.letter(e)
		}
	}
	for _, m := range d.emissions {
		for _, e := range m.redriven {
			d.link(resent[e], cmp.Or(d.letterBefore(e), d.recorded[e.id], m.head))
		}
	}
	for i := range d.rows {
		if r := &d.rows[i]; d.isLetter(r) && !d.logged(r) {
			d.letterRow(r)
		}
	}
}

// letterRow is a dead letter that is in the outbox still.
func (d *drawing) letterRow(r *rowFact) {
	n := &node{row: r, since: r.EnqueuedAt, hop: api.Hop{
		Kind: api.HopOutbox, Service: r.service, Topic: d.full(r.Topic), Row: r.ID, Event: eventOfRow(r), Attempts: r.Attempts,
	}}
	d.storedHop(n, r)
	n.hop.Detail = strings.TrimSuffix("a dead letter on its way; "+n.hop.Detail, "; ")
	d.add(n, d.lastConsume(r.EventID, func(c *node) bool { return c.hop.Service == r.service }))
}

// logged says whether what is in a row is in the log.
func (d *drawing) logged(r *rowFact) bool {
	return slices.ContainsFunc(d.entries, func(e entry) bool { return e.id == r.EventID && e.topic == d.full(r.Topic) })
}

// letter is a message that its consumer gave up.
func (d *drawing) letter(e *entry) {
	parent := d.lastConsume(e.id, func(c *node) bool {
		return c.hop.Consumer == e.death.consumer && *c.hop.Partition == e.death.partition && *c.hop.Offset == e.death.offset
	})
	if parent == nil {
		parent = d.recorded[e.id]
	}
	n := d.recordHop(e, parent)
	n.hop.Consumer, n.hop.Attempts = e.death.consumer, e.death.attempts
	if c := d.consumer(e.death.consumer); c != nil {
		n.hop.Service = c.service
	}
	n.hop.State, n.hop.Detail, n.letter = api.Dead, e.death.reason, e
	if at := timeOf(e.death.at); at.After(n.hop.At) {
		n.hop.At, n.hop.LatencyMicros = at, -1
	}
	if d.resolved(e) {
		n.hop.State, n.hop.Detail = api.Done, "given up ("+e.death.reason+"); sent again or handled since"
	}
}

// resolved says whether a dead letter's message was sent again or handled after it.
func (d *drawing) resolved(letter *entry) bool {
	if c := d.consumer(letter.death.consumer); c != nil {
		if mark, ok := c.marks[letter.id]; ok && mark.Outcome == inbox.Handled {
			return true
		}
	}
	for i := range d.entries {
		if e := &d.entries[i]; e.id == letter.id && e.redriven == letter.death.consumer && later(e, letter) {
			return true
		}
	}
	return false
}

// later says whether a redriven record came after a dead letter: it stands behind
// what the letter was made of.
func later(redriven, letter *entry) bool {
	if redriven.partition == letter.death.partition {
		return redriven.offset > letter.death.offset
	}
	return redriven.first() >= letter.first()
}

// redrive is a dead letter sent again to its consumer.
func (d *drawing) redrive(m *emission, e *entry) *node {
	record := d.recordHop(e)
	record.hop.LatencyMicros = -1 // its event is an old one
	record.hop.Detail = "sent again to " + e.redriven
	if c := d.consumer(e.redriven); c != nil {
		again := d.consumeHop(c, e, record)
		if again.hop.State == api.Dead && d.resentAfter(m, e) {
			again.hop.State, again.hop.Detail = api.Done, "given up again, and sent again since"
		}
	}
	return record
}

// letterBefore is the dead letter that a redriven record was made of; nil where it
// is not known.
func (d *drawing) letterBefore(e *entry) (found *node) {
	for _, n := range d.nodes {
		if n.hop.Kind == api.HopRecord && n.letter != nil && n.letter.id == e.id &&
			n.letter.death.consumer == e.redriven && later(e, n.letter) {
			found = n
		}
	}
	return found
}

// resentAfter says whether there is a later copy for the same consumer.
func (d *drawing) resentAfter(m *emission, e *entry) bool {
	return slices.ContainsFunc(m.redriven, func(other *entry) bool {
		return other.redriven == e.redriven && (other.first() > e.first() || other.partition == e.partition && other.offset > e.offset)
	})
}

// lastConsume is the latest consume hop of an event that matches, nil for none.
func (d *drawing) lastConsume(id string, matches func(*node) bool) (found *node) {
	for _, n := range d.consumed[id] {
		if matches(n) {
			found = n
		}
	}
	return found
}
