package server_test

import (
	"fmt"

	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// scene is a broker at which there is something to ask for: a topic with records, a group
// with offsets, producers.
type scene struct {
	w     *world
	c     *conn
	topic string
	id    [16]byte // of the topic
	made  int
	// hostile scenes are not as they were.
	hostile bool
}

func newScene(w *world, c *conn) *scene {
	w.t.Helper()
	s := &scene{w: w, c: c, topic: "scene"}
	topics, errs := w.node.Create([]node.NewTopic{{Name: s.topic, Partitions: 2}}, false)
	if errs[0] != nil {
		w.t.Fatal(errs[0])
	}
	s.id = topics[0].ID
	return s
}

// name is a new one.
func (s *scene) name(kind string) string {
	s.made++
	return fmt.Sprintf("%s-%d", kind, s.made)
}

func (s *scene) createTopic() string {
	name := s.name("topic")
	if _, errs := s.w.node.Create([]node.NewTopic{{Name: name, Partitions: 1}}, false); errs[0] != nil {
		s.w.t.Fatal(errs[0])
	}
	return name
}

// producer is a new transactional one's id and epoch.
func (s *scene) producer(id string) (int64, int16) {
	s.w.t.Helper()
	resp := ask[*kmsg.InitProducerIDResponse](s.c, initProducer(4, id))
	s.wantDone("InitProducerID", resp.ErrorCode)
	return resp.ProducerID, resp.ProducerEpoch
}

func initProducer(version int16, id string) *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version, req.TransactionalID, req.TransactionTimeoutMillis = version, &id, 60_000
	return req
}

// begun is a producer in whose transaction the topic and a group are.
func (s *scene) begun(group string) (id string, producer int64, epoch int16) {
	s.w.t.Helper()
	id = s.name("txn")
	producer, epoch = s.producer(id)
	for _, code := range codes(ask[kmsg.Response](s.c, addPartitions(3, id, producer, epoch, s.topic))) {
		s.wantDone("AddPartitionsToTxn", code)
	}
	s.wantDone("AddOffsetsToTxn", ask[*kmsg.AddOffsetsToTxnResponse](s.c, addOffsets(3, id, producer, epoch, group)).ErrorCode)
	return id, producer, epoch
}

func addPartitions(version int16, id string, producer int64, epoch int16, topic string) *kmsg.AddPartitionsToTxnRequest {
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch = version, id, producer, epoch
	req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: topic, Partitions: []int32{0}}}
	return req
}

func addOffsets(version int16, id string, producer int64, epoch int16, group string) *kmsg.AddOffsetsToTxnRequest {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = version, id, producer, epoch, group
	return req
}

// member is the only one of a new group, with the group's protocol settled.
func (s *scene) member() (group, member string, generation int32) {
	s.w.t.Helper()
	group = s.name("group")
	resp := ask[*kmsg.JoinGroupResponse](s.c, join(0, group, ""))
	s.wantDone("JoinGroup", resp.ErrorCode)
	sync := syncGroup(0, group, resp.MemberID, resp.Generation)
	s.wantDone("SyncGroup", ask[*kmsg.SyncGroupResponse](s.c, sync).ErrorCode)
	return group, resp.MemberID, resp.Generation
}

func join(version int16, group, member string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.ProtocolType = version, group, member, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 30_000, 30_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: subscription("scene")}}
	return req
}

func subscription(topics ...string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Topics = topics
	return m.AppendTo(nil)
}

func syncGroup(version int16, group, member string, generation int32) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Version, req.Group, req.MemberID, req.Generation = version, group, member, generation
	if version >= 5 {
		req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
	}
	req.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: member, MemberAssignment: []byte("yours")}}
	return req
}

// committed is a group without members that has an offset of the topic.
func (s *scene) committed() string {
	s.w.t.Helper()
	group := s.name("group")
	for _, code := range codes(ask[kmsg.Response](s.c, commitOffset(2, group, "", -1, s.topic, 7))) {
		s.wantDone("OffsetCommit", code)
	}
	return group
}

func commitOffset(version int16, group, member string, generation int32, topic string, offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.MemberID, req.Generation = version, group, member, generation
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Offset, p.Metadata = offset, kmsg.StringPtr("note")
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{p}}}
	return req
}

// request is one that a client may well send in a version, and be answered without error.
func (s *scene) request(key, version int16) kmsg.Request {
	s.w.t.Helper()
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	s.fill(req, version)
	return req
}

// expected are errors in answers to what scene asks for.
func expected(req kmsg.Request, code int16) bool {
	switch r := req.(type) {
	case *kmsg.JoinGroupRequest:
		return r.Version >= 4 && code == kerr.MemberIDRequired.Code
	case *kmsg.ElectLeadersRequest:
		return code == kerr.ElectionNotNeeded.Code
	case *kmsg.SASLHandshakeRequest: // again, which only clients of today do
		return r.Version == 0 && code == kerr.IllegalSaslState.Code
	case *kmsg.DescribeUserSCRAMCredentialsRequest:
		return code == kerr.ResourceNotFound.Code
	}
	return false
}

// wantDone fails unless there was no error.
func (s *scene) wantDone(what string, code int16) {
	s.w.t.Helper()
	if !s.hostile {
		wantCode(s.w.t, what, code, nil)
	}
}
