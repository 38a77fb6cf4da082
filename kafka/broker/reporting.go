package broker

import (
	"context"
	"fmt"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Report tells of everything there is, for pages and metrics. It goes through all
// partitions, so that it is for every few seconds, not for every request.
func (b *Broker) Report() Report {
	s := b.node.Stats()
	r := Report{
		ClusterID: b.ClusterID(), Addr: b.addr, DataDir: b.config.DataDir, Durability: b.config.Durability,
		Started: b.started, Recovery: s.Recovered,
		Syncs: s.Syncs, Bytes: s.Bytes, Warnings: append([]string{}, s.Warnings...),
		Compaction: CompactionReport{Runs: s.Compactions, Before: s.CompactedBefore, After: s.CompactedAfter, Error: s.LastError},
		Retention:  RetentionReport{Segments: s.RetentionSegments, Bytes: s.RetentionBytes},
		Topics:     []TopicReport{}, Transactions: []TransactionReport{},
	}
	r.Connections, r.Traffic = b.traffic()
	if err := b.server.Failed(); err != nil {
		r.Failed = err.Error()
	}
	for _, t := range b.node.Topics() {
		r.Topics = append(r.Topics, reportTopic(t))
	}
	ctx, cancel := context.WithTimeout(context.Background(), reportPatience)
	defer cancel()
	open, err := b.server.OpenTransactions(ctx)
	if err != nil && r.Failed == "" {
		r.Failed = fmt.Sprintf("the disk has not answered for %s; open transactions are not shown", reportPatience)
	}
	for _, t := range open {
		r.Transactions = append(r.Transactions, reportTransaction(t))
	}
	return r
}

// reportPatience is how long a report waits for a disk that does not answer.
const reportPatience = 2 * time.Second

func (b *Broker) traffic() (connections int, r TrafficReport) {
	s := b.wire.Stats()
	r = TrafficReport{
		Accepted: s.Accepted, Refused: s.Refused, BytesIn: s.BytesIn, BytesOut: s.BytesOut,
		Buffered: s.BufferBytes, Requests: map[string]uint64{},
	}
	for key, n := range s.Requests {
		r.Requests[kmsg.NameForKey(key)] = n
	}
	return s.Connections, r
}

func reportTopic(t *node.Topic) TopicReport {
	r := TopicReport{Name: t.Name, Internal: t.Internal, Settings: map[string]string{}, Partitions: []PartitionReport{}}
	for _, s := range t.Settings() {
		if s.Own {
			r.Settings[s.Name] = s.Value
		}
		if s.Name == "cleanup.policy" {
			r.Cleanup = s.Value
		}
	}
	for _, p := range t.Partitions() {
		partition := reportPartition(p)
		r.Bytes += partition.Bytes
		r.Partitions = append(r.Partitions, partition)
	}
	return r
}

func reportPartition(p *node.Partition) PartitionReport {
	l := p.Log()
	at := l.Offsets()
	dirty, _ := l.Dirty()
	r := PartitionReport{
		Index: p.Index, Start: at.Start, HighWatermark: at.HighWatermark, Stable: at.Stable,
		Bytes: l.Size(), Dirty: dirty, Segments: []SegmentReport{},
	}
	for _, known := range l.Producers() {
		r.Producers++
		if known.OpenFirst >= 0 {
			r.OpenTransactions++
		}
	}
	if err := l.Failed(); err != nil {
		r.Failed = err.Error()
	}
	for _, s := range l.Segments() {
		r.Segments = append(r.Segments, reportSegment(s))
	}
	return r
}

func reportSegment(s log.Segment) SegmentReport {
	return SegmentReport{Base: s.Base, Next: s.Next, Bytes: s.Bytes, Newest: s.Newest, Active: s.Active, Compacted: s.Compacted}
}

func reportTransaction(t kmsg.DescribeTransactionsResponseTransactionState) TransactionReport {
	r := TransactionReport{
		ID: t.TransactionalID, ProducerID: t.ProducerID, Epoch: t.ProducerEpoch, State: t.State,
		Started: time.UnixMilli(t.StartTimestamp), Timeout: time.Duration(t.TimeoutMillis) * time.Millisecond, Partitions: []string{},
	}
	for _, topic := range t.Topics {
		for _, index := range topic.Partitions {
			r.Partitions = append(r.Partitions, fmt.Sprintf("%s-%d", topic.Topic, index))
		}
	}
	return r
}
