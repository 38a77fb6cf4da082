package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// Partitioner sends a record to its own Partition where that is 0 or more, else where
// Kafka's default partitioner would: by the hash of its key, or, without one, by turns of
// batches.
func Partitioner() kgo.Partitioner { return partitioner{} }

type partitioner struct{}

func (partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	return topicPartitioner{kgo.StickyKeyPartitioner(nil).ForTopic(topic)}
}

type topicPartitioner struct{ kafkas kgo.TopicPartitioner }

func (p topicPartitioner) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || p.kafkas.RequiresConsistency(r)
}

func (p topicPartitioner) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return p.kafkas.Partition(r, n)
}

// OnNewBatch lets records without a key move on to another partition.
func (p topicPartitioner) OnNewBatch() {
	if b, ok := p.kafkas.(kgo.TopicPartitionerOnNewBatch); ok {
		b.OnNewBatch()
	}
}
