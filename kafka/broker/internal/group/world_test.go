package group

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/coord/coordtest"
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// world is a coordinator with a clock and a log that the test moves.
type world struct {
	*Coordinator
	t      testing.TB
	log    *coordtest.Log
	now    time.Time
	config Config
	ids    int
}

func newWorld(t testing.TB, change ...func(*Config)) *world {
	w := &world{t: t, log: &coordtest.Log{}, now: time.UnixMilli(1_700_000_000_000)}
	w.config = Config{
		Now:   func() time.Time { return w.now },
		NewID: func() string { w.ids++; return fmt.Sprint(w.ids) },
	}
	for _, f := range change {
		f(&w.config)
	}
	w.start(nil)
	return w
}

// start makes the coordinator anew from records.
func (w *world) start(records []keylog.Record) {
	w.t.Helper()
	w.config.Log = w.log
	w.Coordinator = New(w.config)
	for _, r := range records {
		if err := w.Replay(r); err != nil {
			w.t.Fatal(err)
		}
	}
	w.Start()
	w.log.Settle()
}

// crash loses what is not durable.
func (w *world) crash() {
	w.t.Helper()
	w.log = &coordtest.Log{Held: w.log.Held, Sets: w.log.Sets}
	w.start(w.log.Records())
}

func (w *world) pass(d time.Duration) {
	for end := w.now.Add(d); ; {
		next, ok := w.NextDeadline()
		if !ok || next.After(end) {
			w.now = end
			return
		}
		w.now = next
		w.Tick(next)
		w.log.Settle()
	}
}

// call makes a request and returns where its answer will be.
func call[Req, Resp any](w *world, f func(Req, func(*Resp)), req Req) **Resp {
	answer := new(*Resp)
	f(req, func(resp *Resp) {
		if *answer != nil {
			w.t.Error("answered twice")
		}
		*answer = resp
	})
	w.log.Settle()
	return answer
}

// must returns an answer that has to be there.
func must[Resp any](t testing.TB, answer **Resp) *Resp {
	t.Helper()
	if *answer == nil {
		t.Fatalf("%T: no answer", answer)
	}
	return *answer
}

func joinRequest(group, member string) *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Version, req.Group, req.MemberID, req.ProtocolType = 9, group, member, "consumer"
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 10_000, 60_000
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: subscription("t")}}
	return req
}

func subscription(topics ...string) []byte {
	m := kmsg.NewConsumerMemberMetadata()
	m.Version, m.Topics = 1, topics
	return m.AppendTo(nil)
}

func (w *world) join(req *kmsg.JoinGroupRequest) **kmsg.JoinGroupResponse {
	w.t.Helper()
	f := func(req *kmsg.JoinGroupRequest, reply func(*kmsg.JoinGroupResponse)) {
		w.JoinGroup(Client{ID: "c", Host: "/127.0.0.1"}, req, reply)
	}
	return call(w, f, req)
}

// enter joins as a new dynamic member, in the two steps of KIP-394.
func (w *world) enter(req *kmsg.JoinGroupRequest) **kmsg.JoinGroupResponse {
	w.t.Helper()
	first := must(w.t, w.join(req))
	if first.ErrorCode != kerr.MemberIDRequired.Code || first.MemberID == "" {
		w.t.Fatalf("first join: %+v", first)
	}
	req.MemberID = first.MemberID
	return w.join(req)
}

func (w *world) sync(req *kmsg.JoinGroupRequest, generation int32, assignments ...string) **kmsg.SyncGroupResponse {
	s := kmsg.NewPtrSyncGroupRequest()
	s.Version, s.Group, s.MemberID, s.InstanceID, s.Generation = 5, req.Group, req.MemberID, req.InstanceID, generation
	for i := 0; i < len(assignments); i += 2 {
		s.GroupAssignment = append(s.GroupAssignment, kmsg.SyncGroupRequestGroupAssignment{
			MemberID: assignments[i], MemberAssignment: []byte(assignments[i+1]),
		})
	}
	return call(w, w.SyncGroup, s)
}

func (w *world) beat(req *kmsg.JoinGroupRequest, generation int32) *kerr.Error {
	h := kmsg.NewPtrHeartbeatRequest()
	h.Group, h.MemberID, h.InstanceID, h.Generation = req.Group, req.MemberID, req.InstanceID, generation
	return errorOf(must(w.t, call(w, w.Heartbeat, h)).ErrorCode)
}

func (w *world) leave(req *kmsg.JoinGroupRequest) *kerr.Error {
	l := kmsg.NewPtrLeaveGroupRequest()
	l.Version, l.Group = 5, req.Group
	l.Members = []kmsg.LeaveGroupRequestMember{{MemberID: req.MemberID, InstanceID: req.InstanceID}}
	return errorOf(must(w.t, call(w, w.LeaveGroup, l)).Members[0].ErrorCode)
}

func (w *world) state(group string) string {
	d := kmsg.NewPtrDescribeGroupsRequest()
	d.Groups = []string{group}
	return must(w.t, call(w, w.DescribeGroups, d)).Groups[0].State
}

// stable makes a group of n dynamic members that all have an assignment.
func (w *world) stable(group string, n int) []*kmsg.JoinGroupRequest {
	w.t.Helper()
	var members []*kmsg.JoinGroupRequest
	var answers []**kmsg.JoinGroupResponse
	for range n {
		req := joinRequest(group, "")
		answers = append(answers, w.enter(req))
		members = append(members, req)
	}
	w.pass(10 * time.Second)
	generation := must(w.t, answers[0]).Generation
	for i := range members {
		m := members[len(members)-1-i] // the leader, who was first, syncs last
		w.sync(m, generation, members[0].MemberID, "a0")
	}
	if got := w.state(group); got != "Stable" {
		w.t.Fatalf("group is %s", got)
	}
	return members
}

func commitRequest(group, topic string, partition int32, offset int64) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Version, req.Group, req.Generation = 8, group, -1
	p := kmsg.NewOffsetCommitRequestTopicPartition()
	p.Partition, p.Offset = partition, offset
	req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{p}}}
	return req
}

func (w *world) commit(req *kmsg.OffsetCommitRequest) *kerr.Error {
	w.t.Helper()
	return errorOf(must(w.t, call(w, w.OffsetCommit, req)).Topics[0].Partitions[0].ErrorCode)
}

func txnRequest(group, topic string, offset, producer int64, epoch int16) *kmsg.TxnOffsetCommitRequest {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.Version, req.Group, req.Generation, req.ProducerID, req.ProducerEpoch = 5, group, -1, producer, epoch
	p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	p.Offset = offset
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{p}}}
	return req
}

func (w *world) commitTxn(req *kmsg.TxnOffsetCommitRequest) *kerr.Error {
	w.t.Helper()
	return errorOf(must(w.t, call(w, w.TxnOffsetCommit, req)).Topics[0].Partitions[0].ErrorCode)
}

func (w *world) end(m Marker) {
	w.t.Helper()
	done := false
	w.EndTxn(m, func(err error) { done = err == nil })
	w.log.Settle()
	if !done {
		w.t.Fatal("marker not acknowledged")
	}
}

// fetch returns one offset, -1 for none.
func (w *world) fetch(group, topic string, partition int32, stable bool) (int64, *kerr.Error) {
	w.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.RequireStable = 8, stable
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group, g.Topics = group, []kmsg.OffsetFetchRequestGroupTopic{{Topic: topic, Partitions: []int32{partition}}}
	req.Groups = []kmsg.OffsetFetchRequestGroup{g}
	p := must(w.t, call(w, w.OffsetFetch, req)).Groups[0].Topics[0].Partitions[0]
	return p.Offset, errorOf(p.ErrorCode)
}

func (w *world) wantOffset(group, topic string, want int64) {
	w.t.Helper()
	if got, err := w.fetch(group, topic, 0, true); got != want || err != nil {
		w.t.Errorf("offset of %s in %s is %d (%v), want %d", topic, group, got, err, want)
	}
}

func errorOf(code int16) *kerr.Error {
	if code == 0 {
		return nil
	}
	return kerr.TypedErrorForCode(code)
}

func wantError(t testing.TB, what string, got, want *kerr.Error) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
