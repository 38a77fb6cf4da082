package outbox

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// RelayConfig says how a Relay works. Its zero value is good.
type RelayConfig struct {
	// Name of the outbox in logs and metrics; "outbox" by default.
	Name string
	// Source is the CloudEvents source of events that have none; "/pabal" by
	// default.
	Source string
	// KeepHistory is how long published rows are kept, as COMPLETED, for
	// RepublishSince and for people. 0 deletes them. A Cleaner with the same
	// setting removes them when their time is over.
	KeepHistory time.Duration
	// BatchRows and BatchBytes (of payload) bound one Kafka transaction; 5,000
	// (at most 10,000) and 4 MiB by default. A single larger row goes alone.
	BatchRows  int
	BatchBytes int64
	// PollInterval is how often the outbox is looked at where no wake-up
	// comes; 1 s by default.
	PollInterval time.Duration
	// InitialDelay is waited before the first row is read.
	InitialDelay time.Duration
	// DeadLetterTopic (without prefix) takes events that Kafka refused
	// MaxAttempts times; "outbox.dead-letters" by default. It is created where
	// it is missing.
	DeadLetterTopic string
	// MaxAttempts is how often Kafka may refuse a row, as too large or
	// invalid, until it is FAILED; 5 by default.
	MaxAttempts int
	// Backoff between those; 200 ms to 1 min by default.
	Backoff Backoff
	// TopicBackoff is the one of a topic that is unknown or not allowed;
	// 250 ms to 30 s by default.
	TopicBackoff Backoff
	// LeaseTTL is how soon a standby relay takes over from one that died; 10 s
	// by default.
	LeaseTTL time.Duration
	// Holder names this relay in the lease; host, process and a random number
	// by default. A restarted relay with the Holder of the one that died takes
	// over at once; two relays that run must not share one.
	Holder string
	// Logger; slog.Default() where nil.
	Logger *slog.Logger
	// Metrics takes the relay's figures; none where nil.
	Metrics *metrics.Set
}

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("outbox configuration")

const maxBatchRows = 10_000

func (c RelayConfig) withDefaults() (RelayConfig, error) {
	c.Name = cmp.Or(c.Name, "outbox")
	c.Source = cmp.Or(c.Source, "/pabal")
	c.BatchRows = cmp.Or(c.BatchRows, 5000)
	c.BatchBytes = cmp.Or(c.BatchBytes, 4<<20)
	c.PollInterval = cmp.Or(c.PollInterval, time.Second)
	c.DeadLetterTopic = cmp.Or(c.DeadLetterTopic, "outbox.dead-letters")
	c.MaxAttempts = cmp.Or(c.MaxAttempts, 5)
	c.LeaseTTL = cmp.Or(c.LeaseTTL, 10*time.Second)
	c.Backoff = c.Backoff.orDefault(200*time.Millisecond, time.Minute)
	c.TopicBackoff = c.TopicBackoff.orDefault(250*time.Millisecond, 30*time.Second)
	if c.Holder == "" {
		c.Holder = randomHolder()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("outbox", c.Name)
	return c, c.validate()
}

func (c RelayConfig) validate() error {
	switch {
	case c.BatchRows < 1 || c.BatchRows > maxBatchRows:
		return fmt.Errorf("%w: BatchRows is %d, 1 to %d are allowed", ErrConfig, c.BatchRows, maxBatchRows)
	case c.BatchBytes < 1:
		return fmt.Errorf("%w: BatchBytes is %d", ErrConfig, c.BatchBytes)
	case c.PollInterval < 0 || c.InitialDelay < 0 || c.KeepHistory < 0:
		return fmt.Errorf("%w: a duration is negative", ErrConfig)
	case c.MaxAttempts < 1:
		return fmt.Errorf("%w: MaxAttempts is %d", ErrConfig, c.MaxAttempts)
	case c.LeaseTTL < time.Second:
		return fmt.Errorf("%w: LeaseTTL is %s, at least 1 s is needed", ErrConfig, c.LeaseTTL)
	}
	return nil
}

func randomHolder() string {
	var b [4]byte
	_, _ = rand.Read(b[:])
	host, _ := os.Hostname()
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(b[:]))
}
