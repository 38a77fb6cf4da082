package killtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
)

// salvage is read that goes on after what cannot be read, and says where that was.
func (w *world) salvage(ctx context.Context, topic string, onlyCommitted bool) (content, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client, err := w.client(kgo.MaxVersions(kversion.V3_0_0())) // which name topics
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	s := &salvaging{client: client, topic: topic, content: content{}}
	if onlyCommitted {
		s.isolation = 1
	}
	r := &reading{client: client, topic: topic, committed: onlyCommitted, content: content{}}
	if _, err := r.ends(ctx); err != nil {
		return nil, nil, err
	}
	starts, err := kadm.NewClient(client).ListStartOffsets(ctx, topic)
	if err = errors.Join(err, starts.Error()); err != nil {
		return nil, nil, err
	}
	for p, end := range r.left {
		start, _ := starts.Lookup(topic, p)
		if err := s.partition(ctx, p, start.Offset, end); err != nil {
			return nil, nil, err
		}
	}
	return s.content, s.skipped, nil
}

// salvaging fetches from each offset, one request after another.
type salvaging struct {
	client    *kgo.Client
	topic     string
	isolation int8
	content   content
	skipped   []string
}

func (s *salvaging) partition(ctx context.Context, p int32, from, end int64) error {
	for from < end && ctx.Err() == nil {
		answer, err := s.fetch(ctx, p, from)
		if err != nil {
			return err
		}
		at := from
		if err = kerr.ErrorForCode(answer.ErrorCode); err == nil {
			var got kgo.FetchPartition
			got, from = kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{
				Offset: from, IsolationLevel: isolation(s.isolation), Topic: s.topic, Partition: p,
			}, answer, kgo.DefaultDecompressor(), nil)
			for _, r := range got.Records {
				s.content[p] = append(s.content[p], recordOf(r))
			}
			err = got.Err
		}
		if from == at || err != nil {
			s.skipped = append(s.skipped, fmt.Sprintf("%d@%d: %v", p, from, err))
			from++
		}
	}
	return ctx.Err()
}

func isolation(level int8) kgo.IsolationLevel {
	if level == 0 {
		return kgo.ReadUncommitted()
	}
	return kgo.ReadCommitted()
}

func (s *salvaging) fetch(ctx context.Context, p int32, from int64) (*kmsg.FetchResponseTopicPartition, error) {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.IsolationLevel = 1<<20, s.isolation
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic = s.topic
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.Partition, partition.FetchOffset, partition.PartitionMaxBytes = p, from, 1<<20
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return nil, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, fmt.Errorf("fetch of %s/%d answered with %d topics: %w", s.topic, p, len(resp.Topics), kerr.ErrorForCode(resp.ErrorCode))
	}
	return &resp.Topics[0].Partitions[0], nil
}
