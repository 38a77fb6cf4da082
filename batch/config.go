package batch

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Config says when a batch is flushed. Zero values are the defaults named.
type Config[T any] struct {
	// Name appears in logs and errors.
	Name string
	// MaxItems of a flush; 100.
	MaxItems int
	// MaxBytes of a flush; 1 MiB. A larger item goes alone.
	MaxBytes int
	// Linger is how long the first item of a batch may wait for the batch to fill; 0
	// flushes as soon as a flush is free.
	Linger time.Duration
	// Size of an item in bytes; where nil, each counts 1 KiB.
	Size func(T) int
	// Key orders items: those with the same one are never in two flushes at a time
	// and keep their order. Those with "", or where Key is nil, have no order
	// between flushes.
	Key func(T) string
	// OnePerKey lets a flush have one item of a key at most; the next one is in the
	// next flush.
	OnePerKey bool
	// MaxPendingBytes bounds what was accepted and has no result yet; 64 MiB.
	MaxPendingBytes int
	// Flushes that run at a time; 1. Each calls the flush function.
	Flushes int

	// InCaller has Do itself flush its item where that is alone and can go at once,
	// which spares two switches between goroutines, some 15 µs. The context of such a
	// flush ends with the caller's, too, and what it returns then is the item's error.
	// It needs Attempts 1.
	InCaller bool

	// Attempts is how often a batch is flushed before the error of the flush is that
	// of each of its items; 0 is for ever, until Stop. The batch stays together,
	// and its keys wait.
	Attempts int
	// Backoff is the pause between attempts.
	Backoff Backoff

	// Clock is RealClock where nil.
	Clock Clock
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// Clock calls f once on a goroutine of its own after d, unless it was cancelled
// before.
type Clock func(d time.Duration, f func()) (cancel func())

// RealClock is time.AfterFunc.
func RealClock(d time.Duration, f func()) (cancel func()) {
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// Backoff doubles from Min to Max; half of each pause is random.
type Backoff struct {
	// Min is 100 ms where zero, Max 10 s.
	Min, Max time.Duration
}

// after is After; random is in [0, 1).
func (b Backoff) after(failures int, random float64) time.Duration {
	d := b.Min
	for i := 1; i < failures && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d/2 + time.Duration(random*float64(d/2))
}

// After is the pause after that many failures, the first being 1.
func (b Backoff) After(failures int) time.Duration { return b.after(failures, rand.Float64()) }

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("batch configuration")

func (c Config[T]) validate() error {
	if c.MaxItems < 0 || c.MaxBytes < 0 || c.MaxPendingBytes < 0 || c.Flushes < 0 || c.Attempts < 0 {
		return fmt.Errorf("%w: %q: a count or a bound is negative", ErrConfig, c.Name)
	}
	if c.Linger < 0 || c.Backoff.Min < 0 || c.Backoff.Max < 0 {
		return fmt.Errorf("%w: %q: a duration is negative", ErrConfig, c.Name)
	}
	if c.InCaller && c.Attempts != 1 {
		return fmt.Errorf("%w: %q: InCaller needs Attempts 1", ErrConfig, c.Name)
	}
	if c.OnePerKey && c.Key == nil {
		return fmt.Errorf("%w: %q: OnePerKey needs a Key", ErrConfig, c.Name)
	}
	return nil
}

func (c Config[T]) withDefaults() Config[T] {
	orDefault(&c.MaxItems, 100)
	orDefault(&c.MaxBytes, 1<<20)
	orDefault(&c.MaxPendingBytes, 64<<20)
	orDefault(&c.Flushes, 1)
	orDefault(&c.Backoff.Min, 100*time.Millisecond)
	orDefault(&c.Backoff.Max, 10*time.Second)
	if c.Backoff.Min > 0 {
		c.Backoff.Max = max(c.Backoff.Min, c.Backoff.Max)
	}
	if c.Size == nil {
		c.Size = func(T) int { return 1 << 10 }
	}
	if c.Key == nil {
		c.Key = func(T) string { return "" }
	}
	if c.Clock == nil {
		c.Clock = RealClock
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func orDefault[N ~int | ~int64](n *N, value N) {
	if *n == 0 {
		*n = value
	}
}
