package saga

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/internal/count"
)

// Stats are counts since the manager was made. What is decided in a transaction of
// the caller's or of the inbox counts also where that is rolled back.
type Stats struct {
	// Started sagas.
	Started int64 `json:"started"`
	// Completed, Compensated and Resolved sagas have ended.
	Completed   int64 `json:"completed"`
	Compensated int64 `json:"compensated"`
	Resolved    int64 `json:"resolved"`
	// Reviews counts how often a saga came to need review.
	Reviews int64 `json:"reviews"`
	// Decisions that changed a saga; Stale were late, repeated or impossible messages.
	Decisions int64 `json:"decisions"`
	Stale     int64 `json:"stale"`
	// Timers fired.
	Timers int64 `json:"timers"`
	// Postponed counts timers that could not be decided and are tried again.
	Postponed int64 `json:"postponed"`
	// Trimmed sagas were deleted after Retention.
	Trimmed int64 `json:"trimmed"`
}

// tally is what some decisions count.
type tally struct{ started, completed, compensated, resolved, reviews, decisions, stale int }

func tallyOf[S any](outcomes []outcome[S]) tally {
	var t tally
	for _, out := range outcomes {
		if !out.changed {
			continue
		}
		t.decisions++
		before, after := out.change.BeforeStatus, out.change.After.Status
		if before == "" {
			t.started++
		}
		if before == after {
			continue
		}
		switch after {
		case Completed:
			t.completed++
		case Compensated:
			t.compensated++
		case Resolved:
			t.resolved++
		case NeedsReview:
			t.reviews++
		}
	}
	return t
}

type counters struct {
	started, completed, compensated, resolved, reviews, decisions, stale, timers, postponed, trimmed count.Counter

	late *metrics.Histogram // nil without metrics
}

func newCounters(set *metrics.Set, saga string) *counters {
	c := &counters{}
	if set == nil {
		return c
	}
	for name, to := range map[string]*count.Counter{
		"started": &c.started, "reviews": &c.reviews, "decisions": &c.decisions, "stale_answers": &c.stale,
		"timers_fired": &c.timers, "timers_postponed": &c.postponed, "trimmed": &c.trimmed,
	} {
		to.Show(set, fmt.Sprintf("pabal_saga_%s_total{saga=%q}", name, saga))
	}
	for status, to := range map[Status]*count.Counter{Completed: &c.completed, Compensated: &c.compensated, Resolved: &c.resolved} {
		to.Show(set, fmt.Sprintf("pabal_saga_ended_total{saga=%q,status=%q}", saga, status))
	}
	c.late = set.GetOrCreateHistogram(fmt.Sprintf("pabal_saga_timer_late_seconds{saga=%q}", saga))
	return c
}

func (c *counters) add(t tally) {
	c.started.Add(t.started)
	c.completed.Add(t.completed)
	c.compensated.Add(t.compensated)
	c.resolved.Add(t.resolved)
	c.reviews.Add(t.reviews)
	c.decisions.Add(t.decisions)
	c.stale.Add(t.stale)
}

// fired counts timers by how late they were.
func (c *counters) fired(late []time.Duration) {
	c.timers.Add(len(late))
	if c.late == nil {
		return
	}
	for _, d := range late {
		c.late.Update(d.Seconds())
	}
}

func (c *counters) stats() Stats {
	return Stats{
		Started: c.started.Load(), Completed: c.completed.Load(), Compensated: c.compensated.Load(),
		Resolved: c.resolved.Load(), Reviews: c.reviews.Load(), Decisions: c.decisions.Load(),
		Stale: c.stale.Load(), Timers: c.timers.Load(), Postponed: c.postponed.Load(), Trimmed: c.trimmed.Load(),
	}
}
