package streams

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/streams/internal/plan"
	"github.com/pabal-dev/pabal/streams/serde"
)

// sinkSpec is where a sink writes to.
type sinkSpec[K, V any] struct {
	topic plan.Topic
	// choose is the local name of a record's topic; nil is topic.
	choose func(Record[K, V]) string
	ks     serde.Serde[K]
	vs     serde.Serde[V]
	// partition of n; nil leaves it to the key's hash.
	partition func(key K, value V, n int32) int32
}

// sink makes a node that produces records.
func sink[K, V any](name string, s sinkSpec[K, V]) *plan.Node {
	n := newNode(name, plan.SinkNode, func(c plan.Context, _ receiver[K, V]) (receiver[K, V], error) {
		if s.choose != nil {
			return s.toChosen(c, name), nil
		}
		p, err := newProducer(c, name, s, s.topic)
		if err != nil {
			return nil, err
		}
		return p.produce, nil
	})
	if s.choose == nil {
		n.Topics = []plan.Topic{s.topic}
	}
	return n
}

// toChosen makes a producer of each topic that a record names.
func (s sinkSpec[K, V]) toChosen(c plan.Context, name string) receiver[K, V] {
	known := map[string]*producer[K, V]{}
	return func(r Record[K, V]) error {
		topic := s.choose(r)
		p := known[topic]
		if p == nil {
			if topic == "" || len(topic) > maxName || !legal.MatchString(topic) {
				return fmt.Errorf("the record's topic %q is not a valid name", topic)
			}
			made, err := newProducer(c, name, s, plan.Topic{Name: topic})
			if err != nil {
				return err
			}
			p, known[topic] = made, made
		}
		return p.produce(r)
	}
}

// producer encodes records for one topic.
type producer[K, V any] struct {
	c          plan.Context
	node       string
	topic      string
	ks         serde.Serde[K]
	vs         serde.Serde[V]
	partition  func(K, V, int32) int32
	within     partitionedWithin
	hash       kgo.TopicPartitioner
	hashed     kgo.Record   // what hash is asked about, reused
	partitions int32        // 0 is not asked for yet
	slab       []byte       // free bytes of the present one
	records    []kgo.Record // free records
}

func newProducer[K, V any](c plan.Context, node string, s sinkSpec[K, V], t plan.Topic) (*producer[K, V], error) {
	p := &producer[K, V]{c: c, node: node, topic: c.Topic(t), partition: s.partition}
	var err error
	if p.ks, p.vs, err = serdesOf(p.topic, s.ks, s.vs); err != nil {
		return nil, err
	}
	p.within, _ = p.ks.(partitionedWithin)
	return p, nil
}

// Records and their bytes belong to Kafka's client once they are produced, so they come
// from slabs, each of which lives as long as the last record in it.
const (
	slabBytes   = 16 << 10
	slabRecords = 32
)

func (p *producer[K, V]) produce(r Record[K, V]) error {
	if cap(p.slab) < slabBytes/8 {
		p.slab = make([]byte, 0, slabBytes)
	}
	free := p.slab[:0]
	var key, value []byte
	if !r.NoKey {
		bytes, err := p.ks.Append(free, r.Key)
		if err != nil {
			return fmt.Errorf("encode the key: %w", err)
		}
		key, free = bytes[:len(bytes):len(bytes)], bytes[len(bytes):]
	}
	if !r.NoValue {
		bytes, err := p.vs.Append(free, r.Value)
		if err != nil {
			return fmt.Errorf("encode the value: %w", err)
		}
		value, free = bytes[:len(bytes):len(bytes)], bytes[len(bytes):]
	}
	p.slab = free
	partition, err := p.choose(r, key)
	if err != nil {
		return err
	}
	if len(p.records) == 0 {
		p.records = make([]kgo.Record, slabRecords)
	}
	rec := &p.records[0]
	p.records = p.records[1:]
	rec.Topic, rec.Partition, rec.Key, rec.Value, rec.Headers = p.topic, partition, key, value, r.Headers
	rec.Timestamp = time.UnixMilli(r.Timestamp)
	p.c.Produce(p.node, rec)
	return nil
}

// partitionedWithin is a serde whose keys are partitioned by a part of their bytes: windowed
// keys are where the key is that was windowed.
type partitionedWithin interface {
	PartitionKey(encoded []byte) []byte
}

// choose returns -1 to leave the partition to the hash of the key.
func (p *producer[K, V]) choose(r Record[K, V], key []byte) (int32, error) {
	if p.partition == nil && (p.within == nil || key == nil) {
		return -1, nil
	}
	if p.partitions == 0 {
		n, err := p.c.Partitions(p.topic)
		if err != nil {
			return 0, fmt.Errorf("the number of partitions of %s: %w", p.topic, err)
		}
		p.partitions, p.hash = n, kgo.StickyKeyPartitioner(nil).ForTopic(p.topic)
	}
	if p.partition == nil {
		p.hashed.Key = p.within.PartitionKey(key)
		return int32(p.hash.Partition(&p.hashed, int(p.partitions))), nil
	}
	chosen := p.partition(r.Key, r.Value, p.partitions)
	if chosen < 0 || chosen >= p.partitions {
		return 0, fmt.Errorf("PartitionBy chose partition %d of %d", chosen, p.partitions)
	}
	return chosen, nil
}
