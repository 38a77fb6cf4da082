package lens

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

// draw makes a trace out of facts, without Stuck: see diagnose. The nodes are its
// hops, in their order.
func draw(f *facts, now time.Time) (api.Trace, []*node) {
	d := &drawing{facts: f, now: now, requests: map[string]*node{}, consumed: map[string][]*node{}, recorded: map[string]*node{}}
	d.emissions = emissionsOf(f)
	for _, e := range d.emissions {
		d.emission(e)
	}
	for _, e := range d.emissions {
		d.causes(e)
	}
	d.letters()
	d.answers()
	sorted := d.sorted()
	t := api.Trace{Query: f.query, CorrelationID: f.correlation, Keys: f.keys(), Hops: hops(sorted), Notes: f.notes}
	t.Begin, t.End = span(sorted)
	t.Gaps = overlapping(f.gaps, t.Begin, t.End)
	t.Complete = len(t.Hops) > 0 && !f.open() && !slices.ContainsFunc(t.Hops, func(h api.Hop) bool { return h.State != api.Done })
	return t, sorted
}

// drawing is a trace under way.
type drawing struct {
	graph
	*facts
	now       time.Time
	emissions []*emission
	requests  map[string]*node   // by source
	consumed  map[string][]*node // consume hops, by event id
	recorded  map[string]*node   // first record hop, by event id
}

// emission is one event sent to one topic: its row, and its records in the log.
type emission struct {
	id, topic                   string // full
	source, causation           string
	time                        int64
	row                         *rowFact
	records, redriven, deadEnds []*entry // deadEnds are dead letters of its relay
	head                        *node
}

// emissionsOf groups what belongs together, by time.
func emissionsOf(f *facts) []*emission {
	byKey := map[[2]string]*emission{}
	of := func(id, topic string) *emission {
		key := [2]string{id, topic}
		if byKey[key] == nil {
			byKey[key] = &emission{id: id, topic: topic}
		}
		return byKey[key]
	}
	for i := range f.entries {
		e := &f.entries[i]
		switch {
		case e.death != nil && e.death.consumer != "":
			continue // see letters
		case e.death != nil:
			m := of(e.id, f.full(e.death.topic))
			m.deadEnds = append(m.deadEnds, e)
			m.describe(e.source, e.causation, e.time)
		case e.redriven != "":
			m := of(e.id, e.topic)
			m.redriven = append(m.redriven, e)
			m.describe(e.source, e.causation, e.time)
		default:
			m := of(e.id, e.topic)
			m.records = append(m.records, e)
			m.describe(e.source, e.causation, e.time)
		}
	}
	for i := range f.rows {
		if r := &f.rows[i]; !f.isLetter(r) {
			m := of(r.EventID, f.full(r.Topic))
			if m.row == nil || r.Status != outbox.Completed {
				m.row = r
			}
			m.describe("", r.CausationID, r.EnqueuedAt.UnixMicro())
		}
	}
	list := make([]*emission, 0, len(byKey))
	for _, m := range byKey {
		for _, entries := range [][]*entry{m.records, m.redriven, m.deadEnds} {
			slices.SortFunc(entries, func(a, b *entry) int {
				return cmp.Or(cmp.Compare(a.first(), b.first()), cmp.Compare(a.partition, b.partition), cmp.Compare(a.offset, b.offset))
			})
		}
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *emission) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.id, b.id), cmp.Compare(a.topic, b.topic))
	})
	return list
}

func (m *emission) describe(source, causation string, at int64) {
	m.source, m.causation = cmp.Or(m.source, source), cmp.Or(m.causation, causation)
	if m.time == 0 || at < m.time {
		m.time = at
	}
}

// isLetter says whether a row is a dead letter on its way.
func (f *facts) isLetter(r *rowFact) bool {
	s := f.service(r.service)
	return s != nil && slices.ContainsFunc(s.Consumers, func(m membership) bool { return m.DeadLetterTopic == r.Topic })
}

// emission draws outbox -> record -> consume of one.
func (d *drawing) emission(m *emission) {
	service := d.bySource(m.source)
	if m.row != nil {
		service = m.row.service
	}
	var box *node
	if service != "" {
		box = d.outboxHop(m, service)
		m.head = box
	}
	for i, e := range m.records {
		n := d.recordHop(e, box)
		if i > 0 {
			n.hop.Detail = "the same event, published again"
			continue // whoever handled the first one does nothing
		}
		d.recorded[m.id] = cmp.Or(d.recorded[m.id], n)
		m.head = cmp.Or(m.head, n)
		d.consumeHops(m, e, n)
	}
	if len(m.records) == 0 && m.row != nil && m.row.Status == outbox.Completed {
		d.unseenRecord(m, box)
	}
	for _, e := range m.deadEnds {
		d.relayLetter(m, e, box)
	}
}

// recordHop is an event in the log.
func (d *drawing) recordHop(e *entry, parents ...*node) *node {
	at, known := d.published(e)
	n := &node{entry: e, hop: api.Hop{
		Kind: api.HopRecord, State: api.Done, Event: e.event(), Topic: e.topic, Partition: &e.partition, Offset: &e.offset, At: at,
	}}
	d.add(n, parents...)
	switch {
	case len(parents) > 0 && parents[0] != nil:
		n.hop.LatencyMicros = latency(parents[0].hop.At, at)
	case known:
		n.hop.LatencyMicros = latency(timeOf(e.time), at)
	}
	return n
}

// published is when an event was in the log. known is false where only its own time
// can be told: a relay gives the record the time of its event, and the index read
// it later. The row in the history knows, and a consumer that marked it earlier than
// the index saw it knows better.
func (d *drawing) published(e *entry) (at time.Time, known bool) {
	micros, known := e.published()
	if r := d.completed(e.id); !known && r != nil {
		micros, known = max(e.time, r.PublishedAt.UnixMicro()), true
	}
	for i := range d.consumers {
		if m, ok := d.consumers[i].marks[e.id]; ok && e.redriven == "" && m.MarkedAt.UnixMicro() < micros {
			micros = max(e.time, m.MarkedAt.UnixMicro())
		}
	}
	return timeOf(micros), known
}

// completed is an event's row in the history, nil where none was asked for.
func (f *facts) completed(id string) *rowFact {
	for i := range f.rows {
		if r := &f.rows[i]; r.EventID == id && r.Status == outbox.Completed {
			return r
		}
	}
	return nil
}

// unseenRecord stands for one that was published and that the index has not.
func (d *drawing) unseenRecord(m *emission, box *node) {
	n := &node{since: m.row.PublishedAt, hop: api.Hop{
		Kind: api.HopRecord, State: api.Unknown, Event: eventOfRow(m.row), Topic: m.topic,
		Detail: "it was published, and the index has not got it",
	}}
	switch {
	case d.indexes != nil && !d.indexes(m.topic):
		n.hop.Detail = "it was published; this topic is not indexed"
	case d.now.Sub(m.row.PublishedAt) < d.stallAfter || d.behind > 0:
		n.hop.State = api.InFlight
		n.hop.Detail = fmt.Sprintf("it was published; the index is %d records behind", d.behind)
	}
	d.add(n, box)
	d.recorded[m.id] = cmp.Or(d.recorded[m.id], n)
}

// causes links an emission to what caused it: the consumer that did, the event
// itself, or the request from outside.
func (d *drawing) causes(m *emission) {
	head := m.head
	if head == nil {
		return // dead ends only, or redriven ones: they have parents
	}
	if m.causation == "" {
		d.link(head, d.request(m, head))
		return
	}
	cause := d.recorded[m.causation]
	for _, n := range d.consumed[m.causation] {
		if n.hop.Service != "" && n.hop.Service == head.hop.Service && n.entry.redriven == "" {
			cause = n
			if slices.Contains(n.consumer.Answers[d.local(n.hop.Topic)], d.local(m.topic)) {
				break
			}
		}
	}
	d.link(head, cause)
	if head.hop.Kind == api.HopRecord && cause != nil && !cause.hop.At.IsZero() {
		head.hop.LatencyMicros = latency(cause.hop.At, head.hop.At)
	}
}

// request is what came from outside to that source.
func (d *drawing) request(m *emission, head *node) *node {
	key := cmp.Or(head.hop.Service, m.source)
	n := d.requests[key]
	if n == nil {
		n = d.add(&node{hop: api.Hop{Kind: api.HopRequest, State: api.Done, Service: key, At: timeOf(m.time)}})
		d.requests[key] = n
	}
	return n
}

// latency is -1 where one of the times is not known. Clocks of two machines may
// differ: it is never below 0.
func latency(from, to time.Time) int64 {
	if from.IsZero() || to.IsZero() {
		return -1
	}
	return max(0, to.Sub(from).Microseconds())
}

func (f *facts) keys() []string {
	keys := []string{}
	note := func(key string) {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	for i := range f.entries {
		note(f.entries[i].key)
	}
	for i := range f.rows {
		note(f.rows[i].Key)
	}
	return keys
}

func span(nodes []*node) (begin, end time.Time) {
	for _, n := range nodes {
		at := timeOfNode(n)
		if at.IsZero() {
			continue
		}
		if begin.IsZero() || at.Before(begin) {
			begin = at
		}
		if at.After(end) {
			end = at
		}
	}
	return begin, end
}

// gapSlack allows for clocks, and for what comes after the latest hop.
const gapSlack = time.Minute

// overlapping are the gaps in which hops of that time may be.
func overlapping(gaps []gap, begin, end time.Time) (found []api.Gap) {
	for _, g := range gaps {
		if !g.Since.After(end.Add(gapSlack)) && !g.At.Before(begin.Add(-gapSlack)) {
			found = append(found, g.Gap)
		}
	}
	return found
}
