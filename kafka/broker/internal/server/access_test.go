package server_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/kafka/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// need is what a rule must allow.
type need struct {
	op   kmsg.ACLOperation
	kind kmsg.ACLResourceType
	name string
}

func (n need) String() string { return fmt.Sprint(n.op, " ", n.kind, " ", n.name) }

func topicNeed(op kmsg.ACLOperation, name string) need {
	return need{op, kmsg.ACLResourceTypeTopic, name}
}

func groupNeed(op kmsg.ACLOperation, name string) need {
	return need{op, kmsg.ACLResourceTypeGroup, name}
}

func txnNeed(name string) need {
	return need{kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTransactionalId, name}
}

func clusterNeed(op kmsg.ACLOperation) need {
	return need{op, kmsg.ACLResourceTypeCluster, "kafka-cluster"}
}

// guarded is a request, with rules of which any set allows it.
type guarded struct {
	name   string
	denied *kerr.Error // without any rule
	ask    func(*scene) (kmsg.Request, [][]need)
}

// filled asks with what fill makes.
func filled(key kmsg.Key, version int16, denied *kerr.Error, needs func(*scene, kmsg.Request) [][]need) guarded {
	return guarded{key.Name(), denied, func(s *scene) (kmsg.Request, [][]need) {
		req := s.request(int16(key), version)
		return req, needs(s, req)
	}}
}

func onTopic(key kmsg.Key, version int16, op kmsg.ACLOperation) guarded {
	return filled(key, version, kerr.TopicAuthorizationFailed, func(s *scene, _ kmsg.Request) [][]need {
		return [][]need{{topicNeed(op, s.topic)}}
	})
}

func onCluster(key kmsg.Key, version int16, ops ...kmsg.ACLOperation) guarded {
	return filled(key, version, kerr.ClusterAuthorizationFailed, func(*scene, kmsg.Request) (all [][]need) {
		for _, op := range ops {
			all = append(all, []need{clusterNeed(op)})
		}
		return all
	})
}

func onGroup[R kmsg.Request](key kmsg.Key, version int16, op kmsg.ACLOperation, topicOp kmsg.ACLOperation, groups func(R) []string) guarded {
	return filled(key, version, kerr.GroupAuthorizationFailed, func(s *scene, req kmsg.Request) [][]need {
		var all []need
		for _, g := range groups(req.(R)) {
			all = append(all, groupNeed(op, g))
		}
		if topicOp != 0 {
			all = append(all, topicNeed(topicOp, s.topic))
		}
		return [][]need{all}
	})
}

func onTxn[R kmsg.Request](key kmsg.Key, version int16, needs func(*scene, R) []need) guarded {
	return filled(key, version, kerr.TransactionalIDAuthorizationFailed, func(s *scene, req kmsg.Request) [][]need {
		return [][]need{needs(s, req.(R))}
	})
}

const (
	opRead     = kmsg.ACLOperationRead
	opWrite    = kmsg.ACLOperationWrite
	opCreate   = kmsg.ACLOperationCreate
	opDelete   = kmsg.ACLOperationDelete
	opAlter    = kmsg.ACLOperationAlter
	opDescribe = kmsg.ACLOperationDescribe
	opAction   = kmsg.ACLOperationClusterAction
)

var guardedData = []guarded{
	onTopic(kmsg.Produce, 9, opWrite),
	onTopic(kmsg.Fetch, 12, opRead),
	onTopic(kmsg.Fetch, 13, opRead),
	onTopic(kmsg.ListOffsets, 4, opDescribe),
	filled(kmsg.OffsetForLeaderEpoch, 4, kerr.TopicAuthorizationFailed, func(s *scene, _ kmsg.Request) [][]need {
		return [][]need{{topicNeed(opDescribe, s.topic)}, {clusterNeed(opAction)}}
	}),
	onTopic(kmsg.DeleteRecords, 2, opDelete),
	onTopic(kmsg.DescribeProducers, 0, opRead),
	onTopic(kmsg.Metadata, 9, opDescribe),
	onTopic(kmsg.DescribeTopicPartitions, 0, opDescribe),
	{"a produce in a transaction", kerr.TransactionalIDAuthorizationFailed, func(s *scene) (kmsg.Request, [][]need) {
		id, producer, epoch := s.begun("readers")
		b := batch.Build(batch.Header{Attributes: 1 << 4, ProducerID: producer, ProducerEpoch: epoch}, batch.Record{Timestamp: 1, Value: []byte("v")})
		req := produceTo(9, s.topic, b)
		req.TransactionID = &id
		return req, [][]need{{txnNeed(id), topicNeed(opWrite, s.topic)}}
	}},
	{"a topic by its id", kerr.TopicAuthorizationFailed, func(s *scene) (kmsg.Request, [][]need) {
		req := kmsg.NewPtrMetadataRequest()
		req.Version, req.Topics = 12, []kmsg.MetadataRequestTopic{{TopicID: s.id}}
		return req, [][]need{{topicNeed(opDescribe, s.topic)}}
	}},
	{"a topic that is made when it is asked for", kerr.TopicAuthorizationFailed, func(s *scene) (kmsg.Request, [][]need) {
		req := kmsg.NewPtrMetadataRequest()
		name := s.name("auto")
		req.Version, req.AllowAutoTopicCreation, req.Topics = 9, true, []kmsg.MetadataRequestTopic{{Topic: &name}}
		return req, [][]need{{topicNeed(opDescribe, name), topicNeed(opCreate, name)}, {topicNeed(opDescribe, name), clusterNeed(opCreate)}}
	}},
}

var guardedGroups = []guarded{
	{"FindCoordinator of a group", kerr.GroupAuthorizationFailed, func(s *scene) (kmsg.Request, [][]need) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.Version, req.CoordinatorKeys = 4, []string{"g"}
		return req, [][]need{{groupNeed(opDescribe, "g")}}
	}},
	{"FindCoordinator of a transactional id", kerr.TransactionalIDAuthorizationFailed, func(s *scene) (kmsg.Request, [][]need) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.Version, req.CoordinatorType, req.CoordinatorKey = 3, 1, "x"
		return req, [][]need{{need{opDescribe, kmsg.ACLResourceTypeTransactionalId, "x"}}}
	}},
	onGroup(kmsg.OffsetCommit, 7, opRead, opRead, func(r *kmsg.OffsetCommitRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.OffsetFetch, 5, opDescribe, opDescribe, func(r *kmsg.OffsetFetchRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.OffsetFetch, 8, opDescribe, opDescribe, func(r *kmsg.OffsetFetchRequest) []string { return []string{r.Groups[0].Group, r.Groups[1].Group} }),
	onGroup(kmsg.OffsetDelete, 0, opDelete, opRead, func(r *kmsg.OffsetDeleteRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.JoinGroup, 5, opRead, 0, func(r *kmsg.JoinGroupRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.SyncGroup, 5, opRead, 0, func(r *kmsg.SyncGroupRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.Heartbeat, 4, opRead, 0, func(r *kmsg.HeartbeatRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.LeaveGroup, 4, opRead, 0, func(r *kmsg.LeaveGroupRequest) []string { return []string{r.Group} }),
	onGroup(kmsg.DescribeGroups, 5, opDescribe, 0, func(r *kmsg.DescribeGroupsRequest) []string { return r.Groups }),
	onGroup(kmsg.DeleteGroups, 2, opDelete, 0, func(r *kmsg.DeleteGroupsRequest) []string { return r.Groups }),
}

var guardedTxns = []guarded{
	onTxn(kmsg.InitProducerID, 4, func(_ *scene, r *kmsg.InitProducerIDRequest) []need { return []need{txnNeed(*r.TransactionalID)} }),
	{"InitProducerID without a transactional id", kerr.ClusterAuthorizationFailed, func(s *scene) (kmsg.Request, [][]need) {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.Version = 4
		return req, [][]need{{clusterNeed(kmsg.ACLOperationIdempotentWrite)}, {topicNeed(opWrite, "any")}}
	}},
	onTxn(kmsg.AddPartitionsToTxn, 3, func(s *scene, r *kmsg.AddPartitionsToTxnRequest) []need {
		return []need{txnNeed(r.TransactionalID), topicNeed(opWrite, s.topic)}
	}),
	onTxn(kmsg.AddOffsetsToTxn, 3, func(_ *scene, r *kmsg.AddOffsetsToTxnRequest) []need {
		return []need{txnNeed(r.TransactionalID), groupNeed(opRead, r.Group)}
	}),
	onTxn(kmsg.EndTxn, 4, func(_ *scene, r *kmsg.EndTxnRequest) []need { return []need{txnNeed(r.TransactionalID)} }),
	onTxn(kmsg.EndTxn, 5, func(_ *scene, r *kmsg.EndTxnRequest) []need { return []need{txnNeed(r.TransactionalID)} }),
	onTxn(kmsg.TxnOffsetCommit, 3, func(s *scene, r *kmsg.TxnOffsetCommitRequest) []need {
		return []need{txnNeed(r.TransactionalID), groupNeed(opRead, r.Group), topicNeed(opRead, s.topic)}
	}),
	onTxn(kmsg.TxnOffsetCommit, 5, func(s *scene, r *kmsg.TxnOffsetCommitRequest) []need {
		return []need{txnNeed(r.TransactionalID), groupNeed(opRead, r.Group), topicNeed(opRead, s.topic)}
	}),
	onTxn(kmsg.DescribeTransactions, 0, func(_ *scene, r *kmsg.DescribeTransactionsRequest) []need {
		return []need{{opDescribe, kmsg.ACLResourceTypeTransactionalId, r.TransactionalIDs[0]}}
	}),
	onCluster(kmsg.WriteTxnMarkers, 1, opAlter, opAction),
}

var guardedAdmin = []guarded{
	filled(kmsg.CreateTopics, 5, kerr.TopicAuthorizationFailed, func(_ *scene, req kmsg.Request) [][]need {
		name := req.(*kmsg.CreateTopicsRequest).Topics[0].Topic
		return [][]need{
			{topicNeed(opCreate, name), topicNeed(kmsg.ACLOperationDescribeConfigs, name)},
			{clusterNeed(opCreate), topicNeed(kmsg.ACLOperationDescribeConfigs, name)},
		}
	}),
	filled(kmsg.DeleteTopics, 6, kerr.TopicAuthorizationFailed, func(_ *scene, req kmsg.Request) [][]need {
		return [][]need{{topicNeed(opDelete, *req.(*kmsg.DeleteTopicsRequest).Topics[0].Topic)}, {clusterNeed(opDelete)}}
	}),
	filled(kmsg.CreatePartitions, 3, kerr.TopicAuthorizationFailed, func(_ *scene, req kmsg.Request) [][]need {
		return [][]need{{topicNeed(opAlter, req.(*kmsg.CreatePartitionsRequest).Topics[0].Topic)}}
	}),
	filled(kmsg.DescribeConfigs, 4, kerr.TopicAuthorizationFailed, func(s *scene, _ kmsg.Request) [][]need {
		op := kmsg.ACLOperationDescribeConfigs
		return [][]need{{topicNeed(op, s.topic), clusterNeed(op)}}
	}),
	onTopic(kmsg.AlterConfigs, 2, kmsg.ACLOperationAlterConfigs),
	onCluster(kmsg.IncrementalAlterConfigs, 1, kmsg.ACLOperationAlterConfigs),
	onCluster(kmsg.DescribeLogDirs, 4, opDescribe),
	onCluster(kmsg.ElectLeaders, 0, opAlter),
	onCluster(kmsg.ElectLeaders, 2, opAlter),
	onCluster(kmsg.AlterPartitionAssignments, 0, opAlter),
	onCluster(kmsg.ListPartitionReassignments, 0, opDescribe),
	onCluster(kmsg.DescribeUserSCRAMCredentials, 0, opDescribe),
	onCluster(kmsg.AlterUserSCRAMCredentials, 0, opAlter),
	onCluster(kmsg.DescribeACLs, 2, opDescribe),
	onCluster(kmsg.CreateACLs, 2, opAlter),
	onCluster(kmsg.DeleteACLs, 2, opAlter),
}

// TestNothingIsAllowedWithoutItsRules asks for everything without rules, with all but one
// of those that it takes, and with all of them.
func TestNothingIsAllowedWithoutItsRules(t *testing.T) {
	w := start(t, secured)
	admin, alice := w.dial(), w.dial()
	admin.login("admin", "secret")
	alice.login("alice", "alices")
	s := newScene(w, admin)
	for _, g := range slices.Concat(guardedData, guardedGroups, guardedTxns, guardedAdmin) {
		req, sets := g.ask(s)
		name := fmt.Sprintf("%s version %d", g.name, req.GetVersion())
		if got := refusals(t, alice, req); !slices.Contains(got, g.denied.Code) {
			t.Errorf("%s without rules: %v, want %s", name, got, g.denied.Message)
		}
		for i, set := range sets {
			for missing := range set {
				if len(set) > 1 {
					req, sets := g.ask(s)
					admin.allow(slices.Delete(slices.Clone(sets[i]), missing, missing+1)...)
					if refusals(t, alice, req) == nil {
						t.Errorf("%s is allowed without %s", name, set[missing])
					}
					admin.forget()
				}
			}
			req, sets := g.ask(s)
			admin.allow(sets[i]...)
			if got := refusals(t, alice, req); got != nil {
				t.Errorf("%s with %v: %v", name, set, got)
			}
			admin.forget()
		}
	}
}

// refusals are the errors in an answer that are not expected of one that is allowed.
func refusals(t *testing.T, c *conn, req kmsg.Request) (all []int16) {
	t.Helper()
	resp, err := c.try(req)
	if err != nil {
		t.Fatalf("%s version %d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	for _, code := range codes(resp) {
		if code != 0 && !expected(req, code) {
			all = append(all, code)
		}
	}
	if r, ok := resp.(*kmsg.CreateTopicsResponse); ok && r.Topics[0].ConfigErrorCode != 0 {
		all = append(all, r.Topics[0].ConfigErrorCode)
	}
	return all
}

// allow gives alice rights.
func (c *conn) allow(needs ...need) {
	c.t.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	req.Version = 2
	for _, n := range needs {
		req.Creations = append(req.Creations, allow("User:alice", n.op, n.kind, n.name))
	}
	for _, code := range codes(ask[kmsg.Response](c, req)) {
		wantCode(c.t, "CreateACLs", code, nil)
	}
}

// forget takes all rights of alice.
func (c *conn) forget() {
	c.t.Helper()
	req := kmsg.NewPtrDeleteACLsRequest()
	req.Version = 2
	req.Filters = []kmsg.DeleteACLsRequestFilter{{
		ResourceType: kmsg.ACLResourceTypeAny, ResourcePatternType: kmsg.ACLResourcePatternTypeAny, Principal: kmsg.StringPtr("User:alice"),
		Operation: kmsg.ACLOperationAny, PermissionType: kmsg.ACLPermissionTypeAny,
	}}
	for _, code := range codes(ask[kmsg.Response](c, req)) {
		wantCode(c.t, "DeleteACLs", code, nil)
	}
}

// TestListsShowWhatMayBeSeen has lists leave out what may not be described.
func TestListsShowWhatMayBeSeen(t *testing.T) {
	w := start(t, secured)
	admin, alice := w.dial(), w.dial()
	admin.login("admin", "secret")
	alice.login("alice", "alices")
	s := newScene(w, admin)
	hidden, shown := s.committed(), s.committed()
	id, _, _ := s.begun(shown)
	admin.allow(groupNeed(opDescribe, shown), topicNeed(opRead, s.topic), need{opDescribe, kmsg.ACLResourceTypeTransactionalId, id})
	s.begun(hidden)
	s.createTopic()

	groups := kmsg.NewPtrListGroupsRequest()
	if got := ask[*kmsg.ListGroupsResponse](alice, groups).Groups; len(got) != 1 || got[0].Group != shown {
		t.Errorf("groups: %v", got)
	}
	txns := kmsg.NewPtrListTransactionsRequest()
	if got := ask[*kmsg.ListTransactionsResponse](alice, txns).TransactionStates; len(got) != 1 || got[0].TransactionalID != id {
		t.Errorf("transactions: %v", got)
	}
	describe := kmsg.NewPtrDescribeTransactionsRequest()
	describe.TransactionalIDs = []string{id}
	if got := ask[*kmsg.DescribeTransactionsResponse](alice, describe).TransactionStates[0].Topics; len(got) != 1 || got[0].Topic != s.topic {
		t.Errorf("topics of the transaction: %v", got)
	}
	metadata := kmsg.NewPtrMetadataRequest()
	metadata.Version, metadata.IncludeClusterAuthorizedOperations, metadata.IncludeTopicAuthorizedOperations = 8, true, true
	all := ask[*kmsg.MetadataResponse](alice, metadata)
	if len(all.Topics) != 1 || *all.Topics[0].Topic != s.topic || all.Topics[0].AuthorizedOperations != 1<<opRead|1<<opDescribe || all.AuthorizedOperations != 0 {
		t.Errorf("metadata: %+v", all)
	}
	offsets := kmsg.NewPtrOffsetFetchRequest()
	offsets.Version, offsets.Group = 5, shown
	if got := ask[*kmsg.OffsetFetchResponse](alice, offsets); len(got.Topics) != 1 || got.Topics[0].Partitions[0].Offset != 7 {
		t.Errorf("offsets: %+v", got)
	}
	admin.forget()
	admin.allow(groupNeed(opDescribe, shown))
	if got := ask[*kmsg.OffsetFetchResponse](alice, offsets); len(got.Topics) != 0 || got.ErrorCode != 0 {
		t.Errorf("offsets of a topic that is hidden: %+v", got)
	}
}
