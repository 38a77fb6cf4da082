package inbox

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/pabal-dev/pabal/event"
)

// Config says what a Consumer handles and how. Name and one of Topics and Groups
// are required; zero values of the rest are the defaults named.
type Config[T Tx] struct {
	// Name of the consumer: its group in Kafka (with the cluster's prefix) and
	// its marks in the database. Letters, digits, '.', '_' and '-'.
	Name string
	// Topics maps a topic (without the prefix) to what handles its messages.
	Topics map[string]Handler[T]
	// Groups maps other topics to what handles many of their messages at a time.
	Groups map[string]GroupHandler[T]
	// Foreign reads records without CloudEvents headers, such as a connector's, by topic.
	// Where a topic has no reader, they are dead letters.
	Foreign map[string]Reader

	// BatchSize is how many messages a transaction takes at most; 200.
	BatchSize int
	// Lanes is how many transactions a partition may have at a time; each has
	// its own keys. 4, or 1 where the store says that it has a single writer.
	Lanes int
	// Attempts is how often a message is tried before it becomes a dead
	// letter; 5.
	Attempts int
	// Backoff is the pause between attempts, and between repetitions of what
	// the database refused.
	Backoff Backoff
	// AfterDeadLetter says what becomes of later messages of its key.
	AfterDeadLetter AfterDeadLetter
	// DeadLetterTopic (without the prefix) is Name + ".dead-letters".
	DeadLetterTopic string
	// MaxDeadLetterBytes bounds key, value and headers of a dead letter; a
	// larger value is replaced by where it came from. 960 KiB, which fits into
	// Kafka's default of 1 MiB.
	MaxDeadLetterBytes int

	// MaxWaitingBytes bounds what waits in the database per partition; a
	// partition that reaches it takes no new messages until some left. 64 MiB.
	MaxWaitingBytes int64
	// MaxBufferedBytes bounds what was fetched and not handled yet, per
	// partition; 16 MiB.
	MaxBufferedBytes int64

	// StartAt is where a partition begins that was never claimed before.
	StartAt StartAt
	// InstanceID makes the consumer a static member of its group: a restart
	// within SessionTimeout moves no partitions. Stop does not leave the group
	// then. Unique within the group; empty means a dynamic member.
	InstanceID string
	// SessionTimeout is after how long without a heartbeat Kafka gives the
	// partitions to others; 45 s.
	SessionTimeout time.Duration
	// OffsetCopyInterval is how often the offsets are copied to the group, for
	// tools; 5 s. They are never read.
	OffsetCopyInterval time.Duration
	// CheckInterval is how often an idle lane looks whether its partition was
	// claimed again (by Release, StartReplay or another process), and moves
	// its offset over other lanes' messages; 2 s.
	CheckInterval time.Duration

	// Logger is slog.Default() where nil.
	Logger *slog.Logger
	// Metrics receives counters and gauges named pabal_inbox_…; none where nil.
	Metrics *metrics.Set
}

// Reader makes a message of a record that has no CloudEvents headers. It gets what there
// is (Key, Payload, Headers, and the record's timestamp as Time) and returns it with ID, by
// which the message is handled once, and Type; Source is the topic where it stays empty. Key
// and Payload stay as they are. An error makes the record a dead letter.
type Reader func(e event.Event) (event.Event, error)

// AfterDeadLetter is what a key does after one of its messages became a dead
// letter.
type AfterDeadLetter int

const (
	// Continue with the key's next message.
	Continue AfterDeadLetter = iota
	// Park the key: its messages wait until Admin.Release.
	Park
)

// StartAt is where to begin without a stored offset.
type StartAt int

const (
	// Earliest begins with the oldest record Kafka still has.
	Earliest StartAt = iota
	// Latest begins with the first record after the claim.
	Latest
)

// Backoff doubles from Min to Max; half of each pause is random.
type Backoff struct {
	// Min is 100 ms where zero, Max 30 s.
	Min, Max time.Duration
}

// delay is the pause after that many failures; random is in [0, 1).
func (b Backoff) delay(failures int, random float64) time.Duration {
	d := b.Min
	for i := 1; i < failures && d < b.Max; i++ {
		d *= 2
	}
	d = min(d, b.Max)
	return d/2 + time.Duration(random*float64(d/2))
}

func (b Backoff) after(failures int) time.Duration { return b.delay(failures, rand.Float64()) }

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("inbox configuration")

func (c Config[T]) validate() error {
	switch {
	case !validName(c.Name):
		return fmt.Errorf("%w: name %q: it needs 1 to 200 letters, digits, '.', '_' or '-'", ErrConfig, c.Name)
	case len(c.Topics)+len(c.Groups) == 0:
		return fmt.Errorf("%w: consumer %s has no topics", ErrConfig, c.Name)
	case c.BatchSize < 0 || c.Lanes < 0 || c.Attempts < 0 || c.MaxDeadLetterBytes < 0 || c.MaxWaitingBytes < 0 || c.MaxBufferedBytes < 0:
		return fmt.Errorf("%w: consumer %s: a count or a bound is negative", ErrConfig, c.Name)
	case c.Backoff.Min < 0 || c.Backoff.Max < 0 || c.SessionTimeout < 0 || c.OffsetCopyInterval < 0 || c.CheckInterval < 0:
		return fmt.Errorf("%w: consumer %s: a duration is negative", ErrConfig, c.Name)
	case c.DeadLetterTopic != "" && !validName(c.DeadLetterTopic):
		return fmt.Errorf("%w: consumer %s: dead letter topic %q", ErrConfig, c.Name, c.DeadLetterTopic)
	}
	for topic := range c.topics() {
		one, group := c.Topics[topic], c.Groups[topic]
		switch {
		case !validName(topic):
			return fmt.Errorf("%w: consumer %s: topic %q", ErrConfig, c.Name, topic)
		case one == nil && group == nil:
			return fmt.Errorf("%w: consumer %s: topic %s has no handler", ErrConfig, c.Name, topic)
		case one != nil && group != nil:
			return fmt.Errorf("%w: consumer %s: topic %s is in Topics and in Groups", ErrConfig, c.Name, topic)
		}
	}
	return nil
}

// topics of both kinds; one that is in both comes twice.
func (c Config[T]) topics() iter.Seq[string] {
	return func(yield func(string) bool) {
		for topic := range c.Topics {
			if !yield(topic) {
				return
			}
		}
		for topic := range c.Groups {
			if !yield(topic) {
				return
			}
		}
	}
}

func validName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return name != "" && len(name) <= 200 && !strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune(allowed, r)
	})
}

func (c Config[T]) withDefaults(singleWriter bool) Config[T] {
	lanes := 4
	if singleWriter {
		lanes = 1
	}
	setDefault(&c.BatchSize, 200)
	setDefault(&c.Lanes, lanes)
	setDefault(&c.Attempts, 5)
	setDefault(&c.Backoff.Min, 100*time.Millisecond)
	setDefault(&c.Backoff.Max, 30*time.Second)
	c.Backoff.Max = max(c.Backoff.Max, c.Backoff.Min)
	setDefault(&c.DeadLetterTopic, c.Name+".dead-letters")
	setDefault(&c.MaxDeadLetterBytes, 960<<10)
	setDefault(&c.MaxWaitingBytes, 64<<20)
	setDefault(&c.MaxBufferedBytes, 16<<20)
	setDefault(&c.SessionTimeout, 45*time.Second)
	setDefault(&c.OffsetCopyInterval, 5*time.Second)
	setDefault(&c.CheckInterval, 2*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("consumer", c.Name)
	return c
}

func setDefault[V comparable](field *V, value V) {
	var zero V
	if *field == zero {
		*field = value
	}
}
