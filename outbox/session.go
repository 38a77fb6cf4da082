package outbox

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// PositionTopic (without prefix) is where relays keep their positions: one
// compacted topic for all outboxes of a cluster.
const PositionTopic = "pabal.relay-positions"

// Bounds of what one session asks of Kafka. A transaction that is not ended
// after transactionTimeout is aborted by Kafka.
const (
	transactionTimeout = 10 * time.Second
	publishTimeout     = 8 * time.Second
	endTimeout         = 10 * time.Second
	askTimeout         = 10 * time.Second
	initTimeout        = 30 * time.Second
)

// session is a transactional producer, from its InitProducerID on. After any
// doubt it is closed and another one opened, which reads the position back.
type session struct {
	client    *kgo.Client
	cluster   kafka.Config
	clusterID string
	outbox    string
	topics    *topicBook
	place     receipt // partition of the position, and where to read from
	gap       gap
	extra     []kgo.Opt
}

var errNoPartition = errors.New("it was created, but the cluster does not know it yet")

// openSession connects to the cluster. The session does not fence other relays
// before begin.
func openSession(ctx context.Context, cluster kafka.Config, outbox string, batchRows int, extra []kgo.Opt) (*session, error) {
	topics := &topicBook{cluster: cluster, limits: map[string]int32{}}
	client, err := kafka.NewClient(cluster, append([]kgo.Opt{
		kgo.TransactionalID(cluster.TransactionalID("pabal-relay-" + outbox)),
		kgo.TransactionTimeout(transactionTimeout),
		kgo.RecordDeliveryTimeout(0), // it counts from the record's timestamp, which is the event's
		kgo.ProducerBatchMaxBytesFn(topics.limit),
		kgo.ManualFlushing(),
		kgo.MaxBufferedRecords(batchRows + 1),
		kgo.RecordPartitioner(partitioner{cluster.Topic(PositionTopic)}),
		kgo.UnknownTopicRetries(2),
		kgo.MetadataMinAge(250 * time.Millisecond),
		kgo.ConcurrentTransactionsBackoff(2 * time.Millisecond),
		kgo.DisableClientMetrics(),
	}, extra...)...)
	if err != nil {
		return nil, err
	}
	s := &session{client: client, cluster: cluster, outbox: outbox, topics: topics, extra: extra}
	ask, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if s.clusterID, err = kafka.ClusterID(ask, client, cluster); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *session) close() { s.client.Close() }

// settlePlace finds the position's partition: the one in the receipt, or for
// an outbox that never published the one its UUID falls on.
func (s *session) settlePlace(ctx context.Context, db receipt, published bool) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s.place = db
	name := s.cluster.Topic(PositionTopic)
	n, err := s.positionPartitions(ctx, name)
	switch {
	case err != nil:
		return fmt.Errorf("topic %s: %w", name, err)
	case published && int(db.Partition) >= n:
		return fmt.Errorf("%w: it has %d partitions, the position was in partition %d", ErrPositionLost, n, db.Partition)
	case !published:
		h := fnv.New32a()
		_, _ = h.Write([]byte(s.outbox))
		s.place = receipt{Partition: int32(h.Sum32() % uint32(n))}
	}
	return nil
}

// positionTopic is small segments, compacted soon: relays write it all the time
// and read it whole when a receipt does not say where to begin.
func positionTopic() kafka.Topic {
	return kafka.Topic{Name: PositionTopic, Config: map[string]string{
		"cleanup.policy": "compact", "segment.bytes": "8388608", "segment.ms": "3600000", "min.cleanable.dirty.ratio": "0.1",
	}}
}

// positionPartitions creates the topic where it is missing, and waits until the
// cluster knows it.
func (s *session) positionPartitions(ctx context.Context, name string) (int, error) {
	for wait, created := 5*time.Millisecond, false; ; wait *= 2 {
		found, err := askTopics(ctx, s.client, []string{name})
		if err != nil {
			return 0, err
		}
		facts := found[name]
		switch {
		case facts.err == nil && facts.partitions > 0:
			return facts.partitions, nil
		case facts.err != nil && !errors.Is(facts.err, kerr.UnknownTopicOrPartition) && !kerr.IsRetriable(facts.err):
			return 0, facts.err
		}
		if !created {
			if err := kafka.EnsureTopics(ctx, s.client, s.cluster, positionTopic()); err != nil {
				return 0, err
			}
			created = true
		}
		if !pause(ctx, wait, nil) {
			return 0, errors.Join(errNoPartition, facts.err)
		}
	}
}

// begin fences every other relay of this outbox: its open transaction is
// aborted, or committed where that was decided, when begin returns.
func (s *session) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, initTimeout)
	defer cancel()
	if _, _, err := s.client.ProducerID(ctx); err != nil {
		return fmt.Errorf("InitProducerID: %w", err)
	}
	return nil
}

// partitioner puts the position where the record says, and everything else as
// Java's producer does: keyed records by murmur2.
type partitioner struct{ manual string }

func (p partitioner) ForTopic(topic string) kgo.TopicPartitioner {
	if topic == p.manual {
		return kgo.ManualPartitioner().ForTopic(topic)
	}
	return kgo.StickyKeyPartitioner(nil).ForTopic(topic)
}
