package server

import (
	"errors"
	"sort"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/pabal-dev/pabal/kafka/broker/internal/log"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Timestamps that stand for offsets, and the versions since which they do. What is in
// tiered storage, or waits for it, is nothing here.
const (
	latest        = -1
	earliest      = -2
	maxTimestamp  = -3
	earliestLocal = -4
	latestTiered  = -5
)

var timestampSince = map[int64]int16{latest: 0, earliest: 0, maxTimestamp: 7, earliestLocal: 8, latestTiered: 9}

// listOffsets finds offsets by time.
func (s *Server) listOffsets(c call, req *kmsg.ListOffsetsRequest) {
	resp := kmsg.NewPtrListOffsetsResponse()
	seen := map[partitionKey]int{}
	for _, t := range req.Topics {
		for _, p := range t.Partitions {
			seen[partitionKey{name: t.Topic, index: p.Partition}]++
		}
	}
	for _, t := range req.Topics {
		topic := kmsg.NewListOffsetsResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			answer := kmsg.NewListOffsetsResponseTopicPartition()
			answer.Partition, answer.Offset, answer.Timestamp, answer.LeaderEpoch = p.Partition, -1, -1, -1
			err := kerr.InvalidRequest // where a partition is named twice
			if seen[partitionKey{name: t.Topic, index: p.Partition}] == 1 {
				err = s.listOffset(c, req, t.Topic, p, &answer)
			}
			if err != nil {
				answer.ErrorCode = err.Code
			}
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.answer(req, resp)
}

func (s *Server) listOffset(c call, req *kmsg.ListOffsetsRequest, topic string, asked kmsg.ListOffsetsRequestTopicPartition, answer *kmsg.ListOffsetsResponseTopicPartition) *kerr.Error {
	p, err := s.described(c, topic, asked.Partition, asked.CurrentLeaderEpoch)
	if err != nil {
		return err
	}
	if since, ok := timestampSince[asked.Timestamp]; asked.Timestamp < 0 && (!ok || req.Version < since) {
		return kerr.UnsupportedVersion
	}
	found, failed := offsetAt(p, asked.Timestamp, req.IsolationLevel == 1)
	if failed != nil {
		return readError(p, failed)
	}
	answer.Offset, answer.Timestamp, answer.LeaderEpoch = found.Offset, found.Timestamp, found.LeaderEpoch
	return nil
}

// followed is described, for brokers too.
func (s *Server) followed(c call, topic string, index, epoch int32) (*node.Partition, *kerr.Error) {
	if s.mayCluster(c.conn, kmsg.ACLOperationClusterAction) {
		return s.known(topic, index, epoch)
	}
	return s.described(c, topic, index, epoch)
}

// described returns a partition that a client may know of, where it has the right epoch.
func (s *Server) described(c call, topic string, index, epoch int32) (*node.Partition, *kerr.Error) {
	if !s.mayTopic(c.conn, kmsg.ACLOperationDescribe, topic) {
		return nil, kerr.TopicAuthorizationFailed
	}
	return s.known(topic, index, epoch)
}

func (s *Server) known(topic string, index, epoch int32) (*node.Partition, *kerr.Error) {
	p := s.partition(topic, index)
	if p == nil {
		return nil, kerr.UnknownTopicOrPartition
	}
	return p, checkEpoch(p, epoch)
}

// offsetAt finds what a timestamp stands for.
func offsetAt(p *node.Partition, timestamp int64, committed bool) (log.Found, error) {
	offsets := p.Log().Offsets()
	switch timestamp {
	case latest:
		end := offsets.HighWatermark
		if committed {
			end = offsets.Stable
		}
		return log.Found{Offset: end, Timestamp: -1, LeaderEpoch: p.Epoch()}, nil
	case earliest, earliestLocal:
		return log.Found{Offset: offsets.Start, Timestamp: -1, LeaderEpoch: epochAt(p, offsets.Start)}, nil
	case latestTiered:
		return log.Found{Offset: -1, Timestamp: -1, LeaderEpoch: -1}, nil
	case maxTimestamp:
		return p.Log().MaxTimestamp(committed)
	}
	return p.Log().ByTime(timestamp, committed)
}

// epochAt is the epoch in which the record at an offset was written; -1 where there is
// none yet.
func epochAt(p *node.Partition, offset int64) int32 {
	epochs := int(p.Log().LastEpoch()) + 1
	i := sort.Search(epochs, func(i int) bool {
		_, end := p.Log().EpochEnd(int32(i))
		return end > offset
	})
	if i == epochs {
		return -1
	}
	epoch, _ := p.Log().EpochEnd(int32(i))
	return epoch
}

// readError is Kafka's error for why a log was not read.
func readError(p *node.Partition, err error) *kerr.Error {
	switch {
	case p.Gone():
		return kerr.UnknownTopicOrPartition
	case errors.Is(err, log.ErrOffsetOutOfRange):
		return kerr.OffsetOutOfRange
	case errors.Is(err, log.ErrClosed):
		return kerr.NotLeaderForPartition
	case errors.Is(err, batch.ErrCorrupt), errors.Is(err, batch.ErrShort):
		return kerr.CorruptMessage // those records are no more; the others are
	}
	return kerr.KafkaStorageError
}

// offsetForLeaderEpoch tells where epochs end, so that clients notice a log that was cut.
func (s *Server) offsetForLeaderEpoch(c call, req *kmsg.OffsetForLeaderEpochRequest) {
	resp := kmsg.NewPtrOffsetForLeaderEpochResponse()
	for _, t := range req.Topics {
		topic := kmsg.NewOffsetForLeaderEpochResponseTopic()
		topic.Topic = t.Topic
		for _, asked := range t.Partitions {
			answer := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			answer.Partition, answer.LeaderEpoch, answer.EndOffset = asked.Partition, -1, -1
			if p, err := s.followed(c, t.Topic, asked.Partition, asked.CurrentLeaderEpoch); err != nil {
				answer.ErrorCode = err.Code
			} else if asked.LeaderEpoch >= 0 {
				answer.LeaderEpoch, answer.EndOffset = epochEnd(p, asked.LeaderEpoch)
			}
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.answer(req, resp)
}

// epochEnd is where the last epoch ends that is not larger than the one asked for. The
// present one has begun, and all others have ended, also where nothing was written since.
func epochEnd(p *node.Partition, asked int32) (epoch int32, end int64) {
	if epoch, end = p.Log().EpochEnd(asked); epoch >= 0 || asked > p.Epoch() {
		return epoch, end
	}
	if epoch = p.Log().LastEpoch(); epoch < 0 || asked == p.Epoch() {
		epoch = asked
	}
	return epoch, p.Log().Offsets().HighWatermark
}

// deleteRecords raises the starts of logs.
func (s *Server) deleteRecords(c call, req *kmsg.DeleteRecordsRequest) {
	resp := kmsg.NewPtrDeleteRecordsResponse()
	for _, t := range req.Topics {
		topic := kmsg.NewDeleteRecordsResponseTopic()
		topic.Topic = t.Topic
		for _, asked := range t.Partitions {
			answer := kmsg.NewDeleteRecordsResponseTopicPartition()
			answer.Partition, answer.LowWatermark = asked.Partition, -1
			if start, err := s.deleteUpTo(c, t.Topic, asked); err != nil {
				answer.ErrorCode = err.Code
			} else {
				answer.LowWatermark = start
			}
			topic.Partitions = append(topic.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.answer(req, resp)
}

func (s *Server) deleteUpTo(c call, topic string, asked kmsg.DeleteRecordsRequestTopicPartition) (int64, *kerr.Error) {
	if !s.mayTopic(c.conn, kmsg.ACLOperationDelete, topic) {
		return 0, kerr.TopicAuthorizationFailed
	}
	p := s.partition(topic, asked.Partition)
	switch {
	case p == nil:
		return 0, kerr.UnknownTopicOrPartition
	case p.Topic.Internal:
		return 0, kerr.InvalidTopicException
	case !p.Topic.Deletes():
		return 0, kerr.PolicyViolation
	case asked.Offset < -1:
		return 0, kerr.OffsetOutOfRange
	}
	start, err := p.DeleteRecords(asked.Offset)
	var known *kerr.Error
	if errors.As(err, &known) {
		return 0, known
	}
	if err != nil {
		return 0, readError(p, err)
	}
	return start, nil
}
