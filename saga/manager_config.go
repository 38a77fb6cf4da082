package saga

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/outbox"
)

// Config of a Manager. Definitions is required; zero values of the rest are the
// defaults named.
type Config[T Tx, S any] struct {
	// Definitions are the versions of one saga: new ones take the highest, running
	// ones finish on theirs.
	Definitions []Definition[S]
	// Changed, where set, sees what changed in the same transaction, once for all of
	// its changes, in their order: to keep a view of the sagas, for example. The
	// messages it returns are sent after those of the decisions. It must not wait for
	// anything but the database; an error rolls back.
	Changed func(ctx context.Context, tx T, changes []Change[S]) ([]outbox.Message, error)

	// PollInterval is how often due timers are looked for at least, and so how late a
	// timer may fire that is shorter; 200 ms.
	PollInterval time.Duration
	// TimerBatch is how many sagas one transaction of timers takes at most; 500. Fewer
	// where their states are large.
	TimerBatch int
	// Workers is how many transactions of timers this process has at a time; 1.
	Workers int
	// Backoff is the pause before a saga is tried again whose timer cannot be decided,
	// and between repetitions of what the database refused; 1 s to 1 min.
	Backoff outbox.Backoff
	// MaxStateBytes bounds what one saga stores, in bytes; 1 MiB. A decision beyond
	// it is an error. A transaction of the inbox has at most its BatchSize of them in
	// memory.
	MaxStateBytes int

	// Retention is how long ended sagas are kept; 30 days, negative: for ever. An event
	// that is older begins no choreographed saga: by its Time, so Clock must be near it.
	Retention time.Duration
	// CleanInterval is the pause between two cleanings; 1 minute.
	CleanInterval time.Duration

	// Clock is time.Now where nil.
	Clock func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// Metrics receives counters and a histogram named pabal_saga_…; none where nil.
	Metrics *metrics.Set
}

// Change of a saga by one input.
type Change[S any] struct {
	// Before is the state before; BeforeStatus is "" where the saga is fresh.
	Before       S
	BeforeStatus Status
	// After it. Changes of one saga in one transaction share a revision.
	After Instance[S]
	// Cause is the message, zero where none was.
	Cause event.Event
	// Entries that the timeline gained.
	Entries []Entry
}

func (c Config[T, S]) validate() error {
	if len(c.Definitions) == 0 {
		return fmt.Errorf("%w: there is no definition", ErrConfig)
	}
	var all []error
	first := c.Definitions[0]
	seen := map[int]bool{}
	for _, d := range c.Definitions {
		if err := d.Validate(); err != nil {
			all = append(all, err)
		}
		if d.Name != first.Name {
			all = append(all, fmt.Errorf("%w: definitions %q and %q: a manager has the versions of one saga", ErrConfig, first.Name, d.Name))
		}
		if d.choreographed != first.choreographed {
			all = append(all, fmt.Errorf("%w: saga %s: one version is choreographed, another is not: give it another name", ErrConfig, d.Name))
		}
		if seen[d.version()] {
			all = append(all, fmt.Errorf("%w: saga %s: two definitions have version %d", ErrConfig, d.Name, d.version()))
		}
		seen[d.version()] = true
	}
	if c.PollInterval < 0 || c.CleanInterval < 0 || c.Backoff.Min < 0 || c.Backoff.Max < 0 {
		all = append(all, fmt.Errorf("%w: saga %s: a duration is negative", ErrConfig, first.Name))
	}
	if c.TimerBatch < 0 || c.Workers < 0 || c.MaxStateBytes < 0 {
		all = append(all, fmt.Errorf("%w: saga %s: a count or a bound is negative", ErrConfig, first.Name))
	}
	return errors.Join(all...)
}

func (c Config[T, S]) withDefaults() Config[T, S] {
	setDefault(&c.PollInterval, 200*time.Millisecond)
	setDefault(&c.TimerBatch, 500)
	setDefault(&c.Workers, 1)
	setDefault(&c.Backoff.Min, time.Second)
	setDefault(&c.Backoff.Max, time.Minute)
	c.Backoff.Max = max(c.Backoff.Max, c.Backoff.Min)
	setDefault(&c.MaxStateBytes, 1<<20)
	setDefault(&c.Retention, 30*24*time.Hour)
	setDefault(&c.CleanInterval, time.Minute)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("saga", c.Definitions[0].Name)
	c.Definitions = slices.Clone(c.Definitions)
	for i := range c.Definitions {
		c.Definitions[i].Version = c.Definitions[i].version()
	}
	slices.SortFunc(c.Definitions, func(a, b Definition[S]) int { return cmp.Compare(b.Version, a.Version) })
	return c
}

func setDefault[V comparable](field *V, value V) {
	var zero V
	if *field == zero {
		*field = value
	}
}
