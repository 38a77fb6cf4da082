package connect

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/kafka"
)

// Config of a worker. Kafka, ID and Plugins are required.
type Config struct {
	Kafka kafka.Config
	// ID is shown as worker_id. No other process of the group, at any time, may have it: workers
	// work out by it who does what.
	ID string
	// Group of workers that share the connectors; "connect-cluster" by default. It begins the
	// transactional ids of tasks.
	Group string
	// ConfigTopic, OffsetTopic and StatusTopic hold the state of the group, in Kafka Connect's
	// formats: connect-configs, connect-offsets and connect-status by default.
	ConfigTopic, OffsetTopic, StatusTopic string
	Plugins                               plugin.Set
	// Converters are settings for connectors that have none of their own, such as
	// "key.converter", "value.converter.schemas.enable". JSON with schemas by default.
	Converters map[string]string
	// AtLeastOnce writes a source's offset after its records instead of with them.
	AtLeastOnce bool
	// TaskBytes bounds what the queues of one task hold, at its source and at its producer; 32 MiB
	// by default for each.
	TaskBytes int64
	// SessionTimeout after which a silent worker's tasks move; 10 s by default.
	SessionTimeout time.Duration
	// Logger and Metrics are the process's defaults where nil.
	Logger  *slog.Logger
	Metrics *metrics.Set
}

// ErrConfig is wrapped by errors about a worker's Config.
var ErrConfig = errors.New("connect: configuration")

func (c *Config) complete() error {
	if c.ID == "" {
		return fmt.Errorf("%w: the worker needs an ID, such as the host:port of its REST API", ErrConfig)
	}
	if err := c.Kafka.Validate(); err != nil {
		return err
	}
	for text, byDefault := range map[*string]string{
		&c.Group: "connect-cluster", &c.ConfigTopic: "connect-configs", &c.OffsetTopic: "connect-offsets", &c.StatusTopic: "connect-status",
	} {
		if *text == "" {
			*text = byDefault
		}
	}
	if c.TaskBytes == 0 {
		c.TaskBytes = 32 << 20
	}
	if c.SessionTimeout == 0 {
		c.SessionTimeout = 10 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = metrics.NewSet()
	}
	return nil
}

// The topics of the group, as Kafka Connect makes them.
const (
	offsetPartitions = 25
	statusPartitions = 5
)

func (c *Config) topic(name string, partitions int32) kafka.Topic {
	return kafka.Topic{Name: name, Partitions: partitions, Config: kafka.Compacted()}
}
