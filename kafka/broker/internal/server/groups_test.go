package server_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// waiting is a second member that joins a group, and waits for the first to join again.
func (s *scene) waiting(group string) (*conn, <-chan *kmsg.JoinGroupResponse) {
	c := s.w.dial()
	joined := make(chan *kmsg.JoinGroupResponse, 1)
	go func() {
		defer close(joined)
		if resp, err := c.try(join(0, group, "")); err == nil {
			joined <- resp.(*kmsg.JoinGroupResponse)
		}
	}()
	until(s.w.t, "the group rebalances", func() bool { return s.state(group) == "PreparingRebalance" })
	return c, joined
}

func (s *scene) state(group string) string {
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	return ask[*kmsg.DescribeGroupsResponse](s.c, req).Groups[0].State
}

func TestStopAnswersWhoWaits(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	group, _, _ := s.member()
	_, joined := s.waiting(group)
	w.stop()
	resp := <-joined
	if resp == nil {
		t.Fatal("the member that joins is not answered")
	}
	wantCode(t, "JoinGroup", resp.ErrorCode, kerr.NotCoordinator)
}

// TestMembersThatAreGone has a connection be cut that waits, and a session end.
func TestMembersThatAreGone(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	group, member, generation := s.member()
	before := w.wire.Stats().Connections
	c, joined := s.waiting(group)
	c.Close()
	<-joined
	until(t, "the connection is forgotten", func() bool { return w.wire.Stats().Connections == before })

	heartbeat := kmsg.NewPtrHeartbeatRequest()
	heartbeat.Group, heartbeat.MemberID, heartbeat.Generation = group, member, generation
	wantCode(t, "a heartbeat while it rebalances", ask[*kmsg.HeartbeatResponse](s.c, heartbeat).ErrorCode, kerr.RebalanceInProgress)
	until(t, "nobody is left", func() bool { // first the member that is there, then the one that was to come
		w.advance(time.Minute)
		return s.state(group) == "Empty"
	})
	wantCode(t, "a heartbeat of who is gone", ask[*kmsg.HeartbeatResponse](s.c, heartbeat).ErrorCode, kerr.UnknownMemberID)
	commit := ask[*kmsg.OffsetCommitResponse](s.c, commitOffset(2, group, member, generation, s.topic, 3))
	wantCode(t, "its commit", commit.Topics[0].Partitions[0].ErrorCode, kerr.UnknownMemberID)
}

// TestGroupsThatAreNot has versions differ in what they tell of a group that there is not.
func TestGroupsThatAreNot(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	for version, want := range map[int16]*kerr.Error{5: nil, 6: kerr.GroupIDNotFound} {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Version, req.Groups = version, []string{"none"}
		got := ask[*kmsg.DescribeGroupsResponse](s.c, req).Groups[0]
		if wantCode(t, "DescribeGroups", got.ErrorCode, want); got.State != "Dead" {
			t.Errorf("version %d: %+v", version, got)
		}
	}
	group, _, _ := s.member()
	del := kmsg.NewPtrDeleteGroupsRequest()
	del.Groups = []string{"none", group}
	got := ask[*kmsg.DeleteGroupsResponse](s.c, del).Groups
	wantCode(t, "delete a group that is not", got[0].ErrorCode, kerr.GroupIDNotFound)
	wantCode(t, "delete a group with members", got[1].ErrorCode, kerr.NonEmptyGroup)
	offsets := kmsg.NewPtrOffsetDeleteRequest()
	offsets.Group, offsets.Topics = group, []kmsg.OffsetDeleteRequestTopic{
		{Topic: s.topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}},
		{Topic: "missing", Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}},
	}
	deleted := ask[*kmsg.OffsetDeleteResponse](s.c, offsets).Topics
	wantCode(t, "offsets of a topic that is read", deleted[0].Partitions[0].ErrorCode, kerr.GroupSubscribedToTopic)
	wantCode(t, "offsets of a topic that is not", deleted[1].Partitions[0].ErrorCode, kerr.UnknownTopicOrPartition)
}

// TestCoordinatorsLogsAreTheirOwn has nobody write to what they remember, by any request.
func TestCoordinatorsLogsAreTheirOwn(t *testing.T) {
	w := start(t)
	s := newScene(w, w.dial())
	group := s.committed()
	id, producer, epoch := s.begun(group)
	for _, topic := range []string{"__consumer_offsets", "__transaction_state", "__pabal_security"} {
		want := kerr.InvalidTopicException
		if topic == "__pabal_security" {
			want = kerr.UnknownTopicOrPartition
		}
		wantCode(t, "produce to "+topic, producedCode(s.c, produceTo(9, topic, recordsOf(1))), want)
		markers := s.request(int16(kmsg.WriteTxnMarkers), 1).(*kmsg.WriteTxnMarkersRequest)
		markers.Markers[0].Topics = []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: topic, Partitions: []int32{0}}}
		if code := ask[*kmsg.WriteTxnMarkersResponse](s.c, markers).Markers[0].Topics[0].Partitions[0].ErrorCode; topic != "__consumer_offsets" {
			wantCode(t, "a marker in "+topic, code, want)
		}
		add := addPartitions(3, id, producer, epoch, topic)
		if code := ask[*kmsg.AddPartitionsToTxnResponse](s.c, add).Topics[0].Partitions[0].ErrorCode; code == 0 {
			t.Errorf("%s is part of a transaction", topic)
		}
		records := kmsg.NewPtrDeleteRecordsRequest()
		records.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: -1}}}}
		wantCode(t, "DeleteRecords of "+topic, ask[*kmsg.DeleteRecordsResponse](s.c, records).Topics[0].Partitions[0].ErrorCode, want)
		del := kmsg.NewPtrDeleteTopicsRequest()
		del.Version, del.TopicNames = 1, []string{topic}
		wantCode(t, "DeleteTopics of "+topic, ask[*kmsg.DeleteTopicsResponse](s.c, del).Topics[0].ErrorCode, want)
		create := s.request(int16(kmsg.CreateTopics), 5).(*kmsg.CreateTopicsRequest)
		create.Topics[0].Topic = topic
		if code := ask[*kmsg.CreateTopicsResponse](s.c, create).Topics[0].ErrorCode; code == 0 {
			t.Errorf("%s is created", topic)
		}
	}
	w.restart(w.kill)
	s.c = w.dial()
	wantOffset(t, s.c, group, s.topic, 7)
	wantCode(t, "EndTxn", ask[*kmsg.EndTxnResponse](s.c, endTxn(4, id, producer, epoch, true)).ErrorCode, nil)
}

// TestCoordinatorIsToldOnceForEachKey, however often a request has it.
func TestCoordinatorIsToldOnceForEachKey(t *testing.T) {
	req := kmsg.NewPtrFindCoordinatorRequest()
	req.Version, req.CoordinatorKeys = 4, []string{"a", "b", "a", "a"}
	if got := ask[*kmsg.FindCoordinatorResponse](start(t).dial(), req).Coordinators; len(got) != 2 || got[0].Key != "a" || got[1].Key != "b" {
		t.Errorf("%+v", got)
	}
}
