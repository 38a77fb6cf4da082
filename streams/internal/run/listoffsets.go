package run

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchEnds are the offsets after the last records that may be read.
func fetchEnds(ctx context.Context, client *kgo.Client, parts []topicPartition) (map[topicPartition]int64, error) {
	return listOffsets(ctx, client, parts, -1)
}

// fetchStarts are the first offsets there are.
func fetchStarts(ctx context.Context, client *kgo.Client, parts []topicPartition) (map[topicPartition]int64, error) {
	return listOffsets(ctx, client, parts, -2)
}

func listOffsets(ctx context.Context, client *kgo.Client, parts []topicPartition, which int64) (map[topicPartition]int64, error) {
	out := map[topicPartition]int64{}
	err := retry(ctx, func() error {
		req := kmsg.NewPtrListOffsetsRequest()
		req.ReplicaID, req.IsolationLevel = -1, 1
		for topic, numbers := range byTopic(parts) {
			t := kmsg.NewListOffsetsRequestTopic()
			t.Topic = topic
			for _, n := range numbers {
				p := kmsg.NewListOffsetsRequestTopicPartition()
				p.Partition, p.Timestamp = n, which
				t.Partitions = append(t.Partitions, p)
			}
			req.Topics = append(req.Topics, t)
		}
		shards := client.RequestSharded(ctx, req)
		for _, s := range shards {
			if s.Err != nil {
				return s.Err
			}
			for _, t := range s.Resp.(*kmsg.ListOffsetsResponse).Topics {
				for _, p := range t.Partitions {
					if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
						return fmt.Errorf("%s/%d: %w", t.Topic, p.Partition, err)
					}
					out[topicPartition{t.Topic, p.Partition}] = p.Offset
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look up the ends of partitions: %w", err)
	}
	return out, nil
}
