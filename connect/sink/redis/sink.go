package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

// Class is the name that configurations give in connector.class.
const Class = "com.redis.kafka.connect.RedisSinkConnector"

// version whose settings these are.
const version = "0.9.1"

// Sink is the sink connector that Redis publishes.
type Sink struct{}

var _ plugin.Sink = Sink{}

// Info implements plugin.Connector.
func (Sink) Info() plugin.Info {
	return plugin.Info{Class: Class, TaskClass: "com.redis.kafka.connect.sink.RedisSinkTask", Version: version, Config: definition}
}

const checkTimeout = 10 * time.Second

// Check implements plugin.Connector: it connects, too.
func (Sink) Check(ctx context.Context, v config.Values, wrong []config.Problem) []config.Problem {
	_, problems := newSettings(v)
	o, more := clientOptions(v)
	problems = append(problems, more...)
	if len(more) > 0 || slices.ContainsFunc(wrong, func(p config.Problem) bool { return strings.HasPrefix(p.Key, "redis.") }) {
		return problems
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	client := goredis.NewClient(o)
	defer func() { _ = client.Close() }()
	if err := client.Ping(ctx).Err(); err != nil {
		key := "redis.host"
		if v.String("redis.uri") != "" {
			key = "redis.uri"
		}
		problems = append(problems, config.Problem{Key: key, Message: "Unable to connect: " + err.Error()})
	}
	return problems
}

// Tasks implements plugin.Connector: all do the same for other partitions.
func (Sink) Tasks(v config.Values, most int) ([]map[string]string, error) {
	all := make([]map[string]string, max(most, 1))
	for i := range all {
		all[i] = v.All()
	}
	return all, nil
}

// Open implements plugin.Sink.
func (Sink) Open(_ context.Context, c plugin.SinkContext) (plugin.SinkTask, error) {
	s, problems := newSettings(c.Config)
	o, more := clientOptions(c.Config)
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, fmt.Errorf("%w: %w", config.ErrConfig, problems[0])
	}
	return &task{settings: s, client: goredis.NewClient(o)}, nil
}
