package lens

import (
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/outbox"
)

var t0 = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// at is a time of the situation, in milliseconds.
func at(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }

// situation is a transaction of two services: order asks, payment answers. All of it
// is done: a test takes away or adds.
type situation struct{ *facts }

const (
	request  = "payment-request"
	response = "payment-response"
	prefix   = "shop."
)

func healthy() *situation {
	f := &facts{
		query: "order-1", correlation: "e1", prefix: prefix, stallAfter: 5 * time.Second, unasked: map[string]bool{},
		indexes: func(string) bool { return true },
	}
	for _, name := range []string{"order", "payment"} {
		f.services = append(f.services, serviceFact{
			remembered: remembered{Name: name, Source: "/orders/" + name},
			relays:     []relayFact{{name + "-1", admin.RelayStatus{State: outbox.Active}}},
			outbox:     &admin.OutboxStatus{ID: name + "-uuid", Source: "/orders/" + name},
		})
	}
	f.consumers = []consumerFact{
		consumerOf("order", response, nil), consumerOf("payment", request, map[string][]string{request: {response}}),
	}
	for i := range f.consumers {
		s := f.service(f.consumers[i].service)
		s.Consumers = []membership{f.consumers[i].membership}
	}
	s := &situation{f}
	s.event("e1", "order", request, 10, 0, "")
	s.mark("payment", "e1", 20, inbox.Handled)
	s.event("e2", "payment", response, 20, 20, "e1")
	s.mark("order", "e2", 45, inbox.Handled)
	return s
}

func consumerOf(service, topic string, answers map[string][]string) consumerFact {
	name := service + "-service"
	return consumerFact{
		service: service, membership: membership{Name: name, Topics: []string{topic}, DeadLetterTopic: name + ".dead-letters", Answers: answers},
		marks: map[string]inbox.StoredMark{}, waiting: map[partitionOffset]inbox.StoredWaiting{}, heads: map[[2]string]inbox.StoredWaiting{},
		positions: []inbox.Position{{Partition: inbox.Partition{Topic: topic, Partition: 0}, Next: []int64{1000}}},
	}
}

// event is in the log, 5 ms after it happened.
func (s *situation) event(id, service, topic string, offset int64, ms int, causation string) *entry {
	s.entries = append(s.entries, entry{
		topic: prefix + topic, offset: offset, at: at(ms).UnixMicro(), seen: at(ms + 5).UnixMicro(), id: id, typ: topic, source: "/orders/" + service,
		key: "order-1", correlation: "e1", causation: causation, time: at(ms).UnixMicro(),
	})
	return &s.entries[len(s.entries)-1]
}

func (s *situation) of(service string) *consumerFact {
	for i := range s.consumers {
		if s.consumers[i].service == service {
			return &s.consumers[i]
		}
	}
	return nil
}

func (s *situation) mark(service, id string, ms int, outcome inbox.Outcome) {
	s.of(service).marks[id] = inbox.StoredMark{ID: id, Outcome: outcome, MarkedAt: at(ms)}
}

// unmark also moves the consumer back to the event.
func (s *situation) unmark(service, id string) {
	c := s.of(service)
	delete(c.marks, id)
	for _, e := range s.entries {
		if e.id == id {
			c.positions[0].Next = []int64{e.offset - 3}
		}
	}
}

// lose takes events out of the log.
func (s *situation) lose(ids ...string) {
	var left []entry
	for _, e := range s.entries {
		lost := false
		for _, id := range ids {
			lost = lost || e.id == id
		}
		if !lost {
			left = append(left, e)
		}
	}
	s.entries = left
}

// row puts the answer back into payment's outbox.
func (s *situation) row(status outbox.Status, change func(*outbox.StoredRow)) {
	s.lose("e2")
	delete(s.of("order").marks, "e2")
	r := outbox.StoredRow{
		ID: 7, Status: status, Topic: response, Key: "order-1", EventID: "e2", Type: response, CorrelationID: "e1", CausationID: "e1", EnqueuedAt: at(20),
	}
	if change != nil {
		change(&r)
	}
	s.rows = append(s.rows, rowFact{"payment", r})
}

func (s *situation) relay(service string, state outbox.State, reason string, paused bool) {
	s.service(service).relays = []relayFact{{service + "-1", admin.RelayStatus{State: state, Reason: reason, Paused: paused}}}
}

// waiting puts an event into a consumer's table of waiting messages.
func (s *situation) waiting(service, id string, change func(*inbox.StoredWaiting)) {
	c := s.of(service)
	delete(c.marks, id)
	for i := range s.entries {
		if e := &s.entries[i]; e.id == id && e.death == nil {
			w := inbox.StoredWaiting{Place: inbox.Place{Topic: s.local(e.topic), Offset: e.offset}, Key: e.key, ID: id, Attempts: 2, Next: at(9000), Reason: "no such customer"}
			change(&w)
			c.waiting[placeOf(e)] = w
		}
	}
}

// giveUp makes an event a dead letter of a consumer.
func (s *situation) giveUp(service, id string, offset int64) *entry {
	s.mark(service, id, 100, inbox.Dead)
	var of entry
	for _, e := range s.entries {
		if e.id == id && e.death == nil {
			of = e
		}
	}
	letter := of
	letter.topic, letter.offset, letter.seen = prefix+service+"-service.dead-letters", offset, at(110).UnixMicro()
	letter.redriven = ""
	letter.death = &death{consumer: service + "-service", topic: s.local(of.topic), partition: of.partition, offset: of.offset, attempts: 5, at: at(100).UnixMicro(), reason: "price is negative"}
	s.entries = append(s.entries, letter)
	return &s.entries[len(s.entries)-1]
}

// redrive sends an event again to a consumer.
func (s *situation) redrive(service, id string, offset int64, ms int) {
	for _, e := range s.entries {
		if e.id == id && e.death == nil {
			e.offset, e.seen, e.redriven = offset, at(ms).UnixMicro(), service+"-service"
			s.entries = append(s.entries, e)
			return
		}
	}
}

func (s *situation) away(service string) {
	s.service(service).away = "connection refused"
	s.service(service).relays, s.service(service).outbox = nil, nil
	c := s.of(service)
	*c = consumerFact{service: service, membership: c.membership, unasked: "service " + service + " is away: connection refused"}
	s.unasked[service] = true
}

// picture is a trace in a line a hop, for comparisons.
func picture(t api.Trace) string {
	out := ""
	for _, h := range t.Hops {
		who := h.Consumer
		if who == "" {
			who = h.Service
		}
		out += fmt.Sprintf("%s %s %s %s %v\n", h.ID, h.Kind, who, h.State, h.Parents)
	}
	return out
}
