package connect

import (
	"context"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

// letters are the dead letters of a sink: records as they were, with headers that tell why.
type letters struct {
	*run
	client *kgo.Client
	topic  string // full name; "" writes none
	made   bool
	// waiting are those of the records that are being stored.
	waiting []*kgo.Record
}

func newLetters(r *run, client *kgo.Client) *letters {
	l := &letters{run: r, client: client}
	if name := r.common.String("errors.deadletterqueue.topic.name"); name != "" {
		l.topic = r.w.cfg.Kafka.Topic(name)
	}
	return l
}

// add one, to be sent when what came with it is stored.
func (l *letters) add(from *kgo.Record, stage string, cause error) {
	if l.topic == "" {
		return
	}
	r := &kgo.Record{Topic: l.topic, Partition: -1, Key: from.Key, Value: from.Value, Timestamp: from.Timestamp}
	r.Headers = append(r.Headers, from.Headers...)
	if l.common.Bool("errors.deadletterqueue.context.headers.enable") {
		r.Headers = append(r.Headers, l.headers(from, stage, cause)...)
	}
	l.waiting = append(l.waiting, r)
}

// send returns when Kafka has all that were added.
func (l *letters) send(ctx context.Context) error {
	if len(l.waiting) == 0 {
		return nil
	}
	if err := l.create(ctx); err != nil {
		return err
	}
	if err := l.client.ProduceSync(ctx, l.waiting...).FirstErr(); err != nil {
		if isRefusal(err) {
			return fatalError{fmt.Errorf("Kafka refuses a dead letter for topic %s: %w", l.topic, err)}
		}
		return writeError(l.topic, err)
	}
	l.waiting = nil
	return nil
}

// headers are Kafka Connect's.
func (l *letters) headers(from *kgo.Record, stage string, cause error) []kgo.RecordHeader {
	var out []kgo.RecordHeader
	for _, h := range [][2]string{
		{"topic", l.w.cfg.Kafka.Local(from.Topic)},
		{"partition", strconv.Itoa(int(from.Partition))},
		{"offset", strconv.FormatInt(from.Offset, 10)},
		{"connector.name", l.id.connector},
		{"task.id", strconv.Itoa(l.id.task)},
		{"stage", stage},
		{"class.name", l.class},
		{"exception.class.name", fmt.Sprintf("%T", cause)},
		{"exception.message", cause.Error()},
		{"exception.stacktrace", cause.Error()},
	} {
		out = append(out, kgo.RecordHeader{Key: "__connect.errors." + h[0], Value: []byte(h[1])})
	}
	return out
}

// create the topic where it is missing: with fewer replicas than wanted where there are fewer
// brokers.
func (l *letters) create(ctx context.Context) error {
	if l.made {
		return nil
	}
	replicas := int16(l.common.Int("errors.deadletterqueue.topic.replication.factor"))
	if brokers, err := l.w.admin.ListBrokers(ctx); err == nil {
		replicas = min(replicas, int16(len(brokers)))
	}
	topic := kafka.Topic{Name: l.w.cfg.Kafka.Local(l.topic), Partitions: 1, Replication: replicas}
	if err := kafka.EnsureTopics(ctx, l.client, l.w.cfg.Kafka, topic); err != nil {
		return retriable{err}
	}
	l.made = true
	return nil
}
