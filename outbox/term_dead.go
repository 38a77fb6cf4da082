package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// publishDead writes the dead letters of rows that were refused too often; they
// become FAILED, and their keys go on.
func (t *term) publishDead(ctx context.Context, ids []int64) error {
	if ok, err := t.deadLetterTopic(ctx); !ok || err != nil {
		return err
	}
	rows, err := t.store.Load(ctx, ids[:min(len(ids), t.pace.rows)], t.cfg.BatchBytes)
	if err != nil {
		return fmt.Errorf("reading refused rows: %w", err)
	}
	t.asideStale = true
	if len(rows) == 0 {
		return nil
	}
	errs, err := t.sendDead(ctx, rows)
	for i := 0; i < len(rows) && errs != nil && err == nil && len(rows) > 1; i++ {
		_, err = t.sendDead(ctx, rows[i:i+1])
	}
	return err
}

// sendDead is send for dead letters. One refused when it was alone is made
// smaller for the next time.
func (t *term) sendDead(ctx context.Context, rows []Row) (errs []error, err error) {
	if err := t.awaitRoom(ctx); err != nil {
		return nil, err
	}
	mark := batchMark{N: t.batch + 1, Digest: digest(rows)}
	records := make([]*kgo.Record, len(rows))
	ids := make([]int64, len(rows))
	for i, r := range rows {
		records[i], ids[i] = t.letter(r), r.ID
		mark.Replay = max(mark.Replay, r.Replay)
	}
	mark.Dead = rangesOf(ids)
	out, committed, err := t.session.publish(ctx, records, t.position(mark))
	t.pace.learn(len(rows), err)
	if err != nil {
		return nil, err
	}
	if !committed {
		t.letterRefused(rows, out.errs)
		return out.errs, nil
	}
	t.batch = mark.N
	t.holds.release(t.cfg.DeadLetterTopic)
	for _, r := range rows {
		delete(t.letters, r.ID)
		t.log.Error("a message is FAILED: Kafka refused it too often; replay it once the cause is mended",
			"row", r.ID, "id", r.Event.ID, "topic", t.session.cluster.Topic(r.Topic), "attempts", r.Attempts, "error", r.Reason)
	}
	t.settle(underway{mark: mark, ids: mark.Dead}, settlement{dead: ids, replay: mark.Replay, receipt: t.receipt(out)})
	return nil, nil
}

// letterOverhead is room for a dead letter's own headers.
const letterOverhead = 8 << 10

// letter is the row's dead letter, with as much of the event as fits.
func (t *term) letter(r Row) *kgo.Record {
	full := t.session.cluster.Topic(t.cfg.DeadLetterTopic)
	how := t.letters[r.ID]
	if how == whole && len(r.Payload)+letterOverhead > int(t.session.topics.limit(full)) {
		how = withoutValue
	}
	return r.deadLetter(full, t.session.outbox, t.cfg.Source, how, time.Now())
}

func (t *term) letterRefused(rows []Row, errs []error) {
	topic := t.cfg.DeadLetterTopic
	if bad := topicsRefused(rows, errs); len(bad) > 0 {
		for _, err := range bad {
			t.hold(map[string]error{topic: err})
		}
		return
	}
	if len(rows) > 1 {
		return
	}
	if t.letters == nil {
		t.letters = map[int64]fullness{}
	}
	if t.letters[rows[0].ID]++; t.letters[rows[0].ID] > withoutHeaders {
		delete(t.letters, rows[0].ID)
		t.hold(map[string]error{topic: fmt.Errorf("the dead letter of row %d: %w", rows[0].ID, errs[0])})
	}
}

// deadLetterTopic sees to it that the topic exists; ok is false where it is held.
func (t *term) deadLetterTopic(ctx context.Context) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	names := []string{t.cfg.DeadLetterTopic}
	bad, err := t.session.topics.learn(ctx, t.session.client, names)
	if err == nil && len(bad) > 0 {
		topic := kafka.Topic{Name: t.cfg.DeadLetterTopic, Config: kafka.KeepForever()}
		if err := kafka.EnsureTopics(ctx, t.session.client, t.session.cluster, topic); err != nil {
			bad[t.cfg.DeadLetterTopic] = err
		} else if bad, err = t.session.topics.learn(ctx, t.session.client, names); err != nil {
			return false, err
		}
	}
	if err != nil {
		return false, err
	}
	t.hold(bad)
	return len(bad) == 0, nil
}
