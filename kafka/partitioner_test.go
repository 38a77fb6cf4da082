package kafka_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/kafka"
)

func TestPartitioner(t *testing.T) {
	const partitions = 7
	ours := kafka.Partitioner().ForTopic("t")
	kafkas := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for _, key := range []string{"a", "order-1", "ключ"} {
		own := &kgo.Record{Key: []byte(key), Partition: 3}
		if got := ours.Partition(own, partitions); got != 3 || !ours.RequiresConsistency(own) {
			t.Errorf("%s: partition %d, and not its own, 3", key, got)
		}
		free := &kgo.Record{Key: []byte(key), Partition: -1}
		if got, want := ours.Partition(free, partitions), kafkas.Partition(free, partitions); got != want {
			t.Errorf("%s: partition %d, Kafka's is %d", key, got, want)
		}
	}
	if ours.RequiresConsistency(&kgo.Record{Partition: -1}) {
		t.Error("a record without key or partition may go anywhere")
	}
}
