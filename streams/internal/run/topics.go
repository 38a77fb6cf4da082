package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/streams/internal/local"
)

// prepareTopics looks at the topics and makes the internal ones that are missing.
func prepareTopics(ctx context.Context, client *kgo.Client, cfg Config) (*layout, error) {
	known, err := countPartitions(ctx, client)
	if err != nil {
		return nil, err
	}
	l, err := newLayout(cfg.Topology, cfg.names(), known)
	if err != nil {
		return nil, err
	}
	var missing []kafka.Topic
	for _, name := range slices.Sorted(maps.Keys(l.internal)) {
		if known[name] == 0 {
			t := l.internal[name]
			missing = append(missing, kafka.Topic{Name: cfg.Kafka.Local(name), Partitions: t.partitions, Config: t.config})
		}
	}
	if err := kafka.EnsureTopics(ctx, client, cfg.Kafka, missing...); err != nil {
		return nil, fmt.Errorf("make the internal topics: %w", err)
	}
	if len(missing) == 0 {
		return l, nil
	}
	// Another instance may have been faster, with another topology.
	if known, err = countPartitions(ctx, client); err != nil {
		return nil, err
	}
	return l, l.checkExisting(known)
}

// countPartitions of all topics.
func countPartitions(ctx context.Context, client *kgo.Client) (map[string]int32, error) {
	topics, err := kadm.NewClient(client).ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the topics: %w", err)
	}
	out := map[string]int32{}
	for name, t := range topics {
		if t.Err == nil || !errors.Is(t.Err, kerr.UnknownTopicOrPartition) {
			out[name] = int32(len(t.Partitions))
		}
	}
	return out, nil
}

// topicIDs are Kafka's of topics, where the broker knows them.
func topicIDs(ctx context.Context, client *kgo.Client, names []string) (map[string]local.TopicID, error) {
	topics, err := kadm.NewClient(client).ListTopicsWithInternal(ctx, names...)
	if err == nil {
		err = topics.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("ids of topics: %w", err)
	}
	out := map[string]local.TopicID{}
	for name, t := range topics {
		out[name] = local.TopicID(t.ID)
	}
	return out, nil
}

// knowsImplicitOffsets asks whether transactions are of version 2 (KIP-890): then offsets are
// added to one without having been announced.
func knowsImplicitOffsets(ctx context.Context, client *kgo.Client) (bool, error) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "pabal", "1"
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return false, fmt.Errorf("ask the broker's versions: %w", err)
	}
	transactions := false
	for _, f := range resp.FinalizedFeatures {
		transactions = transactions || f.Name == "transaction.version" && f.MaxVersionLevel >= 2
	}
	offsets := false
	for _, k := range resp.ApiKeys {
		offsets = offsets || k.ApiKey == int16(kmsg.TxnOffsetCommit) && k.MaxVersion >= 5
	}
	return transactions && offsets, nil
}
