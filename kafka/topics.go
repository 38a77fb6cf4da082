package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
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

// Waits between two looks at topics that are being made.
const (
	firstLookAfter = 5 * time.Millisecond
	lastLookAfter  = 200 * time.Millisecond
)

// brokersReturn is how long brokers that are too few for a topic are waited for. One that the
// controller has not heard of for its session, 9 seconds by default, is away until it says something.
const brokersReturn = 10 * time.Second

// EnsureTopics creates the topics that do not exist yet, and returns when Kafka shows
// all of them; those that exist are left as they are. Brokers that are too few for a topic's
// replicas are waited for, for 10 seconds.
func EnsureTopics(ctx context.Context, client *kgo.Client, c Config, topics ...Topic) error {
	admin := kadm.NewClient(client)
	patience := time.Now().Add(brokersReturn)
	var tooFew error
	for wait := firstLookAfter; len(topics) > 0; wait = min(2*wait, lastLookAfter) {
		// Again in every round: one that existed may be on its way out.
		few, err := ensureEach(ctx, admin, c, topics, patience)
		if err != nil {
			return after(tooFew, err)
		}
		tooFew = few
		if topics, err = unseen(ctx, client, c, topics); err != nil {
			return after(tooFew, err)
		}
		if len(topics) == 0 {
			return nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			if tooFew != nil {
				return after(tooFew, ctx.Err())
			}
			return fmt.Errorf("topic %s was created, and Kafka does not show it: %w", c.Topic(topics[0].Name), ctx.Err())
		}
	}
	return nil
}

// after is the error that ended the wait for more brokers, if that is what it was.
func after(tooFew, err error) error {
	if tooFew == nil {
		return err
	}
	return fmt.Errorf("%w: %w", tooFew, err)
}

// ensureEach returns in tooFew what may pass by itself until patience ends.
func ensureEach(ctx context.Context, admin *kadm.Client, c Config, topics []Topic, patience time.Time) (tooFew, err error) {
	for _, t := range topics {
		err := ensureTopic(ctx, admin, c, t)
		if errors.Is(err, kerr.InvalidReplicationFactor) {
			if time.Now().Before(patience) {
				tooFew = err
				continue
			}
			return nil, fmt.Errorf("%w: waited %s for more brokers; start them, or ask for fewer replicas", err, brokersReturn)
		}
		if err != nil {
			return tooFew, err
		}
	}
	return tooFew, nil
}

// unseen are those that the broker asked does not show yet: the controller, which
// creates them, is ahead of the brokers. One that may not be looked at counts as seen.
func unseen(ctx context.Context, client *kgo.Client, c Config, topics []Topic) ([]Topic, error) {
	req := kmsg.NewPtrMetadataRequest() // kadm would answer from the client's memory
	for _, t := range topics {
		one := kmsg.NewMetadataRequestTopic()
		one.Topic = kmsg.StringPtr(c.Topic(t.Name))
		req.Topics = append(req.Topics, one)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("look at the topics created: %w", err)
	}
	hidden := map[string]bool{}
	for _, t := range resp.Topics {
		err := kerr.ErrorForCode(t.ErrorCode)
		if t.Topic != nil && (errors.Is(err, kerr.UnknownTopicOrPartition) || errors.Is(err, kerr.LeaderNotAvailable)) {
			hidden[*t.Topic] = true
		}
	}
	var out []Topic
	for _, t := range topics {
		if hidden[c.Topic(t.Name)] {
			out = append(out, t)
		}
	}
	return out, nil
}

func ensureTopic(ctx context.Context, admin *kadm.Client, c Config, t Topic) error {
	name := c.Topic(t.Name)
	if err := CheckTopicName(name); err != nil {
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

// CheckTopicName says what keeps Kafka from taking a topic's full name.
func CheckTopicName(name string) error {
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
