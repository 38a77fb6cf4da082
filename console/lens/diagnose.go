package lens

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
)

// diagnose names the first hop that does not go on, why, and one safe action; nil
// where none stands still. nodes are those of draw, in its order.
func diagnose(nodes []*node, f *facts, now time.Time) *api.Stuck {
	n := firstStuck(nodes)
	if n == nil {
		return nil
	}
	d := diagnosis{facts: f, now: now, n: n}
	d.Hop, d.Since = n.hop.ID, n.since
	d.find()
	return &d.Stuck
}

// firstStuck is the first in causal order that failed, waits for too long or is
// missing; else the first that nobody can tell of because a service is away.
func firstStuck(nodes []*node) *node {
	stuck := []api.HopState{api.Stalled, api.Failing, api.Dead, api.Missing}
	first := slices.IndexFunc(nodes, func(n *node) bool { return slices.Contains(stuck, n.hop.State) })
	if first < 0 {
		first = slices.IndexFunc(nodes, func(n *node) bool {
			return n.hop.State == api.Unknown && n.consumer != nil && n.consumer.unasked != ""
		})
	}
	if first < 0 {
		return nil
	}
	return nodes[first]
}

type diagnosis struct {
	api.Stuck
	*facts
	now time.Time
	n   *node
}

func (d *diagnosis) is(cause api.Cause, action *api.Action, format string, args ...any) {
	d.Cause, d.Action, d.Explanation = cause, action, fmt.Sprintf(format, args...)
}

// find goes through the causes in the order of api.Cause.
func (d *diagnosis) find() {
	s := d.service(d.n.hop.Service)
	switch {
	case s != nil && s.away != "":
		d.is(api.CauseServiceAway, nil, "Service %s is away: %s. %s goes on when it is back.", s.Name, s.away, d.subject())
	case d.n.hop.Kind == api.HopOutbox:
		d.outbox(s)
	case d.n.hop.Kind == api.HopRecord:
		d.record()
	case d.n.hop.Kind == api.HopConsume:
		d.consume()
	case d.n.hop.Kind == api.HopAnswer:
		d.is(api.CauseNoAnswer, nil, "%s handled event %s at %s and owes an answer in %s; %s later there is none, neither in its outbox nor in the log.",
			d.n.hop.Consumer, d.n.entry.id, clock(d.n.since), d.n.hop.Topic, d.waited())
	default:
		d.is(api.CauseUnknown, nil, "Why %s does not go on cannot be told.", d.subject())
	}
}

// subject is what stands still, in a few words.
func (d *diagnosis) subject() string {
	if e := d.n.hop.Event; e != nil {
		return fmt.Sprintf("Event %s (%s)", e.Type, e.ID)
	}
	return "The transaction"
}

func (d *diagnosis) waited() string { return duration(d.now.Sub(d.n.since)) }

// outbox is a row that is not published.
func (d *diagnosis) outbox(s *serviceFact) {
	var active []relayFact
	var paused, held *relayFact
	if s != nil {
		active, paused, held = s.relay()
	}
	row := d.n.row
	switch {
	case d.n.hop.State == api.Dead:
		d.rowFailed()
	case paused != nil && len(active) == 0:
		d.is(api.CauseRelayStopped, resumeRelay(s.Name), "The relay of %s is paused (%s); row %d has waited for %s%s.",
			s.Name, strings.TrimPrefix(paused.Reason, outbox.ErrPaused.Error()+": "), d.n.hop.Row, d.waited(), d.others(s))
	case row != nil && row.Attempts > 0:
		d.is(api.CauseRowRefused, nil, "Kafka refused row %d of %s %s: %s. The next attempt is at %s; nothing needs to be done.",
			row.ID, row.service, times(row.Attempts), row.Reason, clock(row.NextAttempt))
	case held != nil && unreachable(held.Reason), s != nil && len(active) == 0 && d.problem != "":
		reason := d.problem
		if held != nil {
			reason = held.Reason
		}
		d.is(api.CauseKafkaAway, nil, "The relay of %s waits for Kafka: %s. Row %d is published when it answers again.",
			d.n.hop.Service, reason, d.n.hop.Row)
	case held != nil && len(active) == 0:
		d.is(api.CauseRelayStopped, nil, "The relay of %s does not publish: %s. Row %d has waited for %s%s.",
			s.Name, held.Reason, d.n.hop.Row, d.waited(), d.others(s))
	case s != nil && len(active) == 0:
		d.is(api.CauseRelayStopped, nil, "No relay of %s is active (%s); row %d has waited for %s%s. Start one: rows keep their order.",
			s.Name, relayStates(s.relays), d.n.hop.Row, d.waited(), d.others(s))
	case s != nil && active[0].Reason != "":
		d.is(api.CauseRowRefused, nil, "The relay of %s holds rows back: %s. Row %d has waited for %s.", s.Name, active[0].Reason, d.n.hop.Row, d.waited())
	default:
		d.is(api.CauseUnknown, nil, "Row %d of %s has waited for %s%s though the relay is active; it may be behind others.",
			d.n.hop.Row, d.n.hop.Service, d.waited(), d.others(s))
	}
}

// others tells of the rest of the outbox.
func (d *diagnosis) others(s *serviceFact) string {
	b := s.backlog()
	if b == nil || b.Started < 2 {
		return ""
	}
	if b.Started == 2 {
		return ", with 1 other"
	}
	return fmt.Sprintf(", with %d others", b.Started-1)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func unreachable(reason string) bool { return strings.Contains(reason, kafka.ErrUnreachable.Error()) }

// relayStates such as "order-1: standby, order-2: connecting".
func relayStates(relays []relayFact) string {
	if len(relays) == 0 {
		return "it has none"
	}
	texts := make([]string, len(relays))
	for i, r := range relays {
		texts[i] = r.instance + ": " + string(r.State)
	}
	return strings.Join(texts, ", ")
}

func (d *diagnosis) rowFailed() {
	d.is(api.CauseRowFailed, replayRow(d.n.hop.Service, d.n.hop.Row),
		"Row %d of %s is FAILED: Kafka refused it %s, last with: %s. Replay it once that is mended.",
		d.n.hop.Row, d.n.hop.Service, times(d.n.hop.Attempts), d.n.hop.Detail)
}

// record is a dead letter without the hop that gave it up.
func (d *diagnosis) record() {
	l := d.n.entry
	if l == nil || l.death == nil {
		d.is(api.CauseUnknown, nil, "Why %s does not go on cannot be told.", d.subject())
		return
	}
	if l.death.consumer != "" {
		d.deadLetter(l.death.consumer, l)
		return
	}
	d.n.hop.Row = l.death.row
	var action *api.Action
	if d.n.hop.Service != "" {
		action = replayRow(d.n.hop.Service, l.death.row)
	}
	d.is(api.CauseRowFailed, action, "A relay gave event %s up: Kafka refused it %s, last with: %s.", l.id, times(l.death.attempts), l.death.reason)
}

func (d *diagnosis) deadLetter(consumer string, l *entry) {
	if l == nil {
		d.is(api.CauseDeadLetter, nil, "%s gave event %s up: its handler failed for good. The dead letter is not in the index: it is on its way, or too old.",
			consumer, d.n.entry.id)
		return
	}
	d.is(api.CauseDeadLetter, redriveLetter(consumer, l), "%s gave event %s up after %s: %s. Redrive it once the cause is mended.",
		consumer, l.id, attempts(l.death.attempts), l.death.reason)
}

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

func (d *diagnosis) consume() {
	w, c := d.n.waits, d.n.consumer
	switch {
	case c.unasked != "":
		d.is(api.CauseServiceAway, nil, "The inbox of %s cannot be asked: %s.", c.Name, c.unasked)
	case d.n.hop.State == api.Dead:
		d.deadLetter(c.Name, d.n.letter)
	case w == nil:
		d.is(api.CauseUnknown, nil, "Why %s does not go on at %s cannot be told.", d.subject(), c.Name)
	case w.lag:
		d.lag(w, c)
	case w.row.Parked:
		d.parked(c, w.row.Topic, w.row.Key)
	case w.row.Attempts > 0:
		d.is(api.CauseHandlerError, nil, "The handler of %s failed %s: %s. The next attempt is at %s; nothing needs to be done.",
			c.Name, times(w.row.Attempts), w.row.Reason, clock(w.row.Next))
	case w.head != nil && w.head.Parked:
		d.parked(c, w.row.Topic, w.row.Key)
	case w.head != nil:
		d.is(api.CauseBehind, nil, "It waits behind the message at offset %d of the same key (%s), which failed %s: %s. Its next attempt is at %s.",
			w.head.Offset, w.row.Key, times(w.head.Attempts), w.head.Reason, clock(w.head.Next))
	default:
		d.is(api.CauseBehind, nil, "It waits behind an earlier message of its key (%s).", w.row.Key)
	}
}

func (d *diagnosis) parked(c *consumerFact, topic, key string) {
	d.is(api.CauseParked, releaseKey(c, topic, key), "Key %s is parked at %s: an earlier message of it was given up, and later ones wait until it is released.",
		key, c.Name)
}

func (d *diagnosis) lag(w *waits, c *consumerFact) {
	problem := ""
	if c.problem != "" {
		problem = " Its problem: " + c.problem + "."
	}
	e := d.n.entry
	if w.next < 0 {
		d.is(api.CauseLag, nil, "%s has handled nothing of partition %d of %s yet; the event is at offset %d and has waited for %s.%s",
			c.Name, e.partition, e.topic, e.offset, d.waited(), problem)
		return
	}
	d.is(api.CauseLag, nil, "%s has not come to it: it stands at offset %d of partition %d of %s, the event is %s on and has waited for %s.%s",
		c.Name, w.next, e.partition, e.topic, records(e.offset-w.next), d.waited(), problem)
}

func records(n int64) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}
