package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// metadata is all topics, sorted by name.
type metadata struct {
	topics []*topic
	byName map[string]*topic
	byID   map[[16]byte]string
}

// topic is one as the brokers describe it; partitions ascend.
type topic struct {
	name       string
	id         [16]byte
	internal   bool
	code       int16
	partitions []kmsg.MetadataResponseTopicPartition
}

func (t *topic) idText() string {
	if t.id == ([16]byte{}) {
		return ""
	}
	return fmt.Sprintf("%x", t.id)
}

// partition is nil where the topic has none of that number.
func (t *topic) partition(n int32) *kmsg.MetadataResponseTopicPartition {
	i, ok := slices.BinarySearchFunc(t.partitions, n, func(p kmsg.MetadataResponseTopicPartition, n int32) int {
		return int(p.Partition - n)
	})
	if !ok {
		return nil
	}
	return &t.partitions[i]
}

func (t *topic) numbers() []int32 {
	out := make([]int32, len(t.partitions))
	for i, p := range t.partitions {
		out[i] = p.Partition
	}
	return out
}

// allTopics is what exists, a few seconds old at most.
func (c *Cluster) allTopics(ctx context.Context) (*metadata, error) {
	return c.topics.get(ctx, c.config.Timeout, func(ctx context.Context) (*metadata, error) {
		req := kmsg.NewPtrMetadataRequest() // no topics: all
		resp, err := req.RequestWith(ctx, c.client)
		if err != nil {
			return nil, c.explain("list the topics", err)
		}
		all := &metadata{
			topics: make([]*topic, 0, len(resp.Topics)),
			byName: make(map[string]*topic, len(resp.Topics)),
			byID:   make(map[[16]byte]string, len(resp.Topics)),
		}
		for _, t := range resp.Topics {
			if t.Topic != nil {
				all.topics = append(all.topics, c.topicOf(t))
			}
		}
		slices.SortFunc(all.topics, func(a, b *topic) int { return strings.Compare(a.name, b.name) })
		for _, t := range all.topics {
			all.byName[t.name], all.byID[t.id] = t, t.name
		}
		return all, nil
	})
}

// oneTopic asks for one topic as it is now, and creates none. ErrNotFound where
// there is none, ErrInvalid where there cannot be.
func (c *Cluster) oneTopic(ctx context.Context, name string) (*topic, error) {
	if err := kafka.CheckTopicName(name); err != nil {
		return nil, fmt.Errorf("%w: topic %q: %w", api.ErrInvalid, name, err)
	}
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = kmsg.StringPtr(name)
	req.Topics, req.AllowAutoTopicCreation = append(req.Topics, rt), false
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, c.explain("describe topic "+name, err)
	}
	for _, t := range resp.Topics {
		if t.Topic == nil || *t.Topic != name {
			continue
		}
		switch err := kerr.ErrorForCode(t.ErrorCode); err {
		case nil, kerr.LeaderNotAvailable:
			return c.topicOf(t), nil
		case kerr.UnknownTopicOrPartition:
			return nil, fmt.Errorf("%w: there is no topic %s", api.ErrNotFound, name)
		default:
			return nil, c.explain("describe topic "+name, err)
		}
	}
	return nil, fmt.Errorf("%w: there is no topic %s", api.ErrNotFound, name)
}

func (c *Cluster) topicOf(t kmsg.MetadataResponseTopic) *topic {
	slices.SortFunc(t.Partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return int(a.Partition - b.Partition) })
	local := c.kafka.Local(*t.Topic)
	return &topic{
		name: *t.Topic, id: t.TopicID, code: t.ErrorCode, partitions: t.Partitions,
		internal: t.IsInternal || strings.HasPrefix(local, "__") || strings.HasPrefix(local, "pabal."),
	}
}
