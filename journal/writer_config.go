package journal

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/batch"
)

// WriterConfig says how writes are grouped. Zero values are the defaults named.
// Bounds hold for events and for states, each.
type WriterConfig struct {
	// MaxWrites of a transaction; 500.
	MaxWrites int
	// MaxBytes of a transaction, by Write.Size; 4 MiB. A larger write goes alone.
	MaxBytes int
	// Linger is how long a write may wait for others; 0 waits for a transaction to
	// be free and no longer.
	Linger time.Duration
	// Groups is how many transactions run at a time; 4, or 1 where the store says
	// that it has a single writer.
	Groups int
	// MaxPendingBytes bounds what was accepted and is not committed; 64 MiB. Writes
	// wait for room.
	MaxPendingBytes int
	// Timeout of a transaction; 30 s. After it the writes are tried again.
	Timeout time.Duration
	// Backoff between attempts; 20 ms to 2 s.
	Backoff batch.Backoff

	// Clock is batch.RealClock where nil.
	Clock batch.Clock
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// Metrics receives counters named pabal_journal_…; none where nil.
	Metrics *metrics.Set
}

// validate checks what batch.Config does not have.
func (c WriterConfig) validate() error {
	if c.Timeout < 0 {
		return fmt.Errorf("%w: journal: Timeout is negative", batch.ErrConfig)
	}
	return nil
}

func (c WriterConfig) withDefaults(store Store) WriterConfig {
	if c.MaxWrites == 0 {
		c.MaxWrites = 500
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 4 << 20
	}
	if c.Groups == 0 {
		c.Groups = 4
		if s, ok := store.(interface{ SingleWriter() bool }); ok && s.SingleWriter() {
			c.Groups = 1
		}
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Backoff.Min == 0 {
		c.Backoff.Min = patience.Min
	}
	if c.Backoff.Max == 0 {
		c.Backoff.Max = max(patience.Max, c.Backoff.Min)
	}
	if c.Clock == nil {
		c.Clock = batch.RealClock
	}
	return c
}

// writerCounters of one table.
type writerCounters struct {
	groups, writes, conflicts, retries, found, unknown counter
}

// counter counts where somebody wants to know.
type counter struct{ metric *metrics.Counter }

func (c counter) add(n int) {
	if c.metric != nil {
		c.metric.Add(n)
	}
}

// showRepeats shows what the store repeats by itself, where it counts that.
func showRepeats(set *metrics.Set, store Store) {
	if s, ok := store.(interface{ Repeats() int64 }); ok && set != nil {
		set.GetOrCreateGauge("pabal_journal_database_repeats_total", func() float64 { return float64(s.Repeats()) })
	}
}

func newWriterCounters(set *metrics.Set, kind string) *writerCounters {
	if set == nil {
		return &writerCounters{}
	}
	of := func(name string) counter {
		return counter{set.GetOrCreateCounter(fmt.Sprintf("pabal_journal_%s_total{kind=%q}", name, kind))}
	}
	return &writerCounters{groups: of("groups"), writes: of("writes"), conflicts: of("conflicts"),
		retries: of("retries"), found: of("lost_answers_found"), unknown: of("unknown")}
}
