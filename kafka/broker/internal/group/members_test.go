package group

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestMembersComeAndGo(t *testing.T) {
	w := newWorld(t)
	a, b := joinRequest("g", ""), joinRequest("g", "")
	joinedA := w.enter(a)
	w.pass(2 * time.Second)
	joinedB := w.enter(b)
	w.pass(2 * time.Second)
	if *joinedA != nil {
		t.Fatal("the delay of the first rebalance does not grow with members that come")
	}
	w.pass(2 * time.Second)
	leader, follower := must(t, joinedA), must(t, joinedB)
	if leader.LeaderID != a.MemberID || len(leader.Members) != 2 || len(follower.Members) != 0 || leader.Generation != 1 {
		t.Fatalf("leader %+v, follower %+v", leader, follower)
	}
	wantError(t, "heartbeat before sync", w.beat(a, 1), nil)
	syncB := w.sync(b, 1)
	if *syncB != nil {
		t.Fatal("assigned before the leader has")
	}
	w.log.Held = true
	syncA := w.sync(a, 1, a.MemberID, "A", b.MemberID, "B")
	if *syncA != nil || *syncB != nil {
		t.Fatal("assigned before the log has it")
	}
	w.log.Held = false
	w.log.Settle()
	if string(must(t, syncA).MemberAssignment) != "A" || string(must(t, syncB).MemberAssignment) != "B" {
		t.Fatalf("assigned %s and %s", (*syncA).MemberAssignment, (*syncB).MemberAssignment)
	}

	wantError(t, "leave", w.leave(b), nil)
	wantError(t, "heartbeat of who left", w.beat(b, 1), kerr.UnknownMemberID)
	wantError(t, "heartbeat in a rebalance", w.beat(a, 1), kerr.RebalanceInProgress)
	again := must(t, w.join(a))
	if again.Generation != 2 || len(again.Members) != 1 {
		t.Fatalf("after the leave: %+v", again)
	}
	wantError(t, "heartbeat of the old generation", w.beat(a, 1), kerr.IllegalGeneration)
	w.sync(a, 2, a.MemberID, "A")
	wantError(t, "last leave", w.leave(a), nil)
	if got := w.state("g"); got != "Empty" {
		t.Errorf("group is %s", got)
	}
}

func TestSilentMembersAreOut(t *testing.T) {
	w := newWorld(t)
	members := w.stable("g", 2)
	for range 3 { // only the first is heard of
		w.pass(4 * time.Second)
		w.beat(members[0], 1)
	}
	if got := w.state("g"); got != "PreparingRebalance" {
		t.Fatalf("group is %s", got)
	}
	wantError(t, "heartbeat", w.beat(members[1], 1), kerr.UnknownMemberID)
}

func TestIDsGivenOutExpire(t *testing.T) {
	w := newWorld(t)
	members := w.stable("g", 1)
	id := must(t, w.join(joinRequest("g", ""))).MemberID
	waiting := w.join(members[0]) // a rebalance, as it leads
	if *waiting != nil {
		t.Fatal("the rebalance does not wait for who got an id")
	}
	w.pass(11 * time.Second)
	must(t, waiting)
	late := must(t, w.join(joinRequest("g", id)))
	wantError(t, "join with an expired id", errorOf(late.ErrorCode), kerr.UnknownMemberID)
}

func TestRebalanceEndsWithoutTheSlow(t *testing.T) {
	w := newWorld(t)
	members := w.stable("g", 2)
	members[0].Protocols[0].Metadata = subscription("t", "u")
	first := w.join(members[0])
	for range 12 { // the other goes on to send heartbeats, and does not join
		w.beat(members[1], 1)
		w.pass(5 * time.Second)
	}
	if resp := must(t, first); resp.Generation != 2 || len(resp.Members) != 1 {
		t.Fatalf("joined %+v", resp)
	}
	wantError(t, "the slow one", w.beat(members[1], 1), kerr.UnknownMemberID)
}

func TestWhoDoesNotSyncIsOut(t *testing.T) {
	w := newWorld(t)
	a, b := joinRequest("g", ""), joinRequest("g", "")
	w.enter(a)
	w.enter(b)
	w.pass(6 * time.Second)
	w.sync(a, 1, a.MemberID, "A")
	for range 13 {
		w.beat(a, 1)
		w.beat(b, 1)
		w.pass(5 * time.Second)
	}
	wantError(t, "who synced", w.beat(a, 1), kerr.RebalanceInProgress)
	wantError(t, "who did not", w.beat(b, 1), kerr.UnknownMemberID)
}

func TestTheProtocolWithMostVotes(t *testing.T) {
	w := newWorld(t)
	prefer := func(names ...string) *kmsg.JoinGroupRequest {
		req := joinRequest("g", "")
		req.Protocols = nil
		for _, name := range names {
			req.Protocols = append(req.Protocols, kmsg.JoinGroupRequestProtocol{Name: name, Metadata: []byte(name)})
		}
		return req
	}
	first := w.enter(prefer("range", "roundrobin", "sticky"))
	w.enter(prefer("sticky", "roundrobin"))
	w.enter(prefer("sticky", "roundrobin", "own"))
	other := must(t, w.join(prefer("own")))
	wantError(t, "no protocol in common", errorOf(other.ErrorCode), kerr.InconsistentGroupProtocol)
	w.pass(10 * time.Second)
	if resp := must(t, first); *resp.Protocol != "sticky" || string(resp.Members[0].ProtocolMetadata) != "sticky" {
		t.Errorf("protocol %s, metadata %s", *resp.Protocol, resp.Members[0].ProtocolMetadata)
	}
}

func TestUnchangedFollowersJoinWithoutRebalance(t *testing.T) {
	w := newWorld(t)
	members := w.stable("g", 2)
	if resp := must(t, w.join(members[1])); resp.Generation != 1 || resp.ErrorCode != 0 {
		t.Errorf("follower: %+v", resp)
	}
	if got := w.state("g"); got != "Stable" {
		t.Errorf("group is %s", got)
	}
	if leader := w.join(members[0]); *leader != nil || w.state("g") != "PreparingRebalance" {
		t.Error("a leader that joins again starts no rebalance")
	}
}

func TestJoinErrors(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxGroupSize = 2; c.MaxGroupBytes = 1000 })
	w.stable("g", 2)
	for name, tt := range map[string]struct {
		change func(*kmsg.JoinGroupRequest)
		want   *kerr.Error
	}{
		"no group":          {func(r *kmsg.JoinGroupRequest) { r.Group = "" }, kerr.InvalidGroupID},
		"long group":        {func(r *kmsg.JoinGroupRequest) { r.Group = string(make([]byte, 40000)) }, kerr.InvalidGroupID},
		"short session":     {func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 5999 }, kerr.InvalidSessionTimeout},
		"long session":      {func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 1800001 }, kerr.InvalidSessionTimeout},
		"unknown group":     {func(r *kmsg.JoinGroupRequest) { r.Group, r.MemberID = "other", "x" }, kerr.UnknownMemberID},
		"no type":           {func(r *kmsg.JoinGroupRequest) { r.Group, r.ProtocolType = "new", "" }, kerr.InconsistentGroupProtocol},
		"no protocols":      {func(r *kmsg.JoinGroupRequest) { r.Group, r.Protocols = "new2", nil }, kerr.InconsistentGroupProtocol},
		"full":              {func(*kmsg.JoinGroupRequest) {}, kerr.GroupMaxSizeReached},
		"too much metadata": {func(r *kmsg.JoinGroupRequest) { r.Group, r.Protocols[0].Metadata = "new3", make([]byte, 1001) }, kerr.GroupMaxSizeReached},
	} {
		req := joinRequest("g", "")
		tt.change(req)
		wantError(t, name, errorOf(must(t, w.join(req)).ErrorCode), tt.want)
	}
}

func TestSyncErrors(t *testing.T) {
	w := newWorld(t)
	members := w.stable("g", 1)
	m := members[0]
	wantError(t, "generation", errorOf(must(t, w.sync(m, 7)).ErrorCode), kerr.IllegalGeneration)
	wantError(t, "member", errorOf(must(t, w.sync(joinRequest("g", "x"), 1)).ErrorCode), kerr.UnknownMemberID)
	s := kmsg.NewPtrSyncGroupRequest()
	s.Group, s.MemberID, s.Generation, s.Protocol = "g", m.MemberID, 1, kmsg.StringPtr("other")
	wantError(t, "protocol", errorOf(must(t, call(w, w.SyncGroup, s)).ErrorCode), kerr.InconsistentGroupProtocol)
	if got := must(t, w.sync(m, 1)); string(got.MemberAssignment) != "a0" {
		t.Errorf("repeated sync got %q", got.MemberAssignment)
	}
	w.join(m) // alone, so a new generation at once
	wantError(t, "old generation", errorOf(must(t, w.sync(m, 1)).ErrorCode), kerr.IllegalGeneration)
}

func staticRequest(instance string) *kmsg.JoinGroupRequest {
	req := joinRequest("g", "")
	req.InstanceID = &instance
	return req
}

// TestStaticMemberComesBack holds to KIP-345 and KIP-814: no rebalance, the
// assignment is kept, and the old id is fenced; also after a crash.
func TestStaticMemberComesBack(t *testing.T) {
	for _, version := range []int16{8, 9} {
		w := newWorld(t)
		a, b := staticRequest("a"), staticRequest("b")
		first := w.join(a)
		second := w.join(b)
		w.pass(7 * time.Second)
		a.MemberID, b.MemberID = must(t, first).MemberID, must(t, second).MemberID
		w.sync(b, 1)
		w.sync(a, 1, a.MemberID, "A", b.MemberID, "B")
		w.crash()

		back := staticRequest("a")
		back.Version = version
		resp := must(t, w.join(back))
		if resp.ErrorCode != 0 || resp.MemberID == a.MemberID || resp.Generation != 1 || w.state("g") != "Stable" {
			t.Fatalf("v%d: came back as %+v into a group that is %s", version, resp, w.state("g"))
		}
		if version >= 9 && (!resp.SkipAssignment || resp.LeaderID != resp.MemberID || len(resp.Members) != 2) {
			t.Errorf("v%d: the leader is to skip its assignment, not %+v", version, resp)
		}
		if version < 9 && (resp.SkipAssignment || resp.LeaderID != a.MemberID || len(resp.Members) != 0) {
			t.Errorf("v%d: it must not take itself for the leader: %+v", version, resp)
		}
		back.MemberID = resp.MemberID
		wantError(t, "heartbeat of the old", w.beat(a, 1), kerr.FencedInstanceID)
		wantError(t, "sync of the old", errorOf(must(t, w.sync(a, 1)).ErrorCode), kerr.FencedInstanceID)
		wantError(t, "join of the old", errorOf(must(t, w.join(a)).ErrorCode), kerr.FencedInstanceID)
		c := commitRequest("g", "t", 0, 1)
		c.Generation, c.MemberID, c.InstanceID = 1, a.MemberID, a.InstanceID
		wantError(t, "commit of the old", w.commit(c), kerr.FencedInstanceID)
		if got := must(t, w.sync(back, 1)); string(got.MemberAssignment) != "A" {
			t.Errorf("v%d: assignment %q", version, got.MemberAssignment)
		}
		w.crash()
		wantError(t, "heartbeat after a crash", w.beat(back, 1), nil)
	}
}

func TestStaticMemberIsFencedWhileItWaits(t *testing.T) {
	w := newWorld(t)
	waiting := w.join(staticRequest("a"))
	replaced := w.join(staticRequest("a"))
	wantError(t, "who waited", errorOf(must(t, waiting).ErrorCode), kerr.FencedInstanceID)
	w.pass(7 * time.Second)
	if must(t, replaced).ErrorCode != 0 {
		t.Errorf("who replaced it: %+v", *replaced)
	}
}

func TestStaticMembersLeaveByInstance(t *testing.T) {
	w := newWorld(t)
	a := w.join(staticRequest("a"))
	w.pass(7 * time.Second)
	must(t, a)
	l := kmsg.NewPtrLeaveGroupRequest()
	l.Version, l.Group = 5, "g"
	l.Members = []kmsg.LeaveGroupRequestMember{{InstanceID: kmsg.StringPtr("a")}, {InstanceID: kmsg.StringPtr("b")}, {MemberID: "x"}}
	resp := must(t, call(w, w.LeaveGroup, l))
	wantError(t, "a", errorOf(resp.Members[0].ErrorCode), nil)
	wantError(t, "b", errorOf(resp.Members[1].ErrorCode), kerr.UnknownMemberID)
	wantError(t, "x", errorOf(resp.Members[2].ErrorCode), kerr.UnknownMemberID)
	if got := w.state("g"); got != "Empty" {
		t.Errorf("group is %s", got)
	}
}

// TestCooperativeRebalance gives back partitions in one generation and gives
// them to another member in the next, as the cooperative assignors do.
func TestCooperativeRebalance(t *testing.T) {
	w := newWorld(t)
	a := w.stable("g", 1)[0]
	b := joinRequest("g", "")
	waiting := w.enter(b)
	wantError(t, "old member", w.beat(a, 1), kerr.RebalanceInProgress)
	again := w.join(a)
	if must(t, again).Generation != 2 || must(t, waiting).Generation != 2 {
		t.Fatal("no second generation")
	}
	w.sync(b, 2)
	w.sync(a, 2, a.MemberID, "kept")
	a.Protocols[0].Metadata = append(subscription("t"), 1) // what it owns has changed
	next := w.join(a)
	wantError(t, "new member", w.beat(b, 2), kerr.RebalanceInProgress)
	waiting = w.join(b)
	if must(t, next).Generation != 3 || must(t, waiting).Generation != 3 {
		t.Fatal("no third generation")
	}
	got := w.sync(b, 3)
	w.sync(a, 3, a.MemberID, "kept", b.MemberID, "moved")
	if string(must(t, got).MemberAssignment) != "moved" {
		t.Errorf("assigned %q", (*got).MemberAssignment)
	}
}

func TestStopAnswersWhoWaits(t *testing.T) {
	w := newWorld(t)
	waiting := w.enter(joinRequest("g", ""))
	w.Stop()
	wantError(t, "join", errorOf(must(t, waiting).ErrorCode), kerr.NotCoordinator)
	before := w.state("g")
	w.pass(time.Hour)
	if got := w.state("g"); got != before {
		t.Errorf("the group was %s, and an hour after the stop it is %s", before, got)
	}
}

// TestRefusedRequestsLeaveNoGroups: there is room for a bounded number of them.
func TestRefusedRequestsLeaveNoGroups(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.PartitionExists = func(topic string, _ int32) bool { return topic == "t" }
	})
	join := joinRequest("a", "")
	join.Protocols = nil
	wantError(t, "join without protocols", errorOf(must(t, w.join(join)).ErrorCode), kerr.InconsistentGroupProtocol)
	wantError(t, "commit to no topic", w.commit(commitRequest("b", "missing", 0, 1)), kerr.UnknownTopicOrPartition)
	wantError(t, "commit to no topic in a transaction", w.commitTxn(txnRequest("c", "missing", 1, 7, 0)), kerr.UnknownTopicOrPartition)
	if len(w.groups) > 0 {
		t.Errorf("there are %d groups", len(w.groups))
	}
	wantError(t, "commit", w.commit(commitRequest("d", "t", 0, 1)), nil)
	w.wantOffset("d", "t", 1)
}

// TestTooMuchWaits: requests are refused while the log is behind, and served again then.
func TestTooMuchWaits(t *testing.T) {
	w := newWorld(t)
	m := w.stable("g", 1)[0]
	w.log.Crowded = true
	wantError(t, "commit", w.commit(commitRequest("other", "t", 0, 1)), kerr.CoordinatorNotAvailable)
	wantError(t, "heartbeat", w.beat(m, 1), kerr.CoordinatorNotAvailable)
	wantError(t, "join", errorOf(must(t, w.join(joinRequest("g", ""))).ErrorCode), kerr.CoordinatorNotAvailable)
	w.log.Crowded = false
	wantError(t, "commit", w.commit(commitRequest("other", "t", 0, 1)), nil)
	wantError(t, "heartbeat", w.beat(m, 1), nil)
}

// TestStaticMembersWithoutTimeToRebalance asks for a rebalance timeout of 0,
// with which a group that waits for static members must not be busy.
func TestStaticMembersWithoutTimeToRebalance(t *testing.T) {
	w := newWorld(t)
	a := staticRequest("a")
	joined := w.join(a)
	w.pass(4 * time.Second)
	a.MemberID = must(t, joined).MemberID
	w.sync(a, 1, a.MemberID, "A")
	w.core.Do(func() {
		w.groups["g"].members[a.MemberID].rebalanceTimeout = 0
		w.prepareRebalance(w.groups["g"], "test")
	})
	w.pass(time.Minute) // ends with the session of the member
	if got := w.state("g"); got != "Empty" {
		t.Errorf("group is %s", got)
	}
}
