package service

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka"
)

// Config says where a service finds its surroundings. Kafka.Brokers and, but of a
// Definition with NoDatabase, Database are required; the zero value of the rest is the
// default named.
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
	// Topics name topics otherwise, by their standard names, without the prefix; the
	// services of a system must agree on them. Those that this one does not use make
	// no difference.
	Topics map[string]string
	// Partitions of topics that do not exist yet; 4.
	Partitions int32
	// Group is the consumer's name and Kafka group; the definition's.
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
	// AdminToken must come with requests to /admin, where people and consoles look
	// into the service. Without one it is served on a loopback address only.
	AdminToken string
	// Advertise is the host:port at which consoles reach the service; where it
	// listens on all addresses, the host's name and the port.
	Advertise string
	// Version of the service, shown to people; that of the program.
	Version string
	// Codec is what events are written in, CodecJSON or CodecAvro; the definition's where Registry is
	// given, else JSON. Both are read, whatever it is.
	Codec string
	// Registry is the URLs of instances of one schema registry, such as http://127.0.0.1:8081; a user
	// and a password may be in them. Without one, Avro can neither be written nor read.
	Registry []string
	// RegistryCache is a file that keeps what is known of the registry, so that the service starts
	// while that is away; none where empty. Each process has its own.
	RegistryCache string
	// Outbox says how messages get out of the database: OutboxRelay, which is the default,
	// OutboxCDC or OutboxCDCMessage.
	Outbox string
	// OutboxSlot is the replication slot of the connector that publishes the outbox, for
	// OutboxCDC and OutboxCDCMessage on PostgreSQL: "pabal_" and Schema.
	OutboxSlot string
	// OutboxHistory is how long published messages are kept as COMPLETED; 1 h,
	// none where negative.
	OutboxHistory time.Duration
	// InboxHistory is how long handled messages are remembered; 7 days.
	InboxHistory time.Duration
	// PollInterval is how often the outbox is looked at where no wake-up came;
	// 1 s. PollDelay is waited before the first time.
	PollInterval, PollDelay time.Duration
	// Durations are settings of the definition, by name; its defaults.
	Durations map[string]time.Duration
	// Texts are settings of the definition, by name; empty.
	Texts map[string]string
	// Clock tells the service's own time, for tests; time.Now.
	Clock func() time.Time
	// Logger is slog.Default() where nil.
	Logger *slog.Logger
}

// The ways out of the outbox.
const (
	// OutboxRelay publishes them from the service.
	OutboxRelay = "relay"
	// OutboxCDC leaves them to a connector for change data capture: the service runs no
	// relay, and removes what the connector has published.
	OutboxCDC = "cdc"
	// OutboxCDCMessage is OutboxCDC without rows, on PostgreSQL: messages are written to its log only.
	OutboxCDCMessage = "cdc-message"
)

// ErrConfig is wrapped by every error about a setting.
var ErrConfig = errors.New("configuration")

func (c Config) withDefaults(d Definition) (Config, error) {
	c.Listen = cmp.Or(c.Listen, fmt.Sprintf("127.0.0.1:%d", d.Port))
	c.Schema = cmp.Or(c.Schema, d.Name)
	c.Partitions = cmp.Or(c.Partitions, kafka.DefaultPartitions)
	c.Group = cmp.Or(c.Group, d.group())
	c.DeadLetters = cmp.Or(c.DeadLetters, c.Group+".dead-letters")
	c.OutboxDeadLetters = cmp.Or(c.OutboxDeadLetters, d.Name+".outbox.dead-letters")
	c.Outbox = cmp.Or(c.Outbox, OutboxRelay)
	if len(c.Registry) > 0 {
		c.Codec = cmp.Or(c.Codec, d.codec())
	}
	c.Codec = cmp.Or(c.Codec, CodecJSON)
	c.OutboxSlot = cmp.Or(c.OutboxSlot, "pabal_"+c.Schema)
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
	if c.Version == "" {
		c.Version = programVersion()
	}
	return c, c.validate(d)
}

func (c Config) validate(d Definition) error {
	switch {
	case c.Database == "" && !d.NoDatabase:
		return fmt.Errorf("%w: no database given", ErrConfig)
	case c.Codec != CodecJSON && c.Codec != CodecAvro:
		return fmt.Errorf("%w: events cannot be written in %q, use %s or %s", ErrConfig, c.Codec, CodecJSON, CodecAvro)
	case c.Codec == CodecAvro && len(c.Registry) == 0:
		return fmt.Errorf("%w: Avro needs a schema registry; say where one is, or use %s", ErrConfig, CodecJSON)
	case c.Outbox != OutboxRelay && c.Outbox != OutboxCDC && c.Outbox != OutboxCDCMessage:
		return fmt.Errorf("%w: the outbox's way out is %q, use %s, %s or %s", ErrConfig, c.Outbox, OutboxRelay, OutboxCDC, OutboxCDCMessage)
	case c.Outbox == OutboxCDCMessage && !d.NoDatabase && !strings.HasPrefix(c.Database, "postgres"):
		return fmt.Errorf("%w: only PostgreSQL has an outbox without rows; give another database, or --outbox %s", ErrConfig, OutboxRelay)
	case c.Outbox == OutboxCDC && !d.NoDatabase && strings.HasPrefix(c.Database, "sqlite:"):
		return fmt.Errorf("%w: change data capture reads the log of PostgreSQL or MongoDB, and SQLite has none; give another database, or --outbox %s", ErrConfig, OutboxRelay)
	case c.Partitions < 0:
		return fmt.Errorf("%w: %d partitions", ErrConfig, c.Partitions)
	case c.Advertise != "" && !isHostPort(c.Advertise):
		return fmt.Errorf("%w: advertised address %q is not host:port", ErrConfig, c.Advertise)
	case c.InboxHistory < 0 || c.PollInterval < 0 || c.PollDelay < 0:
		return fmt.Errorf("%w: a duration is negative", ErrConfig)
	}
	for name, value := range c.Durations {
		known := slices.ContainsFunc(d.Durations, func(d Duration) bool { return d.Name == name })
		switch {
		case !known:
			return fmt.Errorf("%w: there is no duration %q", ErrConfig, name)
		case value <= 0:
			return fmt.Errorf("%w: %s is %s, not above 0", ErrConfig, name, value)
		}
	}
	for name := range c.Texts {
		if !slices.ContainsFunc(d.Texts, func(t Text) bool { return t.Name == name }) {
			return fmt.Errorf("%w: there is no setting %q", ErrConfig, name)
		}
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
