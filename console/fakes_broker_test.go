package console

import (
	"context"
	"fmt"

	"github.com/pabal-dev/pabal/console/api"
)

var (
	aPartition = api.BrokerPartition{Partition: 2, Start: 1, Stable: 8, End: 9, Bytes: 900, Dirty: 90, Producers: 3, OpenTransactions: 1, Problem: "disk full",
		Segments: []api.BrokerSegment{{Base: 1, Next: 9, Bytes: 900, Newest: at0, Active: true}}}
	aStoredTopic = api.BrokerTopic{Name: "orders", Cleanup: "delete", Partitions: 1, Segments: 1, Bytes: 900, Dirty: 90, OpenTransactions: 1, Problem: "partition 2: disk full"}
	aTransaction = api.BrokerTransaction{ID: "tx", ProducerID: 9, Epoch: 3, State: "Ongoing", Started: at0, TimeoutMillis: 40_000, Long: true, Partitions: []string{"orders-2"}}
	aBroker      = api.BrokerState{ClusterID: "k", Addr: "127.0.0.1:9092", DataDir: "/d", Durability: "fsync", Started: at0, RecoveryMicros: 5, Connections: 2, Traffic: api.BrokerTraffic{Accepted: 4, Refused: 1, BytesIn: 5, BytesOut: 6, Buffered: 7, Requests: map[string]int64{"Fetch": 8}}, Syncs: 7, Bytes: 900,
		Warnings: []string{"torn"}, Compaction: api.BrokerCompaction{Runs: 1, BytesBefore: 9, BytesAfter: 3}, Topics: 1, Partitions: 1, Segments: 1, FailedPartitions: 1,
		Transactions: 1, LongTransactions: 1, OldestTransaction: at0, Largest: []api.BrokerTopic{aStoredTopic}}
)

func (f *fake) BrokerState(ctx context.Context) (api.BrokerState, error) {
	return called(f, ctx, "broker", aBroker)
}

func (f *fake) BrokerTopics(ctx context.Context, q api.TopicQuery) (api.Page[api.BrokerTopic], error) {
	return called(f, ctx, "broker topics "+queryText(q), pageOf(aStoredTopic))
}

func (f *fake) BrokerTopic(ctx context.Context, name string) (api.BrokerTopicLog, error) {
	return called(f, ctx, "broker topic "+name, api.BrokerTopicLog{BrokerTopic: aStoredTopic, Settings: map[string]string{"a": "b"}, Parts: []api.BrokerPartition{aPartition}})
}

func (f *fake) BrokerTransactions(ctx context.Context, q api.PageQuery) (api.Page[api.BrokerTransaction], error) {
	return called(f, ctx, fmt.Sprintf("broker transactions %+v", q), pageOf(aTransaction))
}
