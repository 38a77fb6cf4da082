package embedded

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/kafka/broker"
)

// WriteMetrics writes what a broker tells of itself, in Prometheus' format.
func WriteMetrics(w io.Writer, r broker.Report, now time.Time) {
	gauge := func(name string, value float64) { metrics.WriteGaugeFloat64(w, name, value) }
	counter := func(name string, value uint64) { metrics.WriteCounterUint64(w, name, value) }
	gauge("pabal_broker_failed", truth(r.Failed != ""))
	gauge("pabal_broker_info{durability="+strconv.Quote(string(r.Durability))+"}", 1)
	gauge("pabal_broker_connections", float64(r.Connections))
	gauge("pabal_broker_bytes", float64(r.Bytes))
	gauge("pabal_broker_recovery_seconds", r.Recovery.Seconds())
	gauge("pabal_broker_warnings", float64(len(r.Warnings)))
	counter("pabal_broker_syncs_total", r.Syncs)
	counter("pabal_broker_compaction_runs_total", r.Compaction.Runs)
	counter("pabal_broker_compaction_read_bytes_total", uint64(max(0, r.Compaction.Before)))
	counter("pabal_broker_compaction_freed_bytes_total", uint64(max(0, r.Compaction.Before-r.Compaction.After)))
	gauge("pabal_broker_compaction_failed", truth(r.Compaction.Error != ""))
	counter("pabal_broker_retention_segments_total", uint64(max(0, r.Retention.Segments)))
	counter("pabal_broker_retention_bytes_total", uint64(max(0, r.Retention.Bytes)))
	writeTraffic(gauge, counter, r.Traffic)
	writeTransactions(gauge, r.Transactions, now)
	writeTopics(gauge, r.Topics)
}

func writeTraffic(gauge func(string, float64), counter func(string, uint64), t broker.TrafficReport) {
	counter("pabal_broker_connections_accepted_total", t.Accepted)
	counter("pabal_broker_connections_refused_total", t.Refused)
	counter("pabal_broker_received_bytes_total", t.BytesIn)
	counter("pabal_broker_sent_bytes_total", t.BytesOut)
	gauge("pabal_broker_buffered_bytes", float64(t.Buffered))
	for _, name := range slices.Sorted(maps.Keys(t.Requests)) {
		counter(fmt.Sprintf("pabal_broker_requests_total{request=%q}", name), t.Requests[name])
	}
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func writeTransactions(gauge func(string, float64), open []broker.TransactionReport, now time.Time) {
	oldest := 0.0
	for _, t := range open {
		oldest = max(oldest, now.Sub(t.Started).Seconds())
	}
	gauge("pabal_broker_transactions_open", float64(len(open)))
	gauge("pabal_broker_transactions_oldest_seconds", oldest)
}

// writeTopics has a series a topic, of those that are no internal ones: partitions would be
// too many. The sums have all.
func writeTopics(gauge func(string, float64), topics []broker.TopicReport) {
	partitions, segments, failed, dirty := 0, 0, 0, int64(0)
	for _, t := range topics {
		var topicDirty int64
		for _, p := range t.Partitions {
			partitions, segments, topicDirty = partitions+1, segments+len(p.Segments), topicDirty+p.Dirty
			if p.Failed != "" {
				failed++
			}
		}
		dirty += topicDirty
		if !t.Internal {
			gauge(fmt.Sprintf("pabal_broker_topic_bytes{topic=%q}", t.Name), float64(t.Bytes))
		}
	}
	gauge("pabal_broker_topics", float64(len(topics)))
	gauge("pabal_broker_partitions", float64(partitions))
	gauge("pabal_broker_partitions_failed", float64(failed))
	gauge("pabal_broker_segments", float64(segments))
	gauge("pabal_broker_dirty_bytes", float64(dirty))
}
