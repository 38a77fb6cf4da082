package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// State is what a relay is doing.
type State string

// A relay's states.
const (
	Stopped    State = "stopped"
	Connecting State = "connecting"
	// Recovering: reading back from Kafka what is published already.
	Recovering State = "recovering"
	Standby    State = "standby"
	Active     State = "active"
	// Held: it is the active one, or could be, and something keeps it from
	// publishing; see Stats.Reason.
	Held State = "held"
)

// Stats are a relay's figures since it was made.
type Stats struct {
	State State
	// Reason is why rows wait, "" where none do.
	Reason string
	// Paused says that somebody called Pause.
	Paused bool
	// Published counts rows committed in Kafka, Removed those known to be
	// removed, Refused refusals by Kafka, Failed rows that became FAILED.
	Published, Removed, Refused, Failed int64
	// Backlog as it was at BacklogAt; counted every ten seconds, less often
	// where counting takes long.
	Backlog   Backlog
	BacklogAt time.Time
}

// Age is how long the oldest pending row has been waiting, zero without one.
func (s Stats) Age() time.Duration {
	if s.Backlog.Oldest.IsZero() {
		return 0
	}
	return time.Since(s.Backlog.Oldest)
}

// Stats returns the present figures.
func (r *Relay) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Health is nil where the relay publishes or stands by, else why it does not.
// Topics that are held are a reason though others go on.
func (r *Relay) Health() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.why != nil:
		return r.why
	case r.stats.State == Stopped || r.stats.State == Connecting:
		return fmt.Errorf("the relay of outbox %s is %s", r.cfg.Name, r.stats.State)
	}
	return nil
}

func (r *Relay) count(change func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.stats)
}

func (r *Relay) state(state State, why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.State, r.why, r.stats.Reason = state, why, ""
	if why != nil {
		r.stats.Reason = why.Error()
	}
}

// failed takes note of a term's error; one that stays the same is logged once.
func (r *Relay) failed(err error) {
	if err == nil {
		return
	}
	if before := r.Stats().Reason; before != err.Error() && !errors.Is(err, errLimitRaised) {
		r.log.Error("the relay stops publishing and begins anew", "error", err)
	}
	r.state(Held, err)
}

var errAsideFull = fmt.Errorf("%d rows refused by Kafka wait: until they are published or FAILED nothing else is read", asideLimit)

// publishState shows what holds rows back in an active term.
func (t *term) publishState() {
	paused := t.pausing.err()
	switch err := t.holds.err(); {
	case paused != nil:
		t.state(Held, paused)
	case err != nil:
		t.state(Active, err)
	case t.aside.full:
		t.state(Held, errAsideFull)
	default:
		t.state(Active, nil)
	}
}

// Counting must not become the load: it is done at most every backlogEvery,
// and takes at most one part in backlogShare of the time.
const (
	backlogEvery   = 10 * time.Second
	backlogShare   = 20
	backlogTimeout = time.Minute
)

func (r *Relay) watchBacklog(ctx context.Context) {
	for wait := time.Duration(0); pause(ctx, wait, nil); {
		began := time.Now()
		asked, cancel := context.WithTimeout(ctx, backlogTimeout)
		backlog, err := r.store.Backlog(asked)
		cancel()
		if err == nil {
			r.count(func(s *Stats) { s.Backlog, s.BacklogAt = backlog, time.Now() })
		}
		wait = max(backlogEvery, backlogShare*time.Since(began))
	}
}

// register adds the figures to a set.
func (r *Relay) register(set *metrics.Set) {
	if set == nil {
		return
	}
	gauge := func(name string, value func(Stats) float64) {
		name = fmt.Sprintf("pabal_outbox_%s{outbox=%q}", name, r.cfg.Name)
		set.UnregisterMetric(name) // of a relay that this one replaces
		set.NewGauge(name, func() float64 { return value(r.Stats()) })
	}
	gauge("published_total", func(s Stats) float64 { return float64(s.Published) })
	gauge("removed_total", func(s Stats) float64 { return float64(s.Removed) })
	gauge("refused_total", func(s Stats) float64 { return float64(s.Refused) })
	gauge("failed_total", func(s Stats) float64 { return float64(s.Failed) })
	gauge("started", func(s Stats) float64 { return float64(s.Backlog.Started) })
	gauge("failed", func(s Stats) float64 { return float64(s.Backlog.Failed) })
	gauge("completed", func(s Stats) float64 { return float64(s.Backlog.Completed) })
	gauge("oldest_age_seconds", func(s Stats) float64 { return s.Age().Seconds() })
	gauge("paused", func(s Stats) float64 {
		if s.Paused {
			return 1
		}
		return 0
	})
	gauge("active", func(s Stats) float64 {
		if s.State == Active {
			return 1
		}
		return 0
	})
}
