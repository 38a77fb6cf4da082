package browsertest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// busyBroker tells of a shop's broker, which fails when it is told to.
type busyBroker struct {
	begun  time.Time
	failed atomic.Bool
}

func (b *busyBroker) Report() api.BrokerReport {
	now := time.Now()
	r := api.BrokerReport{
		BrokerState: api.BrokerState{
			ClusterID: "c1b2a3d4-5e6f-4711-8899-aabbccddeeff", Addr: "127.0.0.1:9092", DataDir: "/var/lib/pabal/broker", Durability: "fsync", Started: b.begun,
			RecoveryMicros: 48_200, Connections: 17, Traffic: api.BrokerTraffic{Accepted: 240, BytesIn: 12 << 30, BytesOut: 40 << 30, Requests: map[string]int64{"Fetch": 401_222, "Produce": 120_034, "Heartbeat": 9_001, "Metadata": 77}}, Syncs: 120_034, Bytes: 5 << 30,
			Warnings:   []string{"orders-2: 117 bytes at the end were torn and cut", "payments-0: damage at offset 4711 was set aside in payments-0/00000000000000004711.damaged"},
			Compaction: api.BrokerCompaction{Runs: 12, BytesBefore: 3 << 30, BytesAfter: 1 << 30}, Retention: api.BrokerRetention{Segments: 31, Bytes: 31 << 26},
		},
		Logs: []api.BrokerTopicLog{shopTopic("orders", 4, now), shopTopic("payments", 2, now), shopTopic("a-topic-with-a-name-that-nobody-would-give-to-one-but-everybody-may-"+hostile, 1, now)},
		Open: []api.BrokerTransaction{
			{ID: "relay-orders-0", ProducerID: 4001, Epoch: 2, State: "Ongoing", Started: now.Add(-95 * time.Second), TimeoutMillis: 900_000, Partitions: []string{"orders-0", "orders-2", "payments-1"}},
			{ID: "relay-payment-0", ProducerID: 4002, State: "PrepareCommit", Started: now.Add(-time.Second), TimeoutMillis: 40_000, Partitions: []string{"payments-0"}},
		},
	}
	if b.failed.Load() {
		r.Failed, r.Logs[0].Parts[2].Problem = "sync journal: no space left on device", "no space left on device"
	}
	return r
}

func shopTopic(name string, partitions int32, now time.Time) api.BrokerTopicLog {
	t := api.BrokerTopicLog{BrokerTopic: api.BrokerTopic{Name: name, Cleanup: "compact,delete"}, Settings: map[string]string{"cleanup.policy": "compact,delete", "retention.ms": "604800000"}}
	for p := range partitions {
		t.Parts = append(t.Parts, api.BrokerPartition{
			Partition: p, Start: 1000, Stable: 250_000, End: 250_017, Bytes: 640 << 20, Dirty: 64 << 20, Producers: 12, OpenTransactions: 1,
			Segments: []api.BrokerSegment{
				{Base: 1000, Next: 120_000, Bytes: 256 << 20, Newest: now.Add(-3 * time.Hour), Compacted: true},
				{Base: 120_000, Next: 200_000, Bytes: 256 << 20, Newest: now.Add(-time.Hour)},
				{Base: 200_000, Next: 250_017, Bytes: 128 << 20, Newest: now, Active: true}},
		})
	}
	return t
}

// TestBrokerJourney: from the overview to a partition's segments, to the transaction that holds
// its readers back, and to what a broker that failed says.
func TestBrokerJourney(t *testing.T) {
	browser := chromium(t)
	b := &busyBroker{begun: time.Now().Add(-26 * time.Hour)}
	url := startConsole(t, console.Config{Kafka: kafkatest.Start(t).Config, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t), Broker: b})
	tab := newTab(t, browser, url)
	tab.open("/")
	tab.keys("gk")
	tab.sees("survives a kill and a power cut", "1 for long", "were torn and cut", "orders")
	tab.press("main .tabs a", "Storage")
	tab.sees("payments", "compact,delete")
	tab.press("main td a", "orders")
	tab.sees("Segments of partition 0", "compacted")
	tab.press("main td a", "2")
	tab.sees("Segments of partition 2", "120,000")
	tab.press("main .foot a", "open transaction")
	tab.sees("relay-orders-0", "1 min", "PrepareCommit")
	for i, path := range []string{"/broker", "/broker/topics", "/broker/topics/orders?partition=1", "/broker/transactions"} {
		for _, look := range []struct {
			scheme        string
			width, height int64
		}{{"dark", 360, 740}, {"light", 1280, 900}, {"dark", 1280, 900}} {
			tab.scheme(look.scheme)
			tab.size(look.width, look.height)
			tab.open(path)
			tab.legible(path, look.scheme)
			tab.fits(path, look.width)
			tab.picture(fmt.Sprintf("broker%d-%s-%d", i, look.scheme, look.width))
		}
	}
	b.failed.Store(true)
	tab.seesAt("/broker", "Nothing more is acknowledged")
	tab.sees("no space left on device", "1 partition failed")
	tab.picture("broker-failed")
	tab.seesAt("/", "The broker acknowledges nothing more")
}
