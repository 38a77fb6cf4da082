package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// errLimitRaised ends a term whose client believes in a topic's old limit.
var errLimitRaised = errors.New("a topic takes larger messages now")

// publishRows publishes a batch, as several Kafka transactions where some of
// its rows or topics are refused.
func (t *term) publishRows(ctx context.Context, rows []Row) error {
	rows, err := t.admit(ctx, rows)
	if err != nil {
		return err
	}
	search := newSearch(rows)
	for group := search.next(); group != nil; group = search.next() {
		if err := t.awaitRoom(ctx); err != nil {
			return err
		}
		errs, err := t.send(ctx, group)
		if err != nil {
			return err
		}
		if errs == nil {
			search.published()
			continue
		}
		if bad := topicsRefused(group, errs); len(bad) > 0 {
			t.hold(bad)
			search.leaveOut(func(r Row) bool { return bad[r.Topic] != nil })
			continue
		}
		suspects := recordsRefused(errs)
		if culprit, found := search.refused(suspects); found {
			if err := t.refuse(ctx, culprit, errs[suspects[0]]); err != nil {
				return err
			}
		}
	}
	return nil
}

// admit leaves out rows of topics that do not exist or may not be used.
func (t *term) admit(ctx context.Context, rows []Row) ([]Row, error) {
	var topics []string
	seen := map[string]bool{}
	for _, r := range rows {
		if !seen[r.Topic] {
			seen[r.Topic] = true
			topics = append(topics, r.Topic)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	bad, err := t.session.topics.learn(ctx, t.session.client, topics)
	if err != nil || len(bad) == 0 {
		return rows, err
	}
	t.hold(bad)
	var good []Row
	for _, r := range rows {
		if bad[r.Topic] == nil {
			good = append(good, r)
		}
	}
	return good, nil
}

// send publishes rows and position in one transaction. Where rows are refused
// it is aborted, and errs says which.
func (t *term) send(ctx context.Context, rows []Row) (errs []error, err error) {
	records := make([]*kgo.Record, len(rows))
	ids := make([]int64, len(rows))
	for i, r := range rows {
		records[i], ids[i] = r.record(t.session.cluster, t.cfg.Source), r.ID
	}
	spans := startSpans(ctx, records)
	mark := batchMark{N: t.batch + 1, Published: rangesOf(ids), Digest: digest(rows)}
	out, committed, err := t.session.publish(ctx, records, t.position(mark))
	spans.end(out.errs, err)
	t.pace.learn(len(rows), err)
	if err != nil || !committed {
		return out.errs, err
	}
	t.batch = mark.N
	t.sinceMark += len(rows)
	for topic := range t.holds.topics {
		if anyOf(rows, topic) {
			t.holds.release(topic)
		}
	}
	t.count(func(s *Stats) { s.Published += int64(len(rows)) })
	t.settle(underway{mark: mark, ids: mark.Published}, settlement{published: ids, receipt: t.receipt(out)})
	return nil, nil
}

func (t *term) position(next batchMark) position {
	p := position{Settled: t.settled}
	for _, u := range t.underway {
		if u.mark.N > 0 {
			p.Batches = append(p.Batches, u.mark)
		}
	}
	p.Batches = append(p.Batches, next)
	return p
}

func (t *term) receipt(out outcome) []byte {
	return receipt{N: t.batch, Partition: t.session.place.Partition, Offset: out.offset}.encode()
}

// refuse sets a row aside. A row too large for what the client believes the
// topic's limit to be is not, where the topic takes more by now.
func (t *term) refuse(ctx context.Context, r Row, why error) error {
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	full := t.session.cluster.Topic(r.Topic)
	if raised, err := t.session.topics.raised(ask, t.session.client, []string{full}); err != nil || raised {
		return errors.Join(err, fmt.Errorf("topic %s: %w", full, errLimitRaised))
	}
	if err := t.awaitRoom(ctx); err != nil {
		return err
	}
	refusal := Refusal{ID: r.ID, Attempts: r.Attempts + 1, Next: time.Now(), Reason: clip(why.Error(), maxReason)}
	if refusal.Attempts < t.cfg.MaxAttempts {
		refusal.Next = refusal.Next.Add(t.cfg.Backoff.After(refusal.Attempts))
	}
	t.log.Warn("Kafka refuses a message; its key waits", "row", r.ID, "id", r.Event.ID, "topic", full, "key", r.Key,
		"attempt", refusal.Attempts, "of", t.cfg.MaxAttempts, "error", refusal.Reason)
	t.count(func(s *Stats) { s.Refused++ })
	t.changes++
	u := underway{ids: rangesOf([]int64{r.ID})}
	if r.Key != "" {
		u.keys = []TopicKey{r.place()}
	}
	t.settle(u, settlement{refusals: []Refusal{refusal}})
	return nil
}

// hold makes topics wait.
func (t *term) hold(bad map[string]error) {
	t.changes++
	for topic, err := range bad {
		t.session.topics.forget(t.session.cluster.Topic(topic))
		if t.holds.hold(topic, time.Now(), err) {
			t.log.Error("messages of a topic wait: create it, or allow the relay to write to it; other topics go on",
				"topic", t.session.cluster.Topic(topic), "error", err)
		}
	}
}

func topicsRefused(rows []Row, errs []error) map[string]error {
	bad := map[string]error{}
	for i, err := range errs {
		if err != nil && refusalOf(err) == ofTopic {
			bad[rows[i].Topic] = err
		}
	}
	return bad
}

func recordsRefused(errs []error) []int {
	var out []int
	for i, err := range errs {
		if err != nil && refusalOf(err) == ofRecord {
			out = append(out, i)
		}
	}
	return out
}

func anyOf(rows []Row, topic string) bool {
	for _, r := range rows {
		if r.Topic == topic {
			return true
		}
	}
	return false
}
