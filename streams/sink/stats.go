package sink

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/internal/count"
)

// Stats are counts since Start, and the present state.
type Stats struct {
	// Applied values and Deleted keys; of a key's changes within one step the last counts.
	Applied int64 `json:"applied"`
	Deleted int64 `json:"deleted"`
	// Skipped records could not be rendered.
	Skipped int64 `json:"skipped"`
	// Resyncs is how often a partition of the target had lost what was applied.
	Resyncs int64 `json:"resyncs"`
	// Lag is the sum of the partitions', -1 while one of them is not known.
	Lag int64 `json:"lag"`
	// Partitions that this process has.
	Partitions []PartitionStats `json:"partitions"`
}

// PartitionStats is where a partition stands.
type PartitionStats struct {
	Partition int32 `json:"partition"`
	// Position is the offset to be applied next, -1 where nothing was applied or it is not
	// known; End the one after the last committed record, -1 unknown.
	Position int64 `json:"position"`
	End      int64 `json:"end"`
	Lag      int64 `json:"lag"`
}

// Stats as of now. End, and Lag with it, is that of the last look, see Config.CheckInterval.
func (s *Sink) Stats() Stats {
	out := Stats{Applied: s.counts.applied.Load(), Deleted: s.counts.deleted.Load(), Skipped: s.counts.skipped.Load(), Resyncs: s.counts.resyncs.Load()}
	s.mu.Lock()
	defer s.mu.Unlock()
	unknown := false
	for _, p := range s.parts {
		ps := PartitionStats{Partition: p.number, Position: None, End: p.end, Lag: -1}
		if p.known && p.end >= 0 {
			ps.Position = p.stored
			ps.Lag = max(p.end-max(p.stored, p.begin), 0)
			if p.stored == None && p.next >= p.end && len(p.pending) == 0 {
				ps.Lag = 0 // there is nothing in it
			}
			out.Lag += ps.Lag
		} else {
			unknown = true
		}
		out.Partitions = append(out.Partitions, ps)
	}
	if unknown {
		out.Lag = -1
	}
	slices.SortFunc(out.Partitions, func(a, b PartitionStats) int { return cmp.Compare(a.Partition, b.Partition) })
	return out
}

// counters go into Stats and, where wanted, into the metrics.
type counters struct {
	applied, deleted, skipped, resyncs count.Counter
	hide                               func()
}

func newCounters(s *Sink) *counters {
	c := &counters{hide: func() {}}
	set := s.cfg.Metrics
	if set == nil {
		return c
	}
	for name, to := range map[string]*count.Counter{"applied": &c.applied, "deleted": &c.deleted, "skipped": &c.skipped, "resyncs": &c.resyncs} {
		to.Show(set, fmt.Sprintf("pabal_sink_%s_total{sink=%q}", name, s.cfg.Name))
	}
	lag := fmt.Sprintf("pabal_sink_lag{sink=%q}", s.cfg.Name)
	set.UnregisterMetric(lag) // of a predecessor in this process
	set.GetOrCreateGauge(lag, func() float64 { return float64(s.Stats().Lag) })
	c.hide = func() { set.UnregisterMetric(lag) }
	return c
}
