package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/embedded"
	"github.com/pabal-dev/pabal/cmd/pabal/internal/webconsole"
	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// reports is a broker that has everything to tell.
type reports struct{}

func (reports) Report() broker.Report {
	return broker.Report{
		ClusterID: "k", Addr: "127.0.0.1:9092", DataDir: "/d", Durability: broker.Fsync, Failed: "sync: i/o\x1b error", Recovery: 1500 * time.Microsecond, Connections: 3, Traffic: broker.TrafficReport{Accepted: 9, Refused: 2, BytesIn: 11, BytesOut: 22}, Syncs: 7, Bytes: 900,
		Warnings: []string{"orders-1: torn"}, Compaction: broker.CompactionReport{Runs: 2, Before: 100, After: 40}, Retention: broker.RetentionReport{Segments: 4, Bytes: 400},
		Topics: []broker.TopicReport{{Name: "orders", Cleanup: "compact", Settings: map[string]string{"segment.bytes": "9", "a": "b"}, Partitions: []broker.PartitionReport{
			{Index: 0, Start: 2, HighWatermark: 9, Stable: 8, Bytes: 800, Dirty: 80, Producers: 5, OpenTransactions: 1, Failed: "disk full",
				Segments: []broker.SegmentReport{{Base: 2, Next: 5, Bytes: 300, Compacted: true}, {Base: 5, Next: 9, Bytes: 500, Newest: time.Unix(0, 0), Active: true}}},
			{Index: 1, Bytes: 10, Segments: []broker.SegmentReport{{Base: 0, Next: 77, Bytes: 10, Active: true}}}}},
			{Name: "__consumer_offsets", Internal: true}},
		Transactions: []broker.TransactionReport{{ID: "tx-old", ProducerID: 6, Epoch: 2, State: "Ongoing", Started: time.Now().Add(-time.Hour), Timeout: 40 * time.Second, Partitions: []string{"orders-0", "orders-1"}},
			{ID: "tx-new", State: "PrepareCommit", Started: time.Now()}},
	}
}

// startConsole is a console beside a Kafka that does not answer.
func startConsole(t *testing.T, b console.Broker) *running {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	c, err := webconsole.Start(t.Context(), console.Config{Kafka: kafka.Config{Brokers: []string{"127.0.0.1:1"}, Logger: quiet}, Listen: "127.0.0.1:0", Logger: quiet, Broker: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return &running{server: strings.TrimSuffix(c.URL(), "/")}
}

func has(t *testing.T, what, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), part) {
			t.Errorf("%s does not say %q:\n%s", what, part, out)
		}
	}
}

func TestBrokerCommands(t *testing.T) {
	t.Parallel()
	r := startConsole(t, embedded.View{Broker: reports{}})
	has(t, "broker", r.good(t, "broker"), `state FAILED: nothing more is acknowledged: sync: i/o\x1b error`, "durability fsync: what was acknowledged survives a power cut", "opened in 1.5ms", "connections 3; 2 were refused", "bytes in 11", "bytes out 22",
		"open transactions 2, the oldest for 1h0m0s; 1 for long", "compaction 2 runs, 40 of 100 bytes left", "retention 4 segments removed, 400 bytes", "failed partitions 1 take no records", "Warning: orders-1: torn", "orders 810 80 2 3 compact 1 partition 0: disk full")
	if b := answer[api.BrokerState](t, r, "broker", "status"); b.Syncs != 7 || b.Topics != 2 || len(b.Largest) != 2 {
		t.Errorf("%+v", b)
	}
	if out := r.good(t, "broker", "topics"); strings.Contains(out, "__consumer") || !strings.Contains(out, "orders") {
		t.Errorf("%s", out)
	}
	if page := answer[api.Page[api.BrokerTopic]](t, r, "broker", "topics", "--internal", "--search=off"); len(page.Items) != 1 || page.Items[0].Name != "__consumer_offsets" {
		t.Errorf("%+v", page)
	}
	out := r.good(t, "broker", "segments", "orders")
	has(t, "segments", out, "settings a=b, segment.bytes=9", "0 2 8 9 800 80 5 1 disk full", "0 2 5 300 - closed, compacted", "0 5 9 500 1970-01-01T00:00:00.000Z active", "1 0 77 10 - active")
	if out := r.good(t, "broker", "segments", "orders", "--partition=1"); strings.Contains(out, "disk full") || !strings.Contains(out, "77") {
		t.Errorf("%s", out)
	}
	if topic := answer[api.BrokerTopicLog](t, r, "broker", "segments", "orders"); len(topic.Parts) != 2 || len(topic.Parts[0].Segments) != 2 {
		t.Errorf("%+v", topic)
	}
	has(t, "transactions", r.good(t, "broker", "transactions", "--search=old"), "tx-old Ongoing 1h0m0s (long) 40s 6 2 orders-0,orders-1")
	if page := answer[api.Page[api.BrokerTransaction]](t, r, "broker", "transactions"); len(page.Items) != 2 || page.Items[0].ID != "tx-old" || page.Items[1].Long {
		t.Errorf("%+v", page)
	}
	for code, args := range map[int][]string{4: {"broker", "segments", "nowhere"}, 2: {"broker", "topics", "--limit=-1"}} {
		if got := pabal(t, append(args, "--server="+r.server)...); got.code != code {
			t.Errorf("%v: %+v", args, got)
		}
	}
	if got := pabal(t, "broker", "segments", "orders", "--partition=9", "--server="+r.server); got.code != 4 || !strings.Contains(got.stderr, "no partition 9") {
		t.Errorf("%+v", got)
	}
}

// TestBrokerText: what is well, and what there is not.
func TestBrokerText(t *testing.T) {
	var b strings.Builder
	writeBroker(&b, api.BrokerState{Addr: "a:1", Durability: "memory"}, time.Now())
	has(t, "a young broker", b.String(), "state running", "everything is gone when the process ends", "compaction no run yet", "retention nothing removed yet", "open transactions 0")
	b.Reset()
	writeBroker(&b, api.BrokerState{Durability: "os", Compaction: api.BrokerCompaction{Runs: 1, Error: "disk full"}}, time.Now())
	has(t, "a broker whose compaction fails", b.String(), "but not a power cut", "does not go on: disk full")
}

func TestBrokerElsewhere(t *testing.T) {
	t.Parallel()
	r := startConsole(t, nil)
	if got := pabal(t, "broker", "--server="+r.server); got.code != 4 || !strings.Contains(got.stderr, "no part of this process") {
		t.Errorf("%+v", got)
	}
}
