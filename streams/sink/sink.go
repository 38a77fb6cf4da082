// Package sink keeps a copy of a table in another system: it reads the table's changelog, or
// the topic that a sourced table is read from, and has a Target make each key's latest value,
// or delete it for a tombstone. A Sink runs beside the application that fills the
// topic, or anywhere else.
//
// The Target keeps, in one atomic step with the changes, how far each partition was
// applied. So nothing is lost, skipped or applied out of order, whatever restarts; two
// processes that have a partition for a moment disturb each other for no longer; and a target
// that has lost its contents, or went back to older ones, is filled again from where it
// stands, without being told. That is looked at about every second. So is whether the topic was
// made anew: then all of it is applied.
//
// Nothing tells of a deletion that compaction has removed from the topic. A target that has not
// been up to date for delete.retention.ms (a day by default), or that lost its positions but
// not its rows, may keep rows that were deleted meanwhile: empty it, with its positions,
// and it is filled again.
//
// Sinks with the same Name share the partitions.
//
// Use it for copies that others read: caches, tables of a database. For queries within
// Go programs see streams.WaitStore, which needs no copy.
package sink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/kafka"
)

// ErrMoved is what Target.Apply returns, wrapped or not, where the position stored is not
// Batch.From: another process was there, or the target has lost it. Nothing was changed.
var ErrMoved = errors.New("the target stands elsewhere")

// Target is the other system. It is used by several goroutines, each with other partitions.
type Target interface {
	// Positions returns which offset of each partition of the topic comes next. Those of
	// which nothing is stored are left out.
	Positions(ctx context.Context, sink, topic string, partitions []int32) (map[int32]int64, error)
	// Apply makes the changes and stores Batch.To in one atomic step, if what is stored is
	// Batch.From, else ErrMoved. After any other error it may have happened or not; it
	// is tried again.
	Apply(ctx context.Context, b Batch) error
}

// None as a position: nothing is stored.
const None = -1

// Batch of one partition.
type Batch struct {
	// Sink is Config.Name. Topic is a name for the topic that one which is made anew under the
	// same name has not: the full name, a space and Kafka's id.
	Sink, Topic string
	Partition   int32
	// From is the position that must be stored, None for no one; To the one that comes to be.
	From, To int64
	// Changes in order of offsets, each key once, with its last value. There may be none.
	Changes []Change
}

// Change is a key's value.
type Change struct {
	Key []byte
	// Value is nil where the key is deleted.
	Value     []byte
	Timestamp time.Time
	Offset    int64
}

// Config of a Sink.
type Config struct {
	// Name is the consumer group, and tells the positions of several sinks in a target apart.
	Name  string
	Kafka kafka.Config
	// Topic, the local name: see streams.Topology.Changelog.
	Topic string
	// Render makes what is stored of a record's key and value; nil stores their bytes. keep
	// false leaves the record out. It is called by several goroutines.
	Render func(c Change) (rendered Change, keep bool, err error)
	// Skip says whether to go on without a record that Render fails for; nil never does: the
	// partition waits then, and Health names the record. It is asked again where a step is
	// made again.
	Skip func(partition int32, c Change, err error) bool
	// BatchSize is the most changes of one step, 1,000. FetchBytes bounds what is read ahead,
	// 8 MiB (0); what a batch takes comes in addition.
	BatchSize  int
	FetchBytes int32
	// CheckInterval is how often it is looked whether the target stands where it was left; 1 s.
	CheckInterval time.Duration
	// Timeout of one step in the target, 10 s. Backoff is how long to wait after a failure:
	// from 50 ms to 5 s unless MaxBackoff is less.
	Timeout, MaxBackoff time.Duration
	// InstanceID makes the process a static member of the consumer group: one that is back
	// within SessionTimeout, be it killed, has its partitions at once. Each process needs
	// its own; "" is dynamic.
	InstanceID string
	// SessionTimeout of the consumer group, 45 s.
	SessionTimeout time.Duration
	Logger         *slog.Logger
	// Metrics gets counters and gauges; nil is none.
	Metrics *metrics.Set
}

// ErrConfig is wrapped by every error about a Config.
var ErrConfig = errors.New("sink configuration")

func (c Config) validate() (Config, error) {
	var problems []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			problems = append(problems, fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...))
		}
	}
	wrong(c.Name == "", "Name is required")
	wrong(c.Topic == "", "Topic is required: of a table's changelog see streams.Topology.Changelog")
	if err := c.Kafka.Validate(); err != nil {
		problems = append(problems, err)
	}
	wrong(c.BatchSize < 0 || c.FetchBytes < 0, "BatchSize or FetchBytes is negative")
	for name, d := range map[string]time.Duration{"CheckInterval": c.CheckInterval, "Timeout": c.Timeout, "MaxBackoff": c.MaxBackoff, "SessionTimeout": c.SessionTimeout} {
		wrong(d < 0, "%s is negative", name)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	set(&c.BatchSize, 1000)
	set(&c.FetchBytes, 8<<20)
	set(&c.CheckInterval, time.Second)
	set(&c.Timeout, 10*time.Second)
	set(&c.MaxBackoff, 5*time.Second)
	set(&c.SessionTimeout, 45*time.Second)
	return c, errors.Join(problems...)
}

func set[T comparable](to *T, value T) {
	var zero T
	if *to == zero {
		*to = value
	}
}
