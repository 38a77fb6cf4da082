package outbox

import (
	"context"
	"fmt"
	"strconv"
	"sync"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// defaultLimit is franz-go's bound on a record batch, which fits Kafka's
// default max.message.bytes; maxLimit fits its default bound on a request.
const (
	defaultLimit = 1_000_012
	minLimit     = 512
	maxLimit     = 64 << 20
)

// topicBook knows which topics exist and how large a record batch each of them
// takes. One client's book: franz-go asks for a topic's limit only once.
type topicBook struct {
	cluster kafka.Config
	mu      sync.Mutex
	limits  map[string]int32 // by full name
}

// limit is the topic's bound on a record batch.
func (b *topicBook) limit(topic string) int32 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if limit, ok := b.limits[topic]; ok {
		return limit
	}
	return defaultLimit
}

func (b *topicBook) knows(topic string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.limits[topic]
	return ok
}

// forget makes the next learn look again; the topic's limit stays what the
// client has taken it for.
func (b *topicBook) forget(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.limits, topic)
}

// learn asks about topics (local names) it does not know, and returns what is
// wrong with which of them. Its error means that nobody answered.
func (b *topicBook) learn(ctx context.Context, client *kgo.Client, topics []string) (map[string]error, error) {
	var unknown []string
	for _, t := range topics {
		if !b.knows(b.cluster.Topic(t)) {
			unknown = append(unknown, b.cluster.Topic(t))
		}
	}
	if len(unknown) == 0 {
		return nil, nil
	}
	found, err := askTopics(ctx, client, unknown)
	if err != nil {
		return nil, err
	}
	bad := map[string]error{}
	var good []string
	for _, name := range unknown {
		if err := found[name].err; err != nil {
			bad[b.cluster.Local(name)] = fmt.Errorf("topic %s: %w", name, err)
			continue
		}
		good = append(good, name)
	}
	limits, err := topicLimits(ctx, kadm.NewClient(client), good)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for name, limit := range limits {
		b.limits[name] = limit
	}
	return bad, nil
}

// topicFacts are what the cluster says of a topic now.
type topicFacts struct {
	err        error
	partitions int
}

// askTopics asks the cluster, not the client's memory of it.
func askTopics(ctx context.Context, client *kgo.Client, names []string) (map[string]topicFacts, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("asking for topics %v: %w", names, err)
	}
	found := make(map[string]topicFacts, len(names))
	for _, name := range names {
		found[name] = topicFacts{err: kerr.UnknownTopicOrPartition}
	}
	for _, t := range resp.Topics {
		if t.Topic != nil {
			found[*t.Topic] = topicFacts{err: kerr.ErrorForCode(t.ErrorCode), partitions: len(t.Partitions)}
		}
	}
	return found, nil
}

// topicLimits reads max.message.bytes. Whoever may not read it gets the default.
func topicLimits(ctx context.Context, admin *kadm.Client, topics []string) (map[string]int32, error) {
	limits := make(map[string]int32, len(topics))
	if len(topics) == 0 {
		return limits, nil
	}
	for _, name := range topics {
		limits[name] = defaultLimit
	}
	configs, err := admin.DescribeTopicConfigs(ctx, topics...)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("asking for the configuration of topics %v: %w", topics, err)
	}
	for _, c := range configs {
		for _, entry := range c.Configs {
			if entry.Key != "max.message.bytes" || entry.Value == nil {
				continue
			}
			if n, err := strconv.ParseInt(*entry.Value, 10, 64); err == nil {
				limits[c.Name] = int32(min(max(n, minLimit), maxLimit))
			}
		}
	}
	return limits, nil
}

// raised says whether one of these topics (full names) takes larger batches
// than this book says.
func (b *topicBook) raised(ctx context.Context, client *kgo.Client, topics []string) (bool, error) {
	limits, err := topicLimits(ctx, kadm.NewClient(client), topics)
	for name, limit := range limits {
		if limit > b.limit(name) {
			return true, err
		}
	}
	return false, err
}
