package server_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestRestartKeepsWhatWasAcknowledged stops the broker, and kills it, and asks again.
func TestRestartKeepsWhatWasAcknowledged(t *testing.T) {
	for name, stop := range map[string]func(*world){"stopped": (*world).stop, "killed": (*world).kill} {
		t.Run(name, func(t *testing.T) {
			w := start(t, secured)
			admin := func() *conn {
				c := w.dial()
				c.login("admin", "secret")
				return c
			}
			c := admin()
			s := newScene(w, c)
			group := s.committed()
			member, id, generation := s.member()
			open, producer, epoch := s.begun(group)
			ask[*kmsg.ProduceResponse](c, produceTo(9, s.topic, recordsOf(3)))
			wantCode(t, "a record in the transaction", producedCode(c, produceInTxn(9, open, producer, epoch, s.topic, 0)), nil)
			c.allow(topicNeed(opRead, s.topic))
			set := s.request(int16(kmsg.AlterConfigs), 2)
			ask[*kmsg.AlterConfigsResponse](c, set)

			w.restart(func() { stop(w) })
			s.c = admin()
			c = s.c
			wantOffset(t, c, group, s.topic, 7)
			heartbeat := kmsg.NewPtrHeartbeatRequest()
			heartbeat.Group, heartbeat.MemberID, heartbeat.Generation = member, id, generation
			wantCode(t, "a heartbeat of the member", ask[*kmsg.HeartbeatResponse](c, heartbeat).ErrorCode, nil)
			wantCode(t, "the transaction goes on", producedCode(c, produceInTxn(9, open, producer, epoch, s.topic, 1)), nil)
			wantCode(t, "its commit", ask[*kmsg.EndTxnResponse](c, endTxn(4, open, producer, epoch, true)).ErrorCode, nil)
			until(t, "all of it is committed", func() bool { return stableOffset(c, s.topic) == highWatermark(c, s.topic) })
			if n := highWatermark(c, s.topic); n != 3+2+1 {
				t.Errorf("the log ends at %d, want 6: three records, two of the transaction, its marker", n)
			}
			if got := settingOf(c, s.topic, "retention.ms"); got != "100000" {
				t.Errorf("retention.ms is %q", got)
			}
			alice := w.dial()
			wantCode(t, "alice", alice.login("alice", "alices").ErrorCode, nil)
			if got := refusals(t, alice, s.request(int16(kmsg.Fetch), 12)); got != nil {
				t.Errorf("alice may not read: %v", got)
			}
		})
	}
}

// TestPreparedTransactionsEnd kills the broker when EndTxn was answered, whatever was
// written of the markers.
func TestPreparedTransactionsEnd(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	var groups []string
	for i := range 20 {
		group := s.name("group")
		id, producer, epoch := s.begun(group)
		commit := i%2 == 0
		wantCode(t, "a record", producedCode(s.c, produceInTxn(9, id, producer, epoch, s.topic, 0)), nil)
		ask[*kmsg.TxnOffsetCommitResponse](s.c, commitInTxn(3, id, producer, epoch, group, s.topic, 9))
		wantCode(t, "EndTxn", ask[*kmsg.EndTxnResponse](s.c, endTxn(4, id, producer, epoch, commit)).ErrorCode, nil)
		if groups = append(groups, group); i%5 == 4 {
			w.restart(w.kill)
			s.c = w.dial()
		}
	}
	until(t, "all have ended", func() bool { return stableOffset(s.c, s.topic) == highWatermark(s.c, s.topic) })
	for i, group := range groups {
		want := int64(-1)
		if i%2 == 0 {
			want = 9
		}
		until(t, fmt.Sprintf("the offset of group %d", i), func() bool { return offsetOf(s.c, group, s.topic) == want })
	}
}

func producedCode(c *conn, req *kmsg.ProduceRequest) int16 {
	c.t.Helper()
	return ask[*kmsg.ProduceResponse](c, req).Topics[0].Partitions[0].ErrorCode
}

// produceInTxn sends one record as part of a transaction.
func produceInTxn(version int16, id string, producer int64, epoch int16, topic string, sequence int32) *kmsg.ProduceRequest {
	h := batch.Header{Attributes: 1 << 4, ProducerID: producer, ProducerEpoch: epoch, BaseSequence: sequence}
	req := produceTo(version, topic, batch.Build(h, batch.Record{Timestamp: 1, Value: []byte("v")}))
	req.TransactionID = &id
	return req
}

func endTxn(version int16, id string, producer int64, epoch int16, commit bool) *kmsg.EndTxnRequest {
	req := kmsg.NewPtrEndTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = version, id, producer, epoch, commit
	return req
}

func commitInTxn(version int16, id string, producer int64, epoch int16, group, topic string, offset int64) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = version, id, producer, epoch, group
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Offset = offset
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{p}}}
	return req
}

func offsetOf(c *conn, group, topic string) int64 {
	c.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group = 5, group
	req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: topic, Partitions: []int32{0}}}
	return ask[*kmsg.OffsetFetchResponse](c, req).Topics[0].Partitions[0].Offset
}

func wantOffset(t testing.TB, c *conn, group, topic string, want int64) {
	t.Helper()
	if got := offsetOf(c, group, topic); got != want {
		t.Errorf("the offset of %s in %s is %d, want %d", group, topic, got, want)
	}
}

func highWatermark(c *conn, topic string) int64 { return latest(c, topic, 0, 0) }

func stableOffset(c *conn, topic string) int64 { return latest(c, topic, 0, 1) }

func latest(c *conn, topic string, partition int32, isolation int8) int64 {
	c.t.Helper()
	return listedOffset(c, topic, partition, isolation, -1)
}

func earliest(c *conn, topic string, partition int32) int64 {
	c.t.Helper()
	return listedOffset(c, topic, partition, 0, -2)
}

func listedOffset(c *conn, topic string, partition int32, isolation int8, timestamp int64) int64 {
	c.t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version, req.IsolationLevel = 4, isolation
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = partition, timestamp
	req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: topic, Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
	answer := ask[*kmsg.ListOffsetsResponse](c, req).Topics[0].Partitions[0]
	wantCode(c.t, "ListOffsets", answer.ErrorCode, nil)
	return answer.Offset
}

func settingOf(c *conn, topic, name string) string {
	c.t.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Version = 4
	req.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: topic, ConfigNames: []string{name}}}
	configs := ask[*kmsg.DescribeConfigsResponse](c, req).Resources[0].Configs
	if len(configs) != 1 || configs[0].Value == nil {
		return ""
	}
	return *configs[0].Value
}

// TestDeletedTopicsLeaveNoOffsets has a topic of the same name begin without readers.
func TestDeletedTopicsLeaveNoOffsets(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	group := s.committed()
	id, producer, epoch := s.begun(group)
	wantCode(t, "TxnOffsetCommit", ask[*kmsg.TxnOffsetCommitResponse](s.c, commitInTxn(3, id, producer, epoch, group, s.topic, 9)).Topics[0].Partitions[0].ErrorCode, nil)

	del := kmsg.NewPtrDeleteTopicsRequest()
	del.Version, del.TopicNames = 1, []string{s.topic}
	wantCode(t, "DeleteTopics", ask[*kmsg.DeleteTopicsResponse](s.c, del).Topics[0].ErrorCode, nil)
	s.again()
	wantOffset(t, s.c, group, s.topic, -1)
	wantCode(t, "the end of the transaction", ask[*kmsg.EndTxnResponse](s.c, endTxn(4, id, producer, epoch, true)).ErrorCode, nil)
	until(t, "the transaction has ended", func() bool { return !slices.Contains(listed(s.c, "Ongoing", "PrepareCommit"), id) })
	wantOffset(t, s.c, group, s.topic, -1)
}

func listed(c *conn, states ...string) (ids []string) {
	req := kmsg.NewPtrListTransactionsRequest()
	req.StateFilters = states
	for _, t := range ask[*kmsg.ListTransactionsResponse](c, req).TransactionStates {
		ids = append(ids, t.TransactionalID)
	}
	return ids
}

// TestHangingTransactionsCanBeEnded has an administrator end what no coordinator knows.
func TestHangingTransactionsCanBeEnded(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	id, producer, epoch := s.begun("readers")
	wantCode(t, "a record", producedCode(s.c, produceInTxn(9, id, producer, epoch, s.topic, 0)), nil)

	producers := s.request(int16(kmsg.DescribeProducers), 0)
	p := ask[*kmsg.DescribeProducersResponse](s.c, producers).Topics[0].Partitions[0]
	if len(p.ActiveProducers) != 1 || p.ActiveProducers[0].CurrentTxnStartOffset != 0 || p.ActiveProducers[0].ProducerID != producer {
		t.Fatalf("producers: %+v", p)
	}
	req := kmsg.NewPtrWriteTxnMarkersRequest()
	req.Version = 1
	m := kmsg.NewWriteTxnMarkersRequestMarker()
	m.ProducerID, m.ProducerEpoch = producer, epoch
	m.Topics = []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: s.topic, Partitions: []int32{0, 7}}}
	req.Markers = []kmsg.WriteTxnMarkersRequestMarker{m}
	got := ask[*kmsg.WriteTxnMarkersResponse](s.c, req).Markers[0].Topics[0].Partitions
	wantCode(t, "the marker", got[0].ErrorCode, nil)
	wantCode(t, "that of a partition that is not there", got[1].ErrorCode, kerr.UnknownTopicOrPartition)
	if end, stable := highWatermark(s.c, s.topic), stableOffset(s.c, s.topic); end != 2 || stable != 2 {
		t.Errorf("the log ends at %d, stable is %d; want 2", end, stable)
	}
	p = ask[*kmsg.DescribeProducersResponse](s.c, producers).Topics[0].Partitions[0]
	if p.ActiveProducers[0].CurrentTxnStartOffset != -1 {
		t.Errorf("the producer afterwards: %+v", p)
	}
}
