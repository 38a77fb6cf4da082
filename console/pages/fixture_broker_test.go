package pages_test

import (
	"context"

	"github.com/pabal-dev/pabal/console/api"
)

var (
	ordersLog = api.BrokerTopicLog{
		BrokerTopic: api.BrokerTopic{Name: "shop.orders", Cleanup: "compact,delete", Partitions: 2, Segments: 3, Bytes: 3 << 20, Dirty: 1 << 20, OpenTransactions: 1, Problem: "partition 1: no space left on device"},
		Settings:    map[string]string{"cleanup.policy": "compact,delete", "segment.bytes": "1048576"},
		Parts: []api.BrokerPartition{
			{Partition: 0, Start: 100, Stable: 4711, End: 4720, Bytes: 2 << 20, Dirty: 1 << 20, Producers: 3, OpenTransactions: 1, Segments: []api.BrokerSegment{
				{Base: 100, Next: 2000, Bytes: 1 << 20, Newest: before(600), Compacted: true}, {Base: 2000, Next: 4720, Bytes: 1 << 20, Newest: before(5), Active: true}}},
			{Partition: 1, Start: 0, Stable: 7, End: 7, Bytes: 1 << 20, Problem: "no space left on device", Segments: []api.BrokerSegment{{Base: 0, Next: 7, Bytes: 1 << 20, Active: true}}},
		},
	}
	brokerState = api.BrokerState{
		ClusterID: "k-1", Addr: "127.0.0.1:9092", DataDir: "/var/lib/pabal/broker", Durability: "fsync", Started: before(7200), RecoveryMicros: 12_345, Connections: 7, Traffic: api.BrokerTraffic{Accepted: 99, Refused: 3, BytesIn: 5 << 30, BytesOut: 6 << 30, Buffered: 9, Requests: map[string]int64{"Fetch": 1234, "Produce": 56789, "Metadata": 1234}}, Syncs: 98_765, Bytes: 3 << 20,
		Warnings:   []string{"shop.orders-1: 117 bytes at the end were torn and cut"},
		Compaction: api.BrokerCompaction{Runs: 4, BytesBefore: 5 << 20, BytesAfter: 2 << 20}, Retention: api.BrokerRetention{Segments: 9, Bytes: 9 << 20},
		Topics: 2, Partitions: 3, Segments: 4, Transactions: 2, LongTransactions: 1, OldestTransaction: before(65), Largest: []api.BrokerTopic{ordersLog.BrokerTopic},
	}
)

func (f fake) BrokerState(ctx context.Context) (api.BrokerState, error) {
	return answer(ctx, f, brokerState)
}

func (f fake) BrokerTopics(ctx context.Context, _ api.TopicQuery) (api.Page[api.BrokerTopic], error) {
	return answer(ctx, f, page(ordersLog.BrokerTopic, api.BrokerTopic{Name: "__consumer_offsets", Internal: true, Partitions: 1, Segments: 1}))
}

func (f fake) BrokerTopic(ctx context.Context, name string) (api.BrokerTopicLog, error) {
	t := ordersLog
	t.Name = name
	return answer(ctx, f, t)
}

func (f fake) BrokerTransactions(ctx context.Context, _ api.PageQuery) (api.Page[api.BrokerTransaction], error) {
	return answer(ctx, f, page(
		api.BrokerTransaction{ID: "shop.relay-1", ProducerID: 4000, Epoch: 3, State: "Ongoing", Started: before(65), TimeoutMillis: 900_000, Long: true, Partitions: []string{"shop.orders-0", "shop.paid-1"}},
		api.BrokerTransaction{ID: "shop.relay-2", ProducerID: 4001, State: "PrepareCommit", Started: before(1), TimeoutMillis: 40_000}))
}
