package projection

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/internal/count"
	"github.com/pabal-dev/pabal/journal"
)

// Stats are counts since the projection was made, and where it stands.
type Stats struct {
	Name   string `json:"name"`
	Source string `json:"source"`
	// Paused says that a range of this process waits for Resume.
	Paused bool `json:"paused"`
	// Handled events, each once.
	Handled int64 `json:"handled"`
	// Failed events: the last attempt failed, or they cannot be decoded.
	Failed int64 `json:"failed"`
	// Skipped are those of the failed that the projection went on without.
	Skipped int64 `json:"skipped"`
	// Duplicates were handled before and had no effect.
	Duplicates int64 `json:"duplicates"`
	// GapsFilled are events that were fetched because one after them came first.
	GapsFilled int64 `json:"gapsFilled"`
	// Retried counts attempts after the first.
	Retried int64 `json:"retried"`
	// Fenced counts how often another worker took slices.
	Fenced int64 `json:"fenced"`
	// Repeated counts what the database refused; it costs no event an attempt.
	Repeated int64 `json:"repeated"`
	// LagEvents are the events not handled yet in the ranges of this process, as
	// counted every few seconds, of each range at most MaxLag.
	LagEvents int64 `json:"lagEvents"`
	// LagSeconds is for how long the range that is behind most has been so.
	LagSeconds float64 `json:"lagSeconds"`
	// Ranges this process has, by slices; those of a rebuild after those of the live
	// view.
	Ranges []RangeStats `json:"ranges"`
}

// MaxLag is up to which number the lag of a range is counted.
const MaxLag = 10_000

// State is what becomes of a range's events.
type State string

// States of a range.
const (
	StateClaiming State = "claiming"
	StateRunning  State = "running"
	StatePaused   State = "paused"
	// StateStopped by an event; it tries again after Config.Restart.
	StateStopped State = "stopped"
)

// RangeStats is where a slice range stands.
type RangeStats struct {
	// Slices, for example "0-255"; of a topic, its name and partition.
	Slices  string `json:"slices"`
	Rebuild bool   `json:"rebuild,omitempty"`
	State   State  `json:"state"`
	Epoch   int64  `json:"epoch"`
	// Latest is the time of the last event handled, Consumed when that was.
	Latest     time.Time `json:"latest,omitzero"`
	Consumed   time.Time `json:"consumed,omitzero"`
	LagEvents  int64     `json:"lagEvents"`
	LagSeconds float64   `json:"lagSeconds"`
	// Backtracking: events are read above a transaction that has been open for long,
	// described by Blocker.
	Backtracking bool   `json:"backtracking,omitempty"`
	Blocker      string `json:"blocker,omitempty"`
	// Problem is why it does not go on, "" where it does.
	Problem string `json:"problem,omitempty"`
}

// Stats returns the present figures.
func (p *Projection[T]) Stats() Stats { return p.runner.stats() }

func (r *runner) stats() Stats {
	all := r.counts.stats()
	all.Name, all.Source = r.cfg.Name, r.cfg.source()
	for _, s := range r.allSlots() {
		v := s.seen()
		if v.state == "" {
			continue
		}
		one := v.stats(r.cfg.Clock())
		one.Rebuild = s.suffix != ""
		all.add(one)
	}
	slices.SortStableFunc(all.Ranges, func(a, b RangeStats) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

func rank(r RangeStats) int {
	if r.Rebuild {
		return 1
	}
	return 0
}

func (s *Stats) add(one RangeStats) {
	s.Ranges = append(s.Ranges, one)
	if one.Rebuild {
		return
	}
	s.Paused = s.Paused || one.State == StatePaused
	s.LagEvents += one.LagEvents
	s.LagSeconds = max(s.LagSeconds, one.LagSeconds)
}

// view is what a slot shows of itself.
type view struct {
	state            State
	slices           journal.SliceRange
	epoch            int64
	saved            journal.Cursor
	latest, consumed time.Time
	// caughtUp: everything that was there is handled; caughtUpAt is when that was so
	// for the last time.
	caughtUp     bool
	caughtUpAt   time.Time
	lag          int64
	done         int // events after saved that are handled all the same
	backtracking bool
	blocker      string
	problem      string
}

// reached notes whether the end was reached.
func (v *view) reached(end bool, now time.Time) {
	if v.caughtUp = end; end {
		v.caughtUpAt, v.lag = now, 0
	}
}

func (v *view) stats(now time.Time) RangeStats {
	s := RangeStats{
		Slices: v.slices.String(), State: v.state, Epoch: v.epoch, Latest: v.latest, Consumed: v.consumed,
		Backtracking: v.backtracking, Blocker: v.blocker, Problem: v.problem,
	}
	if v.caughtUp || v.lag == 0 {
		return s
	}
	s.LagEvents = v.lag
	behind := v.latest
	if v.caughtUpAt.After(behind) {
		behind = v.caughtUpAt
	}
	if !behind.IsZero() {
		s.LagSeconds = max(0, now.Sub(behind).Seconds())
	}
	return s
}

// lagBeats is how often the lag is counted, where there may be one.
const lagBeats = 2

func (r *runner) watchLag(ctx context.Context) {
	for ctx.Err() == nil {
		for _, s := range r.allSlots() {
			r.countLag(ctx, s)
		}
		sleep(ctx, lagBeats*r.cfg.BeatInterval, nil)
	}
}

func (r *runner) countLag(ctx context.Context, s *slot) {
	v := s.seen()
	if v.state == "" || v.state == StateClaiming || v.caughtUp {
		return
	}
	q := r.cfg.Query
	q.Slices, q.After = v.slices, v.saved
	lag, err := r.source.Ahead(ctx, q, MaxLag)
	if err != nil {
		return // the reader's problem is reported by the range
	}
	s.show(func(v *view) {
		if v.slices == q.Slices && !v.caughtUp {
			v.lag = int64(max(0, lag-v.done))
		}
	})
}

// counters go into Stats and, where wanted, into the metrics.
type counters struct {
	handled, failed, skipped, duplicates, gaps, retried, fenced, repeated count.Counter
}

func newCounters(set *metrics.Set, projection string) *counters {
	c := &counters{}
	if set == nil {
		return c
	}
	for name, to := range map[string]*count.Counter{
		"handled": &c.handled, "failed": &c.failed, "skipped": &c.skipped, "duplicates": &c.duplicates, "gaps_filled": &c.gaps,
		"retried": &c.retried, "fenced": &c.fenced, "database_retries": &c.repeated,
	} {
		to.Show(set, fmt.Sprintf("pabal_projection_%s_total{projection=%q}", name, projection))
	}
	return c
}

func (c *counters) stats() Stats {
	return Stats{
		Handled: c.handled.Load(), Failed: c.failed.Load(), Skipped: c.skipped.Load(), Duplicates: c.duplicates.Load(),
		GapsFilled: c.gaps.Load(), Retried: c.retried.Load(), Fenced: c.fenced.Load(), Repeated: c.repeated.Load(),
	}
}

// gauges of a projection, there while it runs.
func gauges(projection string, stats func() Stats) map[string]func() float64 {
	named := func(name string) string { return fmt.Sprintf("pabal_projection_%s{projection=%q}", name, projection) }
	return map[string]func() float64{
		named("lag_events"):  func() float64 { return float64(stats().LagEvents) },
		named("lag_seconds"): func() float64 { return stats().LagSeconds },
		named("ranges"):      func() float64 { return float64(len(stats().Ranges)) },
		named("paused"): func() float64 {
			if stats().Paused {
				return 1
			}
			return 0
		},
	}
}

func showGauges(set *metrics.Set, all map[string]func() float64) {
	if set == nil {
		return
	}
	for name, value := range all {
		set.UnregisterMetric(name) // of a predecessor in this process
		set.GetOrCreateGauge(name, value)
	}
}

func hideGauges(set *metrics.Set, all map[string]func() float64) {
	if set == nil {
		return
	}
	for name := range all {
		set.UnregisterMetric(name)
	}
}

func (r *runner) showGauges() { showGauges(r.cfg.Metrics, gauges(r.cfg.Name, r.stats)) }
func (r *runner) hideGauges() { hideGauges(r.cfg.Metrics, gauges(r.cfg.Name, r.stats)) }
