package outbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
)

// MarkStore is a Store whose rows a connector for change data capture can publish, of a database that
// does not tell how far the connector is, such as MongoDB. A Sweeper finds out by marks: messages that are in
// the database's log and never in the outbox. One that comes to Kafka has been read from the log, after
// everything that was committed before it.
type MarkStore interface {
	Store
	// Waiting returns the ids of STARTED rows that were never refused and never replayed, ascending, at most
	// limit. No row comes to be among or below them later.
	Waiting(ctx context.Context, limit int) ([]int64, error)
	// Mark writes a message to the outbox and takes it out again in one transaction, so that nobody but a
	// reader of the log gets it.
	Mark(ctx context.Context, m Message) error
}

// markType is the type of the events that are marks.
const markType = "dev.pabal.outbox-mark"

// mark is the payload of one.
type mark struct {
	// Term is random: marks of other terms, of which a copy of the database may be, say nothing.
	Term   string `json:"term"`
	Number int    `json:"number"`
	// UpTo is the highest id of the rows before it.
	UpTo int64 `json:"upTo"`
}

const (
	// marksAgain is after how many intervals a mark follows one that did not come back: a connector that was
	// made after it does not read it.
	marksAgain = 10
	// markPatience is how long a mark may be on its way before that is told.
	markPatience = time.Minute
	// markTopicBytes bounds what is fetched of the topic at once.
	markTopicBytes = 1 << 20
)

// markLookout sends marks through the connector.
type markLookout struct {
	store  MarkStore
	cfg    SweeperConfig
	client *kgo.Client
	term   string

	sent     mark // the last one
	sentAt   time.Time
	returned mark // the last one
	// waiting is since when nothing has come back.
	waiting time.Time
}

func newMarkLookout(ctx context.Context, store MarkStore, cfg SweeperConfig) (*markLookout, error) {
	admin, err := kafka.NewClient(cfg.Kafka)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	// Marks are of use for moments only.
	err = kafka.EnsureTopics(ctx, admin, cfg.Kafka, kafka.Topic{Name: cfg.MarkTopic, Partitions: 1, Config: map[string]string{
		"cleanup.policy": "delete", "retention.ms": "3600000", "segment.ms": "3600000",
	}})
	if err != nil {
		return nil, fmt.Errorf("the topic of marks: %w", err)
	}
	name := cfg.Kafka.Topic(cfg.MarkTopic)
	ends, err := kadm.NewClient(admin).ListEndOffsets(ctx, name)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("the topic of marks %s: %w", name, err)
	}
	from := map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) { from[o.Partition] = kgo.NewOffset().At(o.Offset) })
	client, err := kafka.NewClient(cfg.Kafka, kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxBytes(markTopicBytes),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{name: from}))
	if err != nil {
		return nil, err
	}
	return &markLookout{store: store, cfg: cfg, client: client, term: rand.Text()}, nil
}

func (l *markLookout) close() { l.client.Close() }

func (l *markLookout) look(ctx context.Context) (sight, error) {
	if err := l.receive(); err != nil {
		return sight{}, err
	}
	ids, err := l.store.Waiting(ctx, l.cfg.BatchRows)
	if err != nil {
		return sight{}, err
	}
	s := sight{empty: len(ids) == 0, trouble: l.trouble()}
	n := 0
	for n < len(ids) && ids[n] <= l.returned.UpTo {
		n++
	}
	if n > 0 {
		s.published = ids[:n]
	}
	s.again = n == l.cfg.BatchRows
	upTo := l.sent.UpTo
	if n < len(ids) {
		upTo = max(upTo, ids[len(ids)-1])
	}
	if upTo > l.sent.UpTo || time.Since(l.sentAt) >= marksAgain*l.cfg.Interval {
		return s, l.send(ctx, upTo)
	}
	return s, nil
}

// receive what has come, without waiting for more.
func (l *markLookout) receive() error {
	fetches := l.client.PollFetches(nil) //nolint:staticcheck // nil is franz-go's way not to wait
	for _, failed := range fetches.Errors() {
		return fmt.Errorf("read the marks of topic %s: %w", failed.Topic, failed.Err)
	}
	fetches.EachRecord(func(r *kgo.Record) {
		var m mark
		if json.Unmarshal(r.Value, &m) != nil || m.Term != l.term || m.Number <= l.returned.Number {
			return // another outbox's, another term's, or one that came twice
		}
		l.returned, l.waiting = m, time.Now()
	})
	return nil
}

func (l *markLookout) send(ctx context.Context, upTo int64) error {
	m := mark{Term: l.term, Number: l.sent.Number + 1, UpTo: upTo}
	payload, err := json.Marshal(m)
	if err != nil {
		return err
	}
	now := time.Now()
	err = l.store.Mark(ctx, Message{Topic: l.cfg.MarkTopic, Event: event.Event{
		ID: event.NewID(), Type: markType, Key: l.cfg.Name, Time: now, ContentType: "application/json", Payload: payload,
	}})
	if err != nil {
		return err
	}
	if l.sent.Number == l.returned.Number {
		l.waiting = now
	}
	l.sent, l.sentAt = m, now
	return nil
}

func (l *markLookout) trouble() string {
	switch {
	case l.returned.Number == 0:
		return fmt.Sprintf("no connector has brought a mark of the outbox to topic %s yet: create the connector, and with the same prefix of topics", l.cfg.Kafka.Topic(l.cfg.MarkTopic))
	case l.returned.Number == l.sent.Number:
		return ""
	case time.Since(l.waiting) > markPatience:
		return fmt.Sprintf("no mark of the outbox has come to topic %s for %s: the connector does not run, or is behind", l.cfg.Kafka.Topic(l.cfg.MarkTopic), time.Since(l.waiting).Round(time.Second))
	}
	return ""
}
