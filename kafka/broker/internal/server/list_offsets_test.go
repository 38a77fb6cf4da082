package server_test

import (
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// offsetOf asks for one offset of partition 0.
func (c *rawConn) offsetOf(version int16, topic string, timestamp int64) kmsg.ListOffsetsResponseTopicPartition {
	c.t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version, req.ReplicaID = version, -1
	t := kmsg.NewListOffsetsRequestTopic()
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Timestamp = timestamp
	t.Topic, t.Partitions = topic, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return c.ask(req).(*kmsg.ListOffsetsResponse).Topics[0].Partitions[0]
}

func TestListOffsets(t *testing.T) {
	s := serve(t)
	s.create("t", 1, nil)
	c := s.dial()
	now := time.Now().UnixMilli()
	for _, at := range []int64{now - 100, now, now - 50} {
		c.ask(produceTo(9, "t", batch.Build(unsequenced, batch.Record{Timestamp: at})))
	}
	for version := int16(1); version <= 10; version++ {
		for _, one := range []struct {
			timestamp, offset, found int64
			since                    int16
		}{
			{-1, 3, -1, 1}, {-2, 0, -1, 1}, {now - 100, 0, now - 100, 1}, {now - 99, 1, now, 1}, {now + 1, -1, -1, 1},
			{-3, 1, now, 7}, {-4, 0, -1, 8}, {-5, -1, -1, 9},
		} {
			p := c.offsetOf(version, "t", one.timestamp)
			if version < one.since {
				wantError(t, "too new a timestamp", p.ErrorCode, kerr.UnsupportedVersion)
				continue
			}
			if p.ErrorCode != 0 || p.Offset != one.offset || p.Timestamp != one.found {
				t.Errorf("version %d, %d: %+v, want offset %d at %d", version, one.timestamp, p, one.offset, one.found)
			}
		}
	}
	wantError(t, "no topic", c.offsetOf(4, "nowhere", -1).ErrorCode, kerr.UnknownTopicOrPartition)
	wantError(t, "no such timestamp", c.offsetOf(10, "t", -9).ErrorCode, kerr.UnsupportedVersion)
}

func TestEpochEnds(t *testing.T) {
	s := serve(t)
	epoch := s.create("t", 1, nil).Partition(0).Epoch()
	s.create("empty", 1, nil)
	c := s.dial()
	c.ask(produceTo(9, "t", recordsOf(3)))
	for version := int16(2); version <= 4; version++ {
		for topic, end := range map[string]int64{"t": 3, "empty": 0} {
			for asked, want := range map[int32]int64{epoch: end, epoch + 1: -1, -1: -1} {
				got := c.epochEnd(version, topic, asked)
				if got.EndOffset != want || (got.LeaderEpoch == epoch) != (want >= 0) {
					t.Errorf("version %d: epoch %d of %s ends at %+v, want %d", version, asked, topic, got, want)
				}
			}
		}
	}
}

func (c *rawConn) epochEnd(version int16, topic string, epoch int32) kmsg.OffsetForLeaderEpochResponseTopicPartition {
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	req.Version = version
	of := kmsg.NewOffsetForLeaderEpochRequestTopic()
	p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	p.LeaderEpoch = epoch
	of.Topic, of.Partitions = topic, append(of.Partitions, p)
	req.Topics = append(req.Topics, of)
	return c.ask(req).(*kmsg.OffsetForLeaderEpochResponse).Topics[0].Partitions[0]
}

func TestDeleteRecords(t *testing.T) {
	s := serve(t)
	s.create("t", 1, nil)
	s.create("keys", 1, map[string]string{"cleanup.policy": "compact"})
	c := s.dial()
	c.ask(produceTo(9, "t", recordsOf(5)))
	for _, one := range []struct {
		topic         string
		offset, start int64
		want          *kerr.Error
	}{
		{"t", 2, 2, nil}, {"t", 1, 2, nil}, {"t", 6, -1, kerr.OffsetOutOfRange}, {"t", -2, -1, kerr.OffsetOutOfRange}, {"t", -1, 5, nil},
		{"keys", 0, -1, kerr.PolicyViolation}, {"nowhere", 0, -1, kerr.UnknownTopicOrPartition},
	} {
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.Version = 2
		of := kmsg.NewDeleteRecordsRequestTopic()
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Offset = one.offset
		of.Topic, of.Partitions = one.topic, append(of.Partitions, p)
		req.Topics = append(req.Topics, of)
		got := c.ask(req).(*kmsg.DeleteRecordsResponse).Topics[0].Partitions[0]
		wantError(t, one.topic, got.ErrorCode, one.want)
		if got.LowWatermark != one.start {
			t.Errorf("%s up to %d: %+v, want %d", one.topic, one.offset, got, one.start)
		}
	}
	if p := c.offsetOf(7, "t", -2); p.Offset != 5 {
		t.Errorf("%+v", p)
	}
	if p := found(t, c.fetch(fetchOf(12, s.node.Topic("t"), 3)), 0); p.ErrorCode != kerr.OffsetOutOfRange.Code {
		t.Errorf("what was deleted: %+v", p)
	}
}
