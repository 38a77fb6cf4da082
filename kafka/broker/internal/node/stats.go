package node

import (
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/commit"
)

// Stats are what metrics and pages tell. Counts are since the start.
type Stats struct {
	Recovered time.Duration // how long Open took
	Recovery  commit.Recovery
	Warnings  []string // what Open found, in words
	Syncs     uint64   // of the journal

	Topics, Partitions int
	Bytes              int64

	// Compactions that ran, the bytes they read and left, and the last error of
	// maintenance.
	Compactions                       uint64
	CompactedBefore, CompactedAfter   int64
	RetentionSegments, RetentionBytes int64 // removed for age or size
	LastError                         string
}

// Stats returns them.
func (n *Node) Stats() Stats {
	s := Stats{
		Recovered: n.started.took, Recovery: n.started.journal, Warnings: n.started.warnings, Syncs: n.journal.Syncs(),
		Topics: len(n.Topics()), Compactions: uint64(n.work.runs.Load()),
		CompactedBefore: n.work.before.Load(), CompactedAfter: n.work.after.Load(),
	}
	if text := n.work.lastError.Load(); text != nil {
		s.LastError = *text
	}
	n.work.mu.Lock()
	s.RetentionSegments, s.RetentionBytes = n.work.expired.Segments, n.work.expired.Bytes
	n.work.mu.Unlock()
	for _, p := range n.partitions() {
		s.Partitions++
		s.Bytes += p.log.Size()
		expired := p.log.Expired()
		s.RetentionSegments += expired.Segments
		s.RetentionBytes += expired.Bytes
	}
	return s
}
