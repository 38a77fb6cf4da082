package projection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/journal"
	"github.com/pabal-dev/pabal/outbox"
)

// Handler applies one event within the transaction that also stores its offset:
// exactly once. It must not wait for anything but the database. An error rolls its
// effects back, see Config.OnFailure.
type Handler[T Tx] func(ctx context.Context, tx T, e Envelope) error

// GroupHandler applies a group of events, in their order, as Handler does one. A
// group that fails is redone in smaller ones, down to one event.
type GroupHandler[T Tx] func(ctx context.Context, tx T, es []Envelope) error

// OutsideHandler applies a group of events somewhere else than in the offsets'
// database, at least once: offsets are stored after it has returned, and what it
// did may have to be done again. A group that fails is redone in smaller ones, unless
// the error wraps ErrUnavailable. Into makes one for a read model.
type OutsideHandler func(ctx context.Context, es []Envelope) error

// Config says what a Projection handles and how. Name and one of Handler, Grouped
// and Outside are required; zero values of the rest are the defaults named.
type Config[T Tx] struct {
	// Name under which offsets are kept. Letters, digits, '.', '_' and '-'.
	Name string
	// Query chooses the events: Kind, EntityType and Tag of it.
	Query journal.Query
	// Registry decodes the payloads into Envelope.Value; where nil, handlers do so.
	// An event that it cannot decode stops its slice range whatever OnFailure says:
	// it is the service that has to learn the type.
	Registry *journal.Registry

	Handler Handler[T]
	Grouped GroupHandler[T]
	Outside OutsideHandler

	// BatchSize is how many events a transaction takes with Handler; 200.
	BatchSize int
	// GroupSize is how many events a group has at most; 1,000.
	GroupSize int
	// GroupWindow is how long a group that is not full waits for more events; where
	// zero, a group is what is there.
	GroupWindow time.Duration

	// OnFailure says what becomes of an event whose handler failed alone.
	OnFailure Strategy
	// Retries after the first attempt, where OnFailure retries; 3.
	Retries int
	// Backoff between retries, and between repetitions of what the database refused;
	// 100 ms to 10 s.
	Backoff outbox.Backoff
	// Restart is after how long a slice range that stopped tries again; 30 s.
	Restart time.Duration
	// DeadLetterTopic gets the events that are skipped, through the outbox, in the
	// transaction that stores their offsets; none where empty.
	DeadLetterTopic string

	// Workers is how many slice ranges this process has when all processes of the
	// projection share the slices; 1. Each asks the database on every wake-up: more
	// pay where handlers are slow.
	Workers int
	// Slices are this process's ranges where they are not shared.
	Slices []journal.SliceRange
	// Tables of the view, for Rebuild. The handler must use Envelope.Table for all of
	// them.
	Tables []string

	// PollInterval is how often events are looked for without a wake-up; 1 s, of
	// which a part is random.
	PollInterval time.Duration
	// BeatInterval is how often workers tell each other that they are alive; 1 s. One
	// that did not for five times as long is not any more.
	BeatInterval time.Duration
	// Start is where a projection begins that has no offsets; nil is the first event.
	Start journal.Cursor

	// Clock is time.Now where nil.
	Clock func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// Metrics receives counters and gauges named pabal_projection_…; none where nil.
	Metrics *metrics.Set
}

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("projection configuration")

func (c Config[T]) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: projection %s: %s", ErrConfig, c.Name, fmt.Sprintf(format, args...))
	}
	switch {
	case !validName(c.Name):
		return fmt.Errorf("%w: name %q: it needs 1 to 200 letters, digits, '.', '_' or '-'", ErrConfig, c.Name)
	case c.handlers() != 1:
		return bad("exactly one of Handler, Grouped and Outside must be set")
	case c.Query.Kind != journal.Events && c.Query.Kind != journal.States:
		return bad("query of unknown kind %d", c.Query.Kind)
	case c.Query.Slices != journal.SliceRange{} || c.Query.After != nil || c.Query.Limit != 0:
		return bad("of Query only Kind, EntityType and Tag may be set")
	case c.BatchSize < 0 || c.GroupSize < 0 || c.Retries < 0 || c.Workers < 0:
		return bad("a count is negative")
	case c.GroupWindow < 0 || c.Restart < 0 || c.PollInterval < 0 || c.BeatInterval < 0 || c.Backoff.Min < 0 || c.Backoff.Max < 0:
		return bad("a duration is negative")
	case c.OnFailure < Fail || c.OnFailure > RetryAndSkip:
		return bad("unknown strategy %d", c.OnFailure)
	case c.DeadLetterTopic != "" && !validName(c.DeadLetterTopic):
		return bad("dead letter topic %q", c.DeadLetterTopic)
	case c.Workers > 0 && len(c.Slices) > 0:
		return bad("Workers and Slices exclude each other")
	case c.Workers > journal.Slices:
		return bad("%d workers, there are %d slices", c.Workers, journal.Slices)
	case len(c.Tables) > 0 && c.Outside != nil:
		return bad("a view outside the database cannot be rebuilt by its Tables")
	}
	for i, r := range c.Slices {
		if err := r.Validate(); err != nil {
			return bad("%v", err)
		}
		for _, other := range c.Slices[:i] {
			if r.Overlaps(other) {
				return bad("slices %s and %s overlap", r, other)
			}
		}
	}
	return nil
}

func (c Config[T]) handlers() (n int) {
	for _, set := range []bool{c.Handler != nil, c.Grouped != nil, c.Outside != nil} {
		if set {
			n++
		}
	}
	return n
}

func validName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return name != "" && len(name) <= 200 && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune(allowed, r)
	})
}

func (c Config[T]) withDefaults() Config[T] {
	setDefault(&c.BatchSize, 200)
	setDefault(&c.GroupSize, 1000)
	setDefault(&c.Retries, 3)
	setDefault(&c.Backoff.Min, 100*time.Millisecond)
	setDefault(&c.Backoff.Max, 10*time.Second)
	c.Backoff.Max = max(c.Backoff.Max, c.Backoff.Min)
	setDefault(&c.Restart, 30*time.Second)
	setDefault(&c.Workers, max(1, len(c.Slices)))
	setDefault(&c.PollInterval, time.Second)
	setDefault(&c.BeatInterval, time.Second)
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.Logger = loggerOf(c.Logger, c.Name)
	return c
}

func loggerOf(l *slog.Logger, projection string) *slog.Logger {
	if l == nil {
		l = slog.Default()
	}
	return l.With("projection", projection)
}

func setDefault[V comparable](field *V, value V) {
	var zero V
	if *field == zero {
		*field = value
	}
}

// size is how many events a transaction or a group takes at most.
func (c Config[T]) size() int {
	if c.Handler != nil {
		return c.BatchSize
	}
	return c.GroupSize
}

// source tells whose offsets a projection has.
func (c Config[T]) source() string {
	parts := []string{"events"}
	if c.Query.Kind == journal.States {
		parts[0] = "states"
	}
	if c.Query.EntityType != "" {
		parts = append(parts, "type="+c.Query.EntityType)
	}
	if c.Query.Tag != "" {
		parts = append(parts, "tag="+c.Query.Tag)
	}
	return strings.Join(parts, " ")
}
