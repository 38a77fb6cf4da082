package service

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/kafka"
)

// Config says where a service finds its surroundings. Database and
// Kafka.Brokers are required; the zero value of the rest is the default named.
type Config struct {
	// Listen is the HTTP address; 127.0.0.1 and the definition's port. Port 0
	// takes a free one, see Service.Addr.
	Listen string
	// Database is sqlite:/path/file.db or postgres://user:pass@host/db.
	Database string
	// Schema is PostgreSQL's, made where it is missing; the service's name.
	Schema string
	// Kafka is the cluster. Its prefix stands before every topic and group.
	Kafka kafka.Config
	// Topics are their names without the prefix; those of package message.
	Topics message.Topics
	// Partitions of topics that do not exist yet; 4.
	Partitions int32
	// Group is the consumer's name and Kafka group; the service's name and
	// "-service".
	Group string
	// DeadLetters takes messages that could not be handled; Group and
	// ".dead-letters".
	DeadLetters string
	// OutboxDeadLetters takes messages that Kafka refused; the service's name
	// and ".outbox.dead-letters".
	OutboxDeadLetters string
	// Instance names this process among those of the service. One that is
	// started again under its old name takes over its partitions and its
	// outbox at once. The host's name and Listen; random where Listen has
	// port 0.
	Instance string
	// OutboxHistory is how long published messages are kept as COMPLETED; 1 h,
	// none where negative.
	OutboxHistory time.Duration
	// InboxHistory is how long handled messages are remembered; 7 days.
	InboxHistory time.Duration
	// PollInterval is how often the outbox is looked at where no wake-up came;
	// 1 s. PollDelay is waited before the first time.
	PollInterval, PollDelay time.Duration
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("configuration")

func (c Config) withDefaults(d Definition) (Config, error) {
	c.Listen = cmp.Or(c.Listen, fmt.Sprintf("127.0.0.1:%d", d.Port))
	c.Schema = cmp.Or(c.Schema, d.Name)
	c.Topics = c.Topics.WithDefaults()
	c.Partitions = cmp.Or(c.Partitions, kafka.DefaultPartitions)
	c.Group = cmp.Or(c.Group, d.Name+"-service")
	c.DeadLetters = cmp.Or(c.DeadLetters, c.Group+".dead-letters")
	c.OutboxDeadLetters = cmp.Or(c.OutboxDeadLetters, d.Name+".outbox.dead-letters")
	c.OutboxHistory = max(cmp.Or(c.OutboxHistory, time.Hour), 0)
	c.InboxHistory = cmp.Or(c.InboxHistory, 7*24*time.Hour)
	c.Kafka.ClientID = cmp.Or(c.Kafka.ClientID, d.Name)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = c.Logger.With("service", d.Name)
	if c.Kafka.Logger == nil {
		c.Kafka.Logger = c.Logger
	}
	return c, c.validate()
}

func (c Config) validate() error {
	switch {
	case c.Database == "":
		return fmt.Errorf("%w: no database given", ErrConfig)
	case c.Partitions < 0:
		return fmt.Errorf("%w: %d partitions", ErrConfig, c.Partitions)
	case c.InboxHistory < 0 || c.PollInterval < 0 || c.PollDelay < 0:
		return fmt.Errorf("%w: a duration is negative", ErrConfig)
	}
	if err := c.Kafka.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// instance is the name of this process, "" where none can be stable.
func (c Config) instance(portGiven bool) string {
	if c.Instance != "" || !portGiven {
		return c.Instance
	}
	host, err := os.Hostname()
	if err != nil {
		return ""
	}
	return host + "-" + c.Listen
}
