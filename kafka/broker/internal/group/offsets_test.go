package group

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestCommitAndFetch(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PartitionExists = func(topic string, p int32) bool { return topic != "gone" } })
	wantError(t, "commit", w.commit(commitRequest("g", "t", 0, 5)), nil)
	w.wantOffset("g", "t", 5)
	w.wantOffset("g", "u", -1)
	w.wantOffset("other", "t", -1)
	wantError(t, "unknown topic", w.commit(commitRequest("g", "gone", 0, 5)), kerr.UnknownTopicOrPartition)
	large := commitRequest("g", "t", 0, 6)
	large.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("x", 4097))
	wantError(t, "large metadata", w.commit(large), kerr.OffsetMetadataTooLarge)
	w.crash()
	w.wantOffset("g", "t", 5)

	all := kmsg.NewPtrOffsetFetchRequest()
	all.Version, all.Group = 7, "g"
	resp := must(t, call(w, w.OffsetFetch, all))
	if len(resp.Topics) != 1 || resp.Topics[0].Partitions[0].Offset != 5 || *resp.Topics[0].Partitions[0].Metadata != "" {
		t.Errorf("all offsets: %+v", resp)
	}
}

func TestWhoMayCommit(t *testing.T) {
	w := newWorld(t)
	m := w.stable("g", 1)[0]
	by := func(generation int32, member string) *kmsg.OffsetCommitRequest {
		req := commitRequest("g", "t", 0, 1)
		req.Generation, req.MemberID = generation, member
		return req
	}
	wantError(t, "member", w.commit(by(1, m.MemberID)), nil)
	wantError(t, "other generation", w.commit(by(2, m.MemberID)), kerr.IllegalGeneration)
	wantError(t, "other member", w.commit(by(1, "x")), kerr.UnknownMemberID)
	wantError(t, "nobody", w.commit(by(-1, "")), kerr.UnknownMemberID)
	unknown := commitRequest("other", "t", 0, 1)
	unknown.Generation = 1
	wantError(t, "no group", w.commit(unknown), kerr.IllegalGeneration)
	unknown.Version = 9
	wantError(t, "no group, v9", w.commit(unknown), kerr.GroupIDNotFound)
	w.join(m)
	wantError(t, "between join and sync", w.commit(by(2, m.MemberID)), kerr.RebalanceInProgress)
	txn := txnRequest("g", "t", 2, 4000, 0)
	wantError(t, "transaction without member", w.commitTxn(txn), nil)
	txn.MemberID, txn.Generation = m.MemberID, 1
	wantError(t, "transaction of an old generation", w.commitTxn(txn), kerr.IllegalGeneration)
	wantError(t, "leave", w.leave(m), nil)
	wantError(t, "nobody in an empty group", w.commit(by(-1, "")), nil)
}

func TestCommitsCountAsHeartbeats(t *testing.T) {
	w := newWorld(t)
	m := w.stable("g", 1)[0]
	for range 5 {
		w.pass(8 * time.Second)
		c := commitRequest("g", "t", 0, 1)
		c.Generation, c.MemberID = 1, m.MemberID
		wantError(t, "commit", w.commit(c), nil)
	}
	wantError(t, "heartbeat", w.beat(m, 1), nil)
}

func TestFetchWaitsForTheLog(t *testing.T) {
	w := newWorld(t)
	w.commit(commitRequest("g", "t", 0, 1))
	w.log.Held = true
	acked := call(w, w.OffsetCommit, commitRequest("g", "t", 0, 2))
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group = 7, "g"
	fetched := call(w, w.OffsetFetch, req)
	if *acked != nil || *fetched != nil {
		t.Fatal("told of an offset that a crash would undo")
	}
	w.log.Release(1)
	if must(t, fetched).Topics[0].Partitions[0].Offset != 2 || *acked == nil {
		t.Errorf("fetched %+v", *fetched)
	}
}

func TestNothingIsConfirmedOnceTheLogFails(t *testing.T) {
	w := newWorld(t)
	m := w.stable("g", 1)[0]
	w.log.Held = true
	pending := call(w, w.OffsetCommit, commitRequest("h", "t", 0, 2))
	w.log.Fail(kerr.KafkaStorageError)
	wantError(t, "commit", errorOf(must(t, pending).Topics[0].Partitions[0].ErrorCode), kerr.CoordinatorNotAvailable)
	wantError(t, "next commit", w.commit(commitRequest("h", "t", 0, 3)), kerr.CoordinatorNotAvailable)
	wantError(t, "heartbeat", w.beat(m, 1), kerr.CoordinatorNotAvailable)
	wantError(t, "join", errorOf(must(t, w.join(m)).ErrorCode), kerr.CoordinatorNotAvailable)
	wantError(t, "leave", errorOf(must(t, call(w, w.LeaveGroup, &kmsg.LeaveGroupRequest{Version: 3, Group: "g"})).ErrorCode), kerr.CoordinatorNotAvailable)
	if w.Err() == nil {
		t.Error("no error")
	}
}

func TestTransactionalOffsets(t *testing.T) {
	for _, crash := range []bool{false, true} {
		w := newWorld(t)
		maybe := func() {
			if crash {
				w.crash()
			}
		}
		w.commit(commitRequest("g", "t", 0, 1))
		wantError(t, "commit", w.commitTxn(txnRequest("g", "t", 7, 4000, 0)), nil)
		wantError(t, "commit", w.commitTxn(txnRequest("h", "t", 8, 4000, 0)), nil)
		maybe()
		if _, err := w.fetch("g", "t", 0, true); err != kerr.UnstableOffsetCommit {
			t.Errorf("stable offset while a transaction is open: %v", err)
		}
		if got, err := w.fetch("g", "t", 0, false); got != 1 || err != nil {
			t.Errorf("the old offset is %d, %v", got, err)
		}
		w.end(Marker{ProducerID: 4001, Epoch: 0, Commit: true})
		w.end(Marker{ProducerID: 4000, Epoch: 0, Bumped: true, Commit: true}) // of an earlier one
		if _, err := w.fetch("h", "t", 0, true); err != kerr.UnstableOffsetCommit {
			t.Errorf("another's marker ended the transaction: %v", err)
		}
		for range 2 {
			w.end(Marker{ProducerID: 4000, Epoch: 1, Bumped: true, Commit: true})
			maybe()
		}
		w.wantOffset("g", "t", 7)
		w.wantOffset("h", "t", 8)
		w.commitTxn(txnRequest("g", "t", 9, 4000, 1))
		maybe()
		for range 2 {
			w.end(Marker{ProducerID: 4000, Epoch: 1})
			maybe()
		}
		w.wantOffset("g", "t", 7)
		if len(w.txns) != 0 {
			t.Errorf("left over: %v", w.txns)
		}
	}
}

func TestTransactionsAreVerifiedAndBounded(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.MaxTxnBytes = 250
		c.VerifyTxn = func(id string, producer int64, epoch int16, group string) *kerr.Error {
			switch epoch {
			case 2:
				return kerr.InvalidProducerEpoch
			case 4:
				return kerr.TransactionAbortable
			}
			return nil
		}
	})
	wantError(t, "old epoch", w.commitTxn(txnRequest("g", "t", 1, 1, 2)), kerr.InvalidProducerEpoch)
	wantError(t, "epoch", w.commitTxn(txnRequest("g", "t", 1, 1, 3)), nil)
	wantError(t, "not added", w.commitTxn(txnRequest("g", "t", 1, 1, 4)), kerr.TransactionAbortable)
	old := txnRequest("g", "t", 1, 1, 4)
	old.Version = 3
	wantError(t, "not added, for old clients", w.commitTxn(old), kerr.InvalidTxnState)
	wantError(t, "too much", w.commitTxn(txnRequest("g", "u", 1, 1, 3)), kerr.InvalidCommitOffsetSize)
}

func TestDeleteOffsets(t *testing.T) {
	w := newWorld(t)
	w.commit(commitRequest("g", "t", 0, 1))
	w.commit(commitRequest("g", "u", 0, 1))
	m := w.stable("g", 1)[0]
	remove := func(topic string) *kmsg.OffsetDeleteResponse {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = "g"
		req.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
		return must(t, call(w, w.OffsetDelete, req))
	}
	wantError(t, "subscribed", errorOf(remove("t").Topics[0].Partitions[0].ErrorCode), kerr.GroupSubscribedToTopic)
	wantError(t, "not subscribed", errorOf(remove("u").Topics[0].Partitions[0].ErrorCode), nil)
	w.crash()
	w.wantOffset("g", "t", 1)
	w.wantOffset("g", "u", -1)
	w.leave(m)
	wantError(t, "of an empty group", errorOf(remove("t").Topics[0].Partitions[0].ErrorCode), nil)
	w.wantOffset("g", "t", -1)
}

func TestDeleteGroups(t *testing.T) {
	w := newWorld(t)
	w.commit(commitRequest("g", "t", 0, 1))
	w.commitTxn(txnRequest("g", "u", 1, 4000, 0))
	m := w.stable("g", 1)[0]
	remove := func(id string) *kerr.Error {
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = []string{id}
		return errorOf(must(t, call(w, w.DeleteGroups, req)).Groups[0].ErrorCode)
	}
	wantError(t, "with members", remove("g"), kerr.NonEmptyGroup)
	wantError(t, "unknown", remove("x"), kerr.GroupIDNotFound)
	w.leave(m)
	wantError(t, "empty", remove("g"), nil)
	wantError(t, "again", remove("g"), kerr.GroupIDNotFound)
	w.crash()
	if len(w.groups) != 0 || len(w.txns) != 0 {
		t.Errorf("left over: %v, %v", w.groups, w.txns)
	}
}

func TestDescribeAndList(t *testing.T) {
	w := newWorld(t)
	w.commit(commitRequest("simple", "t", 0, 1))
	m := w.stable("g", 1)[0]
	d := kmsg.NewPtrDescribeGroupsRequest()
	d.Version, d.Groups = 6, []string{"g", "x"}
	resp := must(t, call(w, w.DescribeGroups, d))
	g := resp.Groups[0]
	if g.State != "Stable" || g.Protocol != "range" || g.Members[0].MemberID != m.MemberID || g.Members[0].ClientHost != "/127.0.0.1" || string(g.Members[0].MemberAssignment) != "a0" {
		t.Errorf("described %+v", g)
	}
	if x := resp.Groups[1]; x.State != "Dead" || x.ErrorCode != kerr.GroupIDNotFound.Code {
		t.Errorf("unknown group described as %+v", x)
	}
	list := func(states, types []string) (names []string) {
		req := kmsg.NewPtrListGroupsRequest()
		req.StatesFilter, req.TypesFilter = states, types
		for _, g := range must(t, call(w, w.ListGroups, req)).Groups {
			names = append(names, g.Group)
		}
		return names
	}
	for _, tt := range []struct {
		states, types []string
		want          string
	}{
		{nil, nil, "g simple"}, {[]string{"stable"}, nil, "g"}, {[]string{"Empty", "Dead"}, nil, "simple"},
		{nil, []string{"classic"}, "g simple"}, {nil, []string{"consumer"}, ""},
	} {
		if got := strings.Join(list(tt.states, tt.types), " "); got != tt.want {
			t.Errorf("states %v, types %v: %q, want %q", tt.states, tt.types, got, tt.want)
		}
	}
}

func TestOffsetsExpire(t *testing.T) {
	week := 7 * 24 * time.Hour
	w := newWorld(t)
	w.commit(commitRequest("simple", "t", 0, 1))
	own := commitRequest("own", "t", 0, 1)
	own.Version, own.RetentionTimeMillis = 4, int64(time.Hour/time.Millisecond)
	w.commit(own)
	w.commitTxn(txnRequest("simple", "t", 2, 4000, 0))
	w.commit(commitRequest("g", "t", 0, 1))
	w.commit(commitRequest("g", "u", 0, 1)) // nobody reads u
	m := staticRequest("a")
	m.SessionTimeoutMillis = 1_800_000
	joined := w.join(m)
	w.pass(4 * time.Second)
	m.MemberID = must(t, joined).MemberID
	w.sync(m, 1, m.MemberID, "A")
	for end := w.now.Add(week); w.now.Before(end); {
		w.pass(20 * time.Minute)
		wantError(t, "heartbeat", w.beat(m, 1), nil)
	}
	w.wantOffset("own", "t", -1)
	w.wantOffset("g", "t", 1)
	w.wantOffset("g", "u", -1)
	if got, _ := w.fetch("simple", "t", 0, false); got != 1 {
		t.Errorf("the offset of an open transaction is %d", got)
	}
	w.end(Marker{ProducerID: 4000})
	w.pass(20 * time.Minute)
	w.wantOffset("simple", "t", -1)
	w.leave(m)
	w.pass(week - time.Hour)
	w.wantOffset("g", "t", 1)
	w.crash()
	w.wantOffset("g", "t", 1)
	w.pass(2 * time.Hour)
	w.wantOffset("g", "t", -1)
	w.crash()
	if len(w.groups) != 0 {
		t.Errorf("left over: %v", w.groups)
	}
}

func TestDeletedTopicsTakeTheirOffsets(t *testing.T) {
	w := newWorld(t)
	w.commit(commitRequest("g", "t", 0, 1))
	w.commit(commitRequest("g", "t", 1, 1))
	w.commit(commitRequest("g", "u", 0, 1))
	w.commitTxn(txnRequest("h", "t", 5, 4000, 0))
	done := false
	w.TopicDeleted("t", func(err error) { done = err == nil })
	w.log.Settle()
	w.crash()
	w.wantOffset("g", "t", -1)
	w.wantOffset("g", "u", 1)
	w.end(Marker{ProducerID: 4000, Commit: true})
	w.wantOffset("h", "t", -1)
	if !done {
		t.Error("not acknowledged")
	}
}
