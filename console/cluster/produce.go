package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

// maxProduced is the largest message a person may write, in bytes of value, key and
// headers together.
const maxProduced = 1 << 20

// producedSource is the CloudEvents source of events written here.
const producedSource = "/pabal/console"

// Produce writes one message with acks of all replicas, to a topic that exists.
// Where Kafka does not answer, it may have been written all the same; the error
// says so.
func (c *Cluster) Produce(ctx context.Context, m api.ProduceRequest) (api.Produced, error) {
	r, id, err := recordOf(m)
	if err != nil {
		return api.Produced{}, err
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	t, err := c.oneTopic(ctx, m.Topic)
	if err != nil {
		return api.Produced{}, err
	}
	if m.Partition != nil && t.partition(*m.Partition) == nil {
		return api.Produced{}, fmt.Errorf("%w: topic %s has no partition %d, only 0 to %d", api.ErrInvalid, t.name, *m.Partition, len(t.partitions)-1)
	}
	if err := c.write(ctx, r); err != nil {
		return api.Produced{}, c.explain("write to topic "+m.Topic+"; it may have been written all the same", err)
	}
	return api.Produced{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, EventID: id}, nil
}

// write uses a producer of its own: one that gives up takes what it has not sent
// with it, so that nothing is written long after its writer was told of a failure.
func (c *Cluster) write(ctx context.Context, r *kgo.Record) error {
	client, err := kafka.NewClient(c.kafka,
		kgo.RecordPartitioner(chosenPartition{kgo.StickyKeyPartitioner(nil)}),
		kgo.ProducerBatchMaxBytes(2*maxProduced), kgo.ProduceRequestTimeout(c.config.Timeout),
		kgo.AllowIdempotentProduceCancellation())
	if err != nil {
		return err
	}
	defer client.Close()
	return client.ProduceSync(ctx, r).FirstErr()
}

// keyed is the partition of a record that goes by its key.
const keyed = -1

// chosenPartition takes a record's partition, or the key's where that is keyed.
type chosenPartition struct{ byKey kgo.Partitioner }

type chosenInTopic struct{ byKey kgo.TopicPartitioner }

func (p chosenPartition) ForTopic(topic string) kgo.TopicPartitioner {
	return chosenInTopic{p.byKey.ForTopic(topic)}
}

// RequiresConsistency is part of kgo.TopicPartitioner.
func (chosenInTopic) RequiresConsistency(*kgo.Record) bool { return true }

// Partition is part of kgo.TopicPartitioner.
func (p chosenInTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition != keyed {
		return int(r.Partition)
	}
	return p.byKey.Partition(r, n)
}

// recordOf checks a request and makes its record; id is the event's, "" for none.
func recordOf(m api.ProduceRequest) (r *kgo.Record, id string, err error) {
	value, err := valueOf(m)
	if err != nil {
		return nil, "", err
	}
	size := len(value) + len(m.Key)
	for name, v := range m.Headers {
		if name == "" || !utf8.ValidString(name) {
			return nil, "", fmt.Errorf("%w: headers: the name %q is empty or not UTF-8", api.ErrInvalid, name)
		}
		size += len(name) + len(v)
	}
	if size > maxProduced {
		return nil, "", fmt.Errorf("%w: the message has %d bytes, at most %d are allowed", api.ErrTooLarge, size, maxProduced)
	}
	if m.Type != "" {
		r, id, err = eventRecord(m, value)
	} else if m.Correlation != "" {
		err = fmt.Errorf("%w: correlation: give a type, too: only an event has one", api.ErrInvalid)
	} else {
		r = plainRecord(m, value)
	}
	if err != nil {
		return nil, "", err
	}
	r.Partition = keyed
	if m.Partition != nil {
		if *m.Partition < 0 {
			return nil, "", fmt.Errorf("%w: partition %d: they start at 0", api.ErrInvalid, *m.Partition)
		}
		r.Partition = *m.Partition
	}
	return r, id, nil
}

// valueOf is nil for a tombstone.
func valueOf(m api.ProduceRequest) ([]byte, error) {
	given := 0
	for _, is := range []bool{m.Value != "", len(m.ValueBase64) > 0, m.Tombstone} {
		if is {
			given++
		}
	}
	switch {
	case given > 1:
		return nil, fmt.Errorf("%w: give one of value, valueBase64 and tombstone", api.ErrInvalid)
	case m.Tombstone && m.Key == "":
		return nil, fmt.Errorf("%w: a tombstone needs the key it removes", api.ErrInvalid)
	case m.Tombstone:
		return nil, nil
	case len(m.ValueBase64) > 0:
		return m.ValueBase64, nil
	}
	return []byte(m.Value), nil
}

func plainRecord(m api.ProduceRequest, value []byte) *kgo.Record {
	r := &kgo.Record{Topic: m.Topic, Value: value, Timestamp: time.Now()}
	if m.Key != "" {
		r.Key = []byte(m.Key)
	}
	for _, name := range sortedKeys(m.Headers) {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: name, Value: []byte(m.Headers[name])})
	}
	return r
}

// eventRecord is the message as a CloudEvent, with a fresh id.
func eventRecord(m api.ProduceRequest, value []byte) (*kgo.Record, string, error) {
	e := event.New(m.Type, m.Key, nil)
	e.Source, e.Payload, e.ContentType, e.Headers = producedSource, value, contentType(value), m.Headers
	if m.Correlation != "" {
		e.CorrelationID = m.Correlation
	}
	if err := e.Validate(); err != nil {
		return nil, "", fmt.Errorf("%w: %w", api.ErrInvalid, err)
	}
	return kafka.ToRecord(m.Topic, e), e.ID, nil
}

func contentType(value []byte) string {
	switch {
	case value == nil:
		return ""
	case json.Valid(value):
		return event.JSON.ContentType()
	case utf8.Valid(value) && !slices.Contains(value, 0):
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
