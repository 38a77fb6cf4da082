package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Topic says how to create a topic.
type Topic struct {
	// Name without the prefix.
	Name string
	// Partitions is 4 where zero.
	Partitions int32
	// Replication is the broker's default where zero.
	Replication int16
	// Config are topic configurations such as "retention.ms".
	Config map[string]string
}

// DefaultPartitions is how many partitions a topic gets where nobody says.
const DefaultPartitions = 4

// KeepForever is the topic configuration of events that are never deleted.
func KeepForever() map[string]string {
	return map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
}

// Compacted is the topic configuration that keeps the last record of each key.
func Compacted() map[string]string { return map[string]string{"cleanup.policy": "compact"} }

// EnsureTopics creates the topics that do not exist yet; those that do are left
// as they are.
func EnsureTopics(ctx context.Context, client *kgo.Client, c Config, topics ...Topic) error {
	admin := kadm.NewClient(client)
	for _, t := range topics {
		if err := ensureTopic(ctx, admin, c, t); err != nil {
			return err
		}
	}
	return nil
}

func ensureTopic(ctx context.Context, admin *kadm.Client, c Config, t Topic) error {
	name := c.Topic(t.Name)
	if err := checkTopicName(name); err != nil {
		return fmt.Errorf("topic %q: %w", name, err)
	}
	partitions, replication := t.Partitions, t.Replication
	if partitions == 0 {
		partitions = DefaultPartitions
	}
	if replication == 0 {
		replication = -1
	}
	configs := make(map[string]*string, len(t.Config))
	for k, v := range t.Config {
		configs[k] = kadm.StringPtr(v)
	}
	_, err := admin.CreateTopic(ctx, partitions, replication, configs, name)
	if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	return nil
}

// maxTopicName is Kafka's.
const maxTopicName = 249

func checkTopicName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > maxTopicName {
		return fmt.Errorf("a topic's name has 1 to %d characters and is not . or ..", maxTopicName)
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-') {
			return fmt.Errorf("%q is not allowed in it: only letters, digits, '.', '_' and '-' are", r)
		}
	}
	return nil
}
