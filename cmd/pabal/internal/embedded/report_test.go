package embedded

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/broker"
)

var at0 = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// aReport has a value in every field.
func aReport() broker.Report {
	return broker.Report{
		ClusterID: "k", Addr: "127.0.0.1:9092", DataDir: "/d", Durability: broker.Fsync, Failed: "sync: i/o error", Started: at0, Recovery: 1500 * time.Microsecond,
		Connections: 3, Traffic: broker.TrafficReport{Accepted: 9, Refused: 2, BytesIn: 100, BytesOut: 200, Buffered: 5, Requests: map[string]uint64{"Produce": 6}}, Syncs: 7, Bytes: 900, Warnings: []string{"torn"},
		Compaction: broker.CompactionReport{Runs: 2, Before: 100, After: 40, Error: "disk full"}, Retention: broker.RetentionReport{Segments: 4, Bytes: 400},
		Topics: []broker.TopicReport{
			{Name: "orders", Bytes: 800, Settings: map[string]string{"cleanup.policy": "compact"}, Cleanup: "compact", Partitions: []broker.PartitionReport{
				{Index: 1, Start: 2, HighWatermark: 9, Stable: 8, Bytes: 800, Dirty: 80, Producers: 5, OpenTransactions: 1, Failed: "disk full",
					Segments: []broker.SegmentReport{{Base: 2, Next: 9, Bytes: 800, Newest: at0, Active: true, Compacted: true}}}}},
			{Name: "__consumer_offsets", Internal: true, Bytes: 100, Partitions: []broker.PartitionReport{{Segments: []broker.SegmentReport{{}}}}},
		},
		Transactions: []broker.TransactionReport{
			{ID: "tx", ProducerID: 6, Epoch: 2, State: "Ongoing", Started: at0, Timeout: 40 * time.Second, Partitions: []string{"orders-1"}},
			{ID: "tx2", Started: at0.Add(5 * time.Second)},
		},
	}
}

// TestReportForTheConsole: nothing gets lost on the way.
func TestReportForTheConsole(t *testing.T) {
	got := View{reporter{}}.Report()
	want := api.BrokerReport{
		BrokerState: api.BrokerState{ClusterID: "k", Addr: "127.0.0.1:9092", DataDir: "/d", Durability: "fsync", Failed: "sync: i/o error", Started: at0, RecoveryMicros: 1500,
			Connections: 3, Traffic: api.BrokerTraffic{Accepted: 9, Refused: 2, BytesIn: 100, BytesOut: 200, Buffered: 5, Requests: map[string]int64{"Produce": 6}}, Syncs: 7, Bytes: 900, Warnings: []string{"torn"}, Compaction: api.BrokerCompaction{Runs: 2, BytesBefore: 100, BytesAfter: 40, Error: "disk full"},
			Retention: api.BrokerRetention{Segments: 4, Bytes: 400}},
		Logs: []api.BrokerTopicLog{
			{BrokerTopic: api.BrokerTopic{Name: "orders", Cleanup: "compact"}, Settings: map[string]string{"cleanup.policy": "compact"}, Parts: []api.BrokerPartition{
				{Partition: 1, Start: 2, Stable: 8, End: 9, Bytes: 800, Dirty: 80, Producers: 5, OpenTransactions: 1, Problem: "disk full",
					Segments: []api.BrokerSegment{{Base: 2, Next: 9, Bytes: 800, Newest: at0, Active: true, Compacted: true}}}}},
			{BrokerTopic: api.BrokerTopic{Name: "__consumer_offsets", Internal: true}, Parts: []api.BrokerPartition{{Segments: []api.BrokerSegment{{}}}}},
		},
		Open: []api.BrokerTransaction{
			{ID: "tx", ProducerID: 6, Epoch: 2, State: "Ongoing", Started: at0, TimeoutMillis: 40_000, Partitions: []string{"orders-1"}},
			{ID: "tx2", Started: at0.Add(5 * time.Second)},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

type reporter struct{}

func (reporter) Report() broker.Report { return aReport() }

func TestMetrics(t *testing.T) {
	var b bytes.Buffer
	WriteMetrics(&b, aReport(), at0.Add(30*time.Second))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	for _, want := range []string{
		"pabal_broker_failed 1", `pabal_broker_info{durability="fsync"} 1`, "pabal_broker_connections 3", "pabal_broker_bytes 900", "pabal_broker_recovery_seconds 0.0015",
		"pabal_broker_warnings 1", "pabal_broker_syncs_total 7", "pabal_broker_compaction_runs_total 2", "pabal_broker_compaction_read_bytes_total 100",
		"pabal_broker_compaction_freed_bytes_total 60", "pabal_broker_compaction_failed 1", "pabal_broker_retention_segments_total 4", "pabal_broker_retention_bytes_total 400",
		"pabal_broker_transactions_open 2", "pabal_broker_transactions_oldest_seconds 30", `pabal_broker_topic_bytes{topic="orders"} 800`, "pabal_broker_topics 2",
		"pabal_broker_connections_accepted_total 9", "pabal_broker_connections_refused_total 2", "pabal_broker_received_bytes_total 100",
		"pabal_broker_sent_bytes_total 200", "pabal_broker_buffered_bytes 5", `pabal_broker_requests_total{request="Produce"} 6`,
		"pabal_broker_partitions 2", "pabal_broker_partitions_failed 1", "pabal_broker_segments 2", "pabal_broker_dirty_bytes 80",
	} {
		i := slices.Index(lines, want)
		if i < 0 {
			t.Errorf("there is no %q", want)
			continue
		}
		lines = slices.Delete(lines, i, i+1)
	}
	for _, line := range lines {
		if !strings.HasPrefix(line, "# ") {
			t.Errorf("nobody knows of %q", line)
		}
	}
}
