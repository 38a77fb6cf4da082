package embedded

import (
	"time"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka/broker"
)

// Reporter is a broker that tells of itself.
type Reporter interface{ Report() broker.Report }

// View is such a broker as the console wants it.
type View struct{ Broker Reporter }

// Report implements console.Broker.
func (v View) Report() api.BrokerReport { return forConsole(v.Broker.Report()) }

func forConsole(r broker.Report) api.BrokerReport {
	all := api.BrokerReport{BrokerState: api.BrokerState{
		ClusterID: r.ClusterID, Addr: r.Addr, DataDir: r.DataDir, Durability: string(r.Durability), Failed: r.Failed,
		Started: r.Started.UTC(), RecoveryMicros: r.Recovery.Microseconds(), Connections: r.Connections, Syncs: int64(r.Syncs), Bytes: r.Bytes, Warnings: r.Warnings,
		Traffic:    traffic(r.Traffic),
		Compaction: api.BrokerCompaction{Runs: int64(r.Compaction.Runs), BytesBefore: r.Compaction.Before, BytesAfter: r.Compaction.After, Error: r.Compaction.Error},
		Retention:  api.BrokerRetention{Segments: r.Retention.Segments, Bytes: r.Retention.Bytes},
	}}
	for _, t := range r.Topics {
		all.Logs = append(all.Logs, topicLog(t))
	}
	for _, t := range r.Transactions {
		all.Open = append(all.Open, api.BrokerTransaction{
			ID: t.ID, ProducerID: t.ProducerID, Epoch: t.Epoch, State: t.State, Started: t.Started.UTC(),
			TimeoutMillis: t.Timeout.Milliseconds(), Partitions: t.Partitions,
		})
	}
	return all
}

func traffic(t broker.TrafficReport) api.BrokerTraffic {
	out := api.BrokerTraffic{Accepted: int64(t.Accepted), Refused: int64(t.Refused), BytesIn: int64(t.BytesIn), BytesOut: int64(t.BytesOut), Buffered: t.Buffered}
	if len(t.Requests) > 0 {
		out.Requests = map[string]int64{}
	}
	for name, n := range t.Requests {
		out.Requests[name] = int64(n)
	}
	return out
}

func topicLog(t broker.TopicReport) api.BrokerTopicLog {
	out := api.BrokerTopicLog{BrokerTopic: api.BrokerTopic{Name: t.Name, Internal: t.Internal, Cleanup: t.Cleanup}, Settings: t.Settings}
	for _, p := range t.Partitions {
		part := api.BrokerPartition{
			Partition: p.Index, Start: p.Start, Stable: p.Stable, End: p.HighWatermark, Bytes: p.Bytes, Dirty: p.Dirty,
			Producers: p.Producers, OpenTransactions: p.OpenTransactions, Problem: p.Failed,
		}
		for _, s := range p.Segments {
			part.Segments = append(part.Segments, api.BrokerSegment{Base: s.Base, Next: s.Next, Bytes: s.Bytes, Newest: utc(s.Newest), Active: s.Active, Compacted: s.Compacted})
		}
		out.Parts = append(out.Parts, part)
	}
	return out
}

// utc leaves no time at all as it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}
