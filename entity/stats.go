package entity

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/internal/count"
)

// Stats are counts since the host was made, and what is in memory.
type Stats struct {
	// Commands that were carried out, also those without a change.
	Commands int64 `json:"commands"`
	// Refused by a decision.
	Refused int64 `json:"refused"`
	// Failed in a decision, or while being stored.
	Failed int64 `json:"failed"`
	// Busy commands were not taken: a mailbox was full.
	Busy int64 `json:"busy"`
	// Conflicts with other hosts; the command was decided again.
	Conflicts int64 `json:"conflicts"`
	// Events stored.
	Events int64 `json:"events"`
	// Recovered states were read from the database, Repeated readings refused by it.
	Recovered int64 `json:"recovered"`
	Repeated  int64 `json:"repeated"`
	// Snapshots saved, and not saved because of an error.
	Snapshots       int64 `json:"snapshots"`
	SnapshotsFailed int64 `json:"snapshotsFailed"`
	// Passivated entities left memory.
	Passivated int64 `json:"passivated"`
	// Live entities are in memory, their states have Bytes where the definition tells
	// the size.
	Live  int   `json:"live"`
	Bytes int64 `json:"bytes"`
	// Pending commands wait or are being carried out.
	Pending int `json:"pending"`
}

// Stats returns them.
func (h *Host[C, S, R]) Stats() Stats {
	s := h.counts.stats()
	h.mu.Lock()
	defer h.mu.Unlock()
	s.Live, s.Bytes, s.Pending = len(h.cast.all), h.cast.bytes, h.pending
	return s
}

type counters struct {
	commands, refused, failed, busy, conflicts, events, recovered, repeated,
	snapshots, snapshotsFailed, passivated count.Counter
}

func newCounters(set *metrics.Set, entityType string, gauges map[string]func() float64) *counters {
	c := &counters{}
	if set == nil {
		return c
	}
	for name, to := range map[string]*count.Counter{
		"commands": &c.commands, "refused": &c.refused, "failed": &c.failed, "busy": &c.busy, "conflicts": &c.conflicts,
		"events": &c.events, "recovered": &c.recovered, "repeated_readings": &c.repeated, "snapshots": &c.snapshots,
		"snapshots_failed": &c.snapshotsFailed, "passivated": &c.passivated,
	} {
		to.Show(set, fmt.Sprintf("pabal_entity_%s_total{type=%q}", name, entityType))
	}
	for name, value := range gauges {
		name = fmt.Sprintf("pabal_entity_%s{type=%q}", name, entityType)
		set.UnregisterMetric(name) // of a predecessor in this process
		set.GetOrCreateGauge(name, value)
	}
	return c
}

func (h *Host[C, S, R]) gauges() map[string]func() float64 {
	return map[string]func() float64{
		"live":    func() float64 { return float64(h.Stats().Live) },
		"pending": func() float64 { return float64(h.Stats().Pending) },
	}
}

func (c *counters) stats() Stats {
	return Stats{
		Commands: c.commands.Load(), Refused: c.refused.Load(), Failed: c.failed.Load(),
		Busy: c.busy.Load(), Conflicts: c.conflicts.Load(), Events: c.events.Load(),
		Recovered: c.recovered.Load(), Repeated: c.repeated.Load(), Snapshots: c.snapshots.Load(),
		SnapshotsFailed: c.snapshotsFailed.Load(), Passivated: c.passivated.Load(),
	}
}
