package redrive

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sendTimeout bounds the sending of one portion; longer means that Kafka is away.
const sendTimeout = time.Minute

// send sends a portion of a job: intent, sending, confirmation. An error means that
// it may or may not have been sent, and that it is to be tried again.
func (r *run) send(ctx context.Context, j job, letters []letter) error {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	r.directory.refresh(ctx, r.pace.topics/2)
	results := map[int64]result{}
	var relayed, consumed []letter
	for _, l := range letters {
		switch obstacle := r.obstacle(l); {
		case obstacle != "":
			results[l.seq] = result{"skipped", obstacle}
		case l.outbox != "":
			relayed = append(relayed, l)
		default:
			consumed = append(consumed, l)
		}
	}
	err := errors.Join(r.sendAgain(ctx, j, consumed, results), r.replay(ctx, j, relayed, results))
	// What was sent was sent, also where time is over.
	note, done := context.WithTimeout(context.WithoutCancel(ctx), askTimeout)
	defer done()
	err = errors.Join(err, r.index.confirm(note, j.id, results, time.Now()))
	r.wake()
	return err
}

// sendAgain sends letters of consumers to the topics they came from.
func (r *run) sendAgain(ctx context.Context, j job, letters []letter, results map[int64]result) error {
	if len(letters) == 0 {
		return nil
	}
	places := make([]place, len(letters))
	for i, l := range letters {
		places[i] = l.place
	}
	found, whole, err := fetchRecords(ctx, r.client, places)
	if err != nil {
		return err
	}
	records := map[int64]*kgo.Record{}
	var ready []letter
	var topics []string
	for _, l := range letters {
		if found[l.place] == nil && !whole {
			continue // in the next portion
		}
		m, obstacle := r.revive(found[l.place], l, j.value)
		if obstacle != "" {
			results[l.seq] = result{"skipped", obstacle}
			continue
		}
		records[l.seq] = m
		ready = append(ready, l)
		if !slices.Contains(topics, m.Topic) {
			topics = append(topics, m.Topic)
		}
	}
	r.limits.learn(ctx, r.client, topics)
	still, err := r.index.intend(ctx, j.id, ready, time.Now())
	if err != nil {
		return err
	}
	return r.produceAll(ctx, still, records, results)
}

func (r *run) produceAll(ctx context.Context, letters []letter, records map[int64]*kgo.Record, results map[int64]result) error {
	bySeq := map[*kgo.Record]int64{}
	all := make([]*kgo.Record, len(letters))
	for i, l := range letters {
		all[i] = records[l.seq]
		bySeq[all[i]] = l.seq
	}
	if len(all) == 0 {
		return nil
	}
	var outs kgo.ProduceResults
	failed := r.durably(func() error {
		outs = r.produce(ctx, r.producer, all)
		return nil
	})
	if failed != nil {
		return failed
	}
	for _, out := range outs {
		switch seq := bySeq[out.Record]; {
		case out.Err == nil:
			results[seq] = result{state: "sent"}
		case refused(out.Err):
			results[seq] = result{"skipped", clean(fmt.Sprintf("Kafka refused it: %v", out.Err), maxError)}
		default:
			failed = fmt.Errorf("%w: topic %s: %w", api.ErrUnavailable, out.Record.Topic, out.Err)
		}
	}
	return failed
}

// refused says that an error is the record's or its topic's, and will be the same
// the next time.
func refused(err error) bool {
	for _, e := range []error{kerr.MessageTooLarge, kerr.RecordListTooLarge, kerr.InvalidRecord, kerr.InvalidTimestamp, kerr.UnknownTopicOrPartition,
		kerr.InvalidTopicException, kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.PolicyViolation, kerr.UnsupportedForMessageFormat} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// revive makes the message that died out of its dead letter; value, where not nil,
// replaces the payload.
func (r *run) revive(dead *kgo.Record, l letter, value []byte) (m *kgo.Record, obstacle string) {
	if dead == nil {
		return nil, gone
	}
	e, err := kafka.FromRecord(dead)
	if obstacle := consumed(e, err, headersOf(dead)); obstacle != "" {
		return nil, obstacle
	}
	again, err := inbox.Redrive(e)
	if err != nil {
		return nil, clean(err.Error(), maxError)
	}
	if e.ID != l.event.ID || again.Headers[inbox.RedriveHeader] != l.consumer {
		return nil, "the log has another message in its place" // cannot be: a topic's id and an offset name one record
	}
	if value != nil {
		again.Payload = value
	}
	m = kafka.ToRecord(r.kafka.Topic(again.Topic), again.Event)
	m.Timestamp = time.Now() // the event's own is in its header, and retention goes by this one
	return m, ""
}

// replay sets rows of outboxes back to STARTED.
func (r *run) replay(ctx context.Context, j job, letters []letter, results map[int64]result) error {
	byOutbox := map[giver][]letter{}
	for _, l := range letters {
		byOutbox[l.giver] = append(byOutbox[l.giver], l)
	}
	for g, some := range byOutbox {
		if err := r.replayOne(ctx, j, g, some, results); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) replayOne(ctx context.Context, j job, g giver, letters []letter, results map[int64]result) error {
	service, err := r.directory.at(ctx, g)
	if err != nil {
		return err
	}
	still, err := r.index.intend(ctx, j.id, letters, time.Now())
	if err != nil {
		return err
	}
	var ids []int64
	sent := map[int64]result{}
	for some := range slices.Chunk(still, idBatch) {
		rows, err := r.settledRows(ctx, service, some)
		if err != nil {
			return fmt.Errorf("%w: the outbox of %s: %w", api.ErrUnavailable, r.directory.name(g.outbox), err)
		}
		for _, l := range some {
			if rows[l.row] == outbox.Failed {
				ids = append(ids, l.row)
			}
			sent[l.seq] = result{state: "sent"} // by now, or before: it is not FAILED any more
		}
	}
	if len(ids) > 0 { // none would mean all
		err := r.durably(func() error { _, err := service.Replay(ctx, ids...); return err })
		if err != nil {
			return fmt.Errorf("%w: replaying rows of %s: %w", api.ErrUnavailable, r.directory.name(g.outbox), err)
		}
	}
	maps.Copy(results, sent)
	return nil
}

// settledRows are the statuses of the rows of letters. A relay marks a row FAILED a
// moment after it wrote the letter; that is waited for.
func (r *run) settledRows(ctx context.Context, service admin.API, letters []letter) (map[int64]outbox.Status, error) {
	events := make([]string, len(letters))
	for i, l := range letters {
		events[i] = l.event.ID
	}
	for tries := 1; ; tries++ {
		rows, err := rowsOf(ctx, service, events)
		started := slices.ContainsFunc(letters, func(l letter) bool { return rows[l.row] == outbox.Started })
		if err != nil || !started || tries == 5 || !r.sleep(ctx, r.pace.outcomes) {
			return rows, err
		}
	}
}
