package lens

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/twmb/franz-go/pkg/kadm"
)

// standing is where a consumer stands in a partition, and what its inbox says of the
// latest events below that.
type standing struct {
	service, consumer string
	key               partitionKey
	// before and after the marks were asked for.
	before, after inbox.Position
	end           int64 // of the partition, -1 where it is not known
	events        []entry
	marked        map[string]bool
	waiting       map[int64]bool // offsets
}

// suspect is an event that a consumer seems to have passed over. It is reported
// when it is seen twice.
type suspect struct {
	consumer string
	partitionKey
	offset int64
}

// How much of a partition is compared for each consumer: the latest events of that
// time, which is much shorter than marks are kept.
const (
	sampled     = 300
	sampledSpan = 30 * time.Minute
)

// inboxes compares where consumers stand with log and inbox.
func (w *watching) inboxes(standings []standing) {
	w.after.suspects = map[suspect]bool{}
	for i := range standings {
		s := &standings[i]
		w.pastEnd(s)
		w.ahead(s)
	}
}

// addInbox keeps a violation until inboxes are compared again.
func (w *watching) addInbox(v api.Violation) { w.after.inboxes = append(w.after.inboxes, v) }

// pastEnd: a broker that lost data, or a database of another cluster.
func (w *watching) pastEnd(s *standing) {
	highest := slices.Max(append(slices.Clone(s.before.Next), -1))
	if s.end < 0 || highest <= s.end {
		return
	}
	w.addInbox(api.Violation{Rule: rulePastEnd, Service: s.service,
		What: fmt.Sprintf("%s stands at offset %d of partition %d of %s, which ends at %d: Kafka lost records, or the database is of another log.",
			s.consumer, highest, s.key.number, s.key.topic, s.end)})
}

// ahead: events below the position of their lane that the inbox does not know,
// though it knows an earlier one: the consumer may have begun after the first.
func (w *watching) ahead(s *standing) {
	if s.before.Replay != s.after.Replay || s.before.Epoch != s.after.Epoch {
		return // claimed or replayed meanwhile: the next look tells
	}
	var missing []entry
	begun := false
	for _, e := range s.events {
		if s.marked[e.id] || s.waiting[e.offset] {
			begun = true
			continue
		}
		if !begun || !s.passed(&e) {
			continue
		}
		k := suspect{s.consumer, s.key, e.offset}
		w.after.suspects[k] = true
		if w.before.suspects[k] {
			missing = append(missing, e)
		}
	}
	if len(missing) == 0 {
		return
	}
	first := missing[0]
	w.addInbox(api.Violation{Rule: ruleAhead, Service: s.service, Since: timeOf(first.time),
		What: fmt.Sprintf("%s is past %d of the latest %d events of partition %d of %s, and its inbox has neither mark nor waiting message of them; the first is %s (%s) at offset %d.",
			s.consumer, len(missing), len(s.events), s.key.number, s.key.topic, first.typ, first.id, first.offset)})
}

// passed says whether an event is for this consumer, below the position of its lane
// before and after, and old enough.
func (s *standing) passed(e *entry) bool {
	if e.redriven != "" && e.redriven != s.consumer || e.death != nil {
		return false
	}
	return s.before.NextOf(e.key, e.offset) > e.offset && s.after.NextOf(e.key, e.offset) > e.offset
}

// standings asks the inboxes: positions, then what waits and the marks, then
// positions again; and Kafka for the ends, last.
func (l *Lens) standings(ctx context.Context, ix *index, t *tail, services []serviceFact) (out []standing) {
	now := l.config.Clock()
	samples := ix.samples(ctx, now.Add(-sampledSpan).UnixMicro(), now.Add(-l.config.StallAfter).UnixMicro())
	a := newAsking()
	for _, s := range services {
		if s.away != "" {
			continue
		}
		for _, m := range s.Consumers {
			ask(a, ctx, "inbox of "+m.Name, func(ctx context.Context) ([]standing, error) {
				return l.standing(ctx, t, s.Name, m, samples)
			}, func(found []standing) { out = append(out, found...) }, nil)
		}
	}
	a.wait()
	ends := t.ends(ctx, out)
	for i := range out {
		out[i].end = -1
		if end, ok := offsetOf(ends, out[i].key); ok {
			out[i].end = end
		}
	}
	return out
}

// ends asks Kafka for those of the partitions; none where it does not answer.
func (t *tail) ends(ctx context.Context, of []standing) kadm.ListedOffsets {
	names := make([]string, 0, len(of))
	for i := range of {
		names = append(names, of[i].key.topic)
	}
	if names = slices.Compact(slices.Sorted(slices.Values(names))); len(names) == 0 {
		return nil
	}
	ends, err := t.admin.ListEndOffsets(ctx, names...)
	if err != nil {
		return nil
	}
	return ends
}

func (l *Lens) standing(ctx context.Context, t *tail, service string, m membership, samples map[partitionKey][]entry) ([]standing, error) {
	s, err := l.services.at(ctx, service)
	if err != nil {
		return nil, err
	}
	positions, err := s.Positions(ctx, m.Name)
	if err != nil {
		return nil, err
	}
	var out []standing
	for _, p := range positions {
		if !t.current(p) || !m.reads(p.Topic) {
			continue
		}
		one := standing{service: service, consumer: m.Name, key: partitionKey{l.kafka.Topic(p.Topic), p.Partition.Partition}, before: p, after: p}
		one.events = slices.Clone(samples[one.key])
		one.events = slices.DeleteFunc(one.events, func(e entry) bool { return !one.passed(&e) })
		if err := one.fill(ctx, s); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	again, err := s.Positions(ctx, m.Name)
	for i := range out {
		for _, p := range again {
			if p.Partition == out[i].before.Partition {
				out[i].after = p
			}
		}
	}
	return out, err
}

// fill asks for marks, for what waits of those without, and again for marks: a
// message that left the waiting ones has one by then.
func (s *standing) fill(ctx context.Context, from admin.API) error {
	f := consumerFact{membership: membership{Name: s.consumer}, marks: map[string]inbox.StoredMark{}}
	s.marked, s.waiting = map[string]bool{}, map[int64]bool{}
	for range 2 {
		open := slices.IndexFunc(s.events, func(e entry) bool { return !s.marked[e.id] })
		if open < 0 {
			return nil
		}
		after := inbox.Place{Topic: s.before.Topic, Partition: s.key.number, Offset: s.events[open].offset - 1}
		page, err := from.Waiting(ctx, inbox.WaitingQuery{
			Consumer: s.consumer, Topic: s.before.Topic, Partition: &s.key.number, After: &after, Limit: inbox.MaxInspectRows,
		})
		if err != nil {
			return err
		}
		for _, w := range page.Waiting {
			s.waiting[w.Offset] = true
		}
		var ids []string
		for _, e := range s.events[open:] {
			ids = append(ids, e.id)
		}
		if err := addMarks(ctx, from, &f, ids); err != nil {
			return err
		}
		for id := range f.marks {
			s.marked[id] = true
		}
	}
	return nil
}
