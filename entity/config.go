package entity

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/journal"
)

// Config of a Host. The zero value is usable.
type Config struct {
	// Writer stores what entities decide, many of them in one transaction. Hosts of
	// one store may share one, which whoever made it starts before and stops after
	// them. Where nil the host has one of its own.
	Writer *journal.Writer

	// MailboxSize is how many commands may wait for one entity; 1,000.
	MailboxSize int
	// MaxPending is how many commands of all entities the host takes at a time;
	// 100,000.
	MaxPending int

	// IdleTimeout is after how long without a command or a Read an entity's state
	// leaves memory; 2 minutes. Negative: never.
	IdleTimeout time.Duration
	// MaxLive is how many entities are in memory; the longest unused leave first.
	// 100,000. Those that have commands stay.
	MaxLive int
	// MaxLiveBytes bounds the states in memory as the definition's Size counts them;
	// no bound where 0.
	MaxLiveBytes int64

	// RecoveryTimeout bounds the reading of a state; 30 s.
	RecoveryTimeout time.Duration
	// Backoff is how long an entity that cannot be recovered answers with the same
	// error before it is read again. 1 s to 1 minute.
	Backoff Backoff
	// ConflictRetries is how often a command is decided again where another host
	// wrote first; 16.
	ConflictRetries int
	// Exclusive says that no other host writes these entities. It spares the look
	// into the database before a refusal or a reply without change, which otherwise
	// keeps them from being made on a state that is not the newest.
	Exclusive bool
	// SnapshotsAtOnce is how many snapshots are saved at a time, beside the writing;
	// 4. One that finds no room is taken after a later event.
	SnapshotsAtOnce int

	// Topic a message goes to (without the tenant's prefix); its type where nil.
	Topic func(event.Event) string
	// Clock is time.Now where nil.
	Clock func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// Metrics receives counters and gauges named pabal_entity_…; none where nil.
	Metrics *metrics.Set
}

// Backoff doubles from Min to Max; a quarter of each pause is random.
type Backoff struct{ Min, Max time.Duration }

func (b Backoff) after(failures int) time.Duration {
	d := b.Min
	for i := 1; i < failures && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d - time.Duration(rand.Float64()*float64(d/4))
}

func (c Config) validate() error {
	switch {
	case c.MailboxSize < 0 || c.MaxPending < 0 || c.MaxLive < 0 || c.MaxLiveBytes < 0 || c.ConflictRetries < 0 || c.SnapshotsAtOnce < 0:
		return fmt.Errorf("%w: a count or a bound is negative", ErrConfig)
	case c.RecoveryTimeout < 0 || c.Backoff.Min < 0 || c.Backoff.Max < 0:
		return fmt.Errorf("%w: a duration is negative", ErrConfig)
	}
	return nil
}

func (c Config) withDefaults(entityType string) Config {
	setDefault(&c.MailboxSize, 1000)
	setDefault(&c.MaxPending, 100_000)
	setDefault(&c.IdleTimeout, 2*time.Minute)
	setDefault(&c.MaxLive, 100_000)
	setDefault(&c.RecoveryTimeout, 30*time.Second)
	setDefault(&c.Backoff.Min, time.Second)
	setDefault(&c.Backoff.Max, time.Minute)
	c.Backoff.Max = max(c.Backoff.Max, c.Backoff.Min)
	setDefault(&c.ConflictRetries, 16)
	setDefault(&c.SnapshotsAtOnce, 4)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("entity_type", entityType)
	return c
}

func setDefault[N int | time.Duration](n *N, value N) {
	if *n == 0 {
		*n = value
	}
}
