package lens

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
)

// waits is why a message is not handled yet.
type waits struct {
	row  inbox.StoredWaiting
	head *inbox.StoredWaiting // the first of its key, where that is another one
	// reached says that the consumer has not come to it: next is where it stands.
	lag  bool
	next int64
}

// consumeHops are the consumers of a record, and of its redriven copies.
func (d *drawing) consumeHops(m *emission, e *entry, record *node) {
	local := d.local(e.topic)
	for i := range d.consumers {
		c := &d.consumers[i]
		if !c.reads(local) {
			continue
		}
		n := d.consumeHop(c, e, record)
		for _, r := range m.redriven {
			if r.redriven == c.Name && n.hop.State == api.Dead {
				n.hop.State, n.hop.Detail = api.Done, "given up, and sent again since"
				if mark, ok := c.marks[e.id]; ok && mark.Outcome == inbox.Dead {
					n.hop.At = mark.MarkedAt
				}
			}
		}
	}
}

// consumeHop is one consumer's handling of a record.
func (d *drawing) consumeHop(c *consumerFact, e *entry, record *node) *node {
	n := &node{entry: e, consumer: c, since: record.hop.At, hop: api.Hop{
		Kind: api.HopConsume, Service: c.service, Consumer: c.Name, Event: e.event(),
		Topic: e.topic, Partition: &e.partition, Offset: &e.offset,
	}}
	d.judge(n)
	if n.hop.State == api.Done {
		n.hop.LatencyMicros = max(1, latency(record.hop.At, n.hop.At)) // 0 is for add
	}
	d.add(n, record)
	d.consumed[e.id] = append(d.consumed[e.id], n)
	return n
}

// judge finds the state of a consume hop.
func (d *drawing) judge(n *node) {
	c, e := n.consumer, n.entry
	mark, marked := c.marks[e.id]
	waiting, waits := c.waiting[placeOf(e)]
	position := c.position(d.local(e.topic), e.partition)
	switch {
	case marked && mark.Outcome == inbox.Handled:
		n.hop.State, n.hop.At = api.Done, mark.MarkedAt
	case marked && !d.again(mark, e):
		n.hop.State, n.hop.Detail = api.Dead, "given up at "+clock(mark.MarkedAt)
		n.since = mark.MarkedAt
		n.letter = d.letterOf(c, e)
		if n.letter != nil {
			n.hop.Attempts, n.hop.Detail = n.letter.death.attempts, n.letter.death.reason
		}
	case waits:
		d.judgeWaiting(n, waiting)
	case d.consequence(n):
	case c.unasked != "":
		n.hop.State, n.hop.Detail = api.Unknown, c.unasked
	case position != nil && position.NextOf(e.key, e.offset) > e.offset:
		n.hop.State = api.Unknown
		n.hop.Detail = "the consumer is past it, and its inbox has no mark: it began later, or the mark was cleaned up"
	default:
		d.judgeLag(n, position)
	}
}

// again says whether a record was sent again after its message was given up: the
// mark is of before.
func (d *drawing) again(mark inbox.StoredMark, e *entry) bool {
	return e.redriven != "" && e.seen > 0 && mark.MarkedAt.UnixMicro() < e.seen
}

// letterOf is the dead letter that a consumer made of a record, nil where the index
// has none.
func (d *drawing) letterOf(c *consumerFact, e *entry) *entry {
	for i := range d.entries {
		l := &d.entries[i]
		if l.death != nil && l.death.consumer == c.Name && d.full(l.death.topic) == e.topic &&
			l.death.partition == e.partition && l.death.offset == e.offset {
			return l
		}
	}
	return nil
}

func (d *drawing) judgeWaiting(n *node, w inbox.StoredWaiting) {
	n.waits = &waits{row: w}
	n.hop.Attempts = w.Attempts
	switch {
	case w.Parked:
		n.hop.State, n.hop.Detail = api.Stalled, "its key is parked: an earlier message of it was given up"
	case w.Attempts > 0:
		n.hop.State = api.Failing
		n.hop.Detail = fmt.Sprintf("%s; next attempt at %s", w.Reason, clock(w.Next))
	default:
		n.hop.State, n.hop.Detail = api.InFlight, "an earlier message of its key waits"
		if d.now.Sub(n.since) >= d.stallAfter {
			n.hop.State = api.Stalled
		}
		if head, ok := n.consumer.heads[[2]string{w.Topic, w.Key}]; ok && head.Offset != w.Offset {
			n.waits.head = &head
		}
	}
}

// consequence finds out from the log that a message was handled: its consumer's
// service sent something because of it.
func (d *drawing) consequence(n *node) bool {
	if n.consumer.unasked == "" {
		return false
	}
	for _, m := range d.emissions {
		sender := d.bySource(m.source)
		if m.row != nil {
			sender = m.row.service
		}
		if m.causation != n.entry.id || sender == "" || sender != n.consumer.service {
			continue
		}
		if answers := n.consumer.Answers[d.local(n.entry.topic)]; len(answers) > 0 && !slices.Contains(answers, d.local(m.topic)) {
			continue
		}
		n.hop.State, n.hop.At = api.Done, timeOf(m.time)
		n.hop.Detail = "its inbox cannot be asked; what it sent because of this is in the log"
		return true
	}
	return false
}

func (d *drawing) judgeLag(n *node, p *inbox.Position) {
	n.waits = &waits{lag: true, next: -1}
	if p != nil {
		n.waits.next = p.NextOf(n.entry.key, n.entry.offset)
	}
	n.hop.State = api.InFlight
	if d.now.Sub(n.since) >= d.stallAfter {
		n.hop.State = api.Stalled
		n.hop.Detail = fmt.Sprintf("not handled for %s", duration(d.now.Sub(n.since)))
	}
}

// answers adds what consumers owe and did not send.
func (d *drawing) answers() {
	for _, m := range d.emissions {
		owing := map[string]*node{} // by consumer: the last that handled it
		for _, n := range d.consumed[m.id] {
			if n.hop.Topic == m.topic && n.hop.State == api.Done && n.hop.Detail == "" {
				owing[n.hop.Consumer] = n
			}
		}
		for _, n := range d.consumed[m.id] {
			owed := n.consumer.Answers[d.local(n.hop.Topic)]
			if owing[n.hop.Consumer] == n && len(owed) > 0 && !d.answered(m.id, owed) {
				d.add(d.missing(n, owed), n)
			}
		}
	}
}

// answered says whether one of those topics got an event because of that one, or is
// about to.
func (d *drawing) answered(id string, owed []string) bool {
	return slices.ContainsFunc(d.emissions, func(m *emission) bool {
		return m.causation == id && slices.Contains(owed, d.local(m.topic))
	})
}

// missing is the hop of an answer that is nowhere.
func (d *drawing) missing(consume *node, owed []string) *node {
	full := make([]string, len(owed))
	for i, topic := range owed {
		full[i] = d.full(topic)
	}
	n := &node{consumer: consume.consumer, entry: consume.entry, since: consume.hop.At, hop: api.Hop{
		Kind: api.HopAnswer, State: api.Missing, Service: consume.hop.Service, Consumer: consume.hop.Consumer,
		Topic: full[0], Detail: "no answer in " + strings.Join(full, " or "),
	}}
	asked := !d.unasked[consume.hop.Service]
	indexed := d.indexes == nil || slices.ContainsFunc(full, d.indexes)
	switch age := d.now.Sub(consume.hop.At); {
	case !asked:
		n.hop.State = api.Unknown
		n.hop.Detail += ", and its outbox cannot be asked"
	case !indexed:
		n.hop.State = api.Unknown
		n.hop.Detail += ": these topics are not indexed"
	case len(overlapping(d.gaps, consume.hop.At, consume.hop.At)) > 0:
		n.hop.State = api.Unknown
		n.hop.Detail += "; the index has a gap there"
	case age < d.stallAfter || d.behind > 0 && age < time.Hour:
		n.hop.State = api.InFlight
	}
	return n
}
