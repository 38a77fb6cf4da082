package lens

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/outbox"
)

func eventOfRow(r *rowFact) *api.Event {
	return &api.Event{
		ID: r.EventID, Type: r.Type, Key: r.Key, Time: r.EnqueuedAt, CorrelationID: r.CorrelationID, CausationID: r.CausationID,
	}
}

// outboxHop is an event's way out of its service.
func (d *drawing) outboxHop(m *emission, service string) *node {
	n := &node{row: m.row, since: timeOf(m.time), hop: api.Hop{Kind: api.HopOutbox, Service: service, Topic: m.topic}}
	if m.row != nil {
		n.hop.Row, n.hop.Event, n.hop.Attempts = m.row.ID, eventOfRow(m.row), m.row.Attempts
		n.since = m.row.EnqueuedAt
	}
	switch {
	case len(m.records) > 0:
		d.publishedHop(n, m)
	case m.row != nil:
		d.storedHop(n, m.row)
	case len(m.deadEnds) > 0: // its row cannot be seen
		n.hop.State, n.entry = api.Dead, m.deadEnds[0]
		n.hop.Event = n.entry.event()
		n.hop.Row, n.hop.Attempts, n.hop.Detail = n.entry.death.row, n.entry.death.attempts, n.entry.death.reason
	default: // only redriven copies: the first one is out of the index
		n.hop.State, n.hop.Event = api.Done, m.redriven[0].event()
		n.hop.Detail = "the first record is not in the index any more"
	}
	return d.add(n)
}

func (d *drawing) publishedHop(n *node, m *emission) {
	first := m.records[0]
	at, known := d.published(first)
	n.hop.State, n.hop.Event, n.hop.At, n.hop.Detail = api.Done, first.event(), at, ""
	n.hop.Attempts = 0
	if known {
		n.hop.LatencyMicros = max(1, latency(timeOf(first.time), at)) // 0 is for add
	}
}

// storedHop is one that is in the outbox, or was.
func (d *drawing) storedHop(n *node, r *rowFact) {
	switch {
	case r.Status == outbox.Completed:
		n.hop.State, n.hop.At = api.Done, r.PublishedAt
		n.hop.LatencyMicros = max(1, latency(r.EnqueuedAt, r.PublishedAt))
	case r.Status == outbox.Failed:
		n.hop.State, n.hop.Detail = api.Dead, r.Reason
	case r.Attempts > 0:
		n.hop.State = api.Failing
		n.hop.Detail = fmt.Sprintf("Kafka refused it: %s; next attempt at %s", r.Reason, clock(r.NextAttempt))
	case d.stopped(r.service), d.now.Sub(r.EnqueuedAt) >= d.stallAfter:
		n.hop.State, n.hop.Detail = api.Stalled, "not published for "+duration(d.now.Sub(r.EnqueuedAt))
	default:
		n.hop.State = api.InFlight
	}
}

// stopped says whether somebody paused the relay, so that nothing will go out.
func (f *facts) stopped(service string) bool {
	s := f.service(service)
	if s == nil {
		return false
	}
	active, paused, _ := s.relay()
	return paused != nil && len(active) == 0
}

// relayLetter is the dead letter of an event that Kafka did not take. Where the
// event is in the log after all, that is history.
func (d *drawing) relayLetter(m *emission, e *entry, box *node) {
	n := d.recordHop(e, box)
	n.hop.Attempts, n.hop.Service = e.death.attempts, d.ownerOf(e)
	n.hop.State, n.hop.Detail = api.Dead, "the relay gave it up: "+e.death.reason
	replayed := m.row != nil && m.row.Status != outbox.Failed
	if len(m.records) > 0 || replayed {
		n.hop.State, n.hop.Detail = api.Done, "the relay had given it up ("+e.death.reason+"); it was replayed since"
	}
	m.head = cmp.Or(m.head, n)
	if box != nil {
		box.letter = e
	}
}

// ownerOf a relay's dead letter.
func (f *facts) ownerOf(e *entry) string {
	for i := range f.services {
		if box := f.services[i].outbox; box != nil && box.ID == e.death.outbox {
			return f.services[i].Name
		}
	}
	return f.bySource(e.source)
}

// clock is a time for people.
func clock(t time.Time) string {
	if t.IsZero() {
		return "once it is due"
	}
	return t.UTC().Format("15:04:05 UTC")
}

// duration for people: two significant parts at most.
func duration(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	}
	return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
}
