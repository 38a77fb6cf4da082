package server_test

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fill makes a request one that can be answered without error. What it needs to be there
// is made before.
func (s *scene) fill(req kmsg.Request, version int16) {
	s.w.t.Helper()
	if !s.fillData(req) && !s.fillGroups(req, version) && !s.fillTxns(req) && !s.fillAdmin(req) {
		s.fillSecurity(req)
	}
}

func (s *scene) fillData(req kmsg.Request) bool {
	switch r := req.(type) {
	case *kmsg.ProduceRequest:
		*r = *produceTo(r.Version, s.topic, recordsOf(3), recordsOf(1))
		r.TimeoutMillis, r.Topics[0].TopicID = 10_000, s.id
	case *kmsg.FetchRequest:
		r.MinBytes, r.MaxBytes, r.MaxWaitMillis = 1, 1<<20, 10
		p := kmsg.NewFetchRequestTopicPartition()
		p.PartitionMaxBytes = 1 << 20
		r.Topics = []kmsg.FetchRequestTopic{{Topic: s.topic, TopicID: s.id, Partitions: []kmsg.FetchRequestTopicPartition{p}}}
	case *kmsg.ListOffsetsRequest:
		for i, at := range []int64{-1, -2} {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition, p.Timestamp = int32(i), at
			r.Topics = append(r.Topics, kmsg.ListOffsetsRequestTopic{Topic: s.topic, Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}})
		}
	case *kmsg.OffsetForLeaderEpochRequest:
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		r.ReplicaID = -2
		r.Topics = []kmsg.OffsetForLeaderEpochRequestTopic{{Topic: s.topic, Partitions: []kmsg.OffsetForLeaderEpochRequestTopicPartition{p}}}
	case *kmsg.DeleteRecordsRequest:
		r.Topics = []kmsg.DeleteRecordsRequestTopic{{Topic: s.topic, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Offset: 0}}}}
	case *kmsg.DescribeProducersRequest:
		r.Topics = []kmsg.DescribeProducersRequestTopic{{Topic: s.topic, Partitions: []int32{0, 1}}}
	default:
		return false
	}
	return true
}

func (s *scene) fillGroups(req kmsg.Request, version int16) bool {
	switch r := req.(type) {
	case *kmsg.FindCoordinatorRequest:
		r.CoordinatorKey, r.CoordinatorKeys = "readers", []string{"readers", "writers"}
		r.CoordinatorType = int8(version % 2)
		if version == 0 {
			r.CoordinatorType = 0
		}
	case *kmsg.OffsetCommitRequest:
		group, member, generation := s.member()
		*r = *commitOffset(version, group, member, generation, s.topic, 5)
	case *kmsg.OffsetFetchRequest:
		r.Group = s.committed()
		r.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: s.topic, Partitions: []int32{0, 1}}}
		one, all := kmsg.NewOffsetFetchRequestGroup(), kmsg.NewOffsetFetchRequestGroup()
		one.Group, one.Topics = r.Group, []kmsg.OffsetFetchRequestGroupTopic{{Topic: s.topic, Partitions: []int32{0}}}
		all.Group = s.committed()
		r.Groups, r.RequireStable = []kmsg.OffsetFetchRequestGroup{one, all}, version >= 7
	case *kmsg.OffsetDeleteRequest:
		r.Group = s.committed()
		r.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: s.topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
	case *kmsg.JoinGroupRequest:
		*r = *join(version, s.name("group"), "")
	case *kmsg.SyncGroupRequest:
		group, member, generation := s.member()
		*r = *syncGroup(version, group, member, generation)
	case *kmsg.HeartbeatRequest:
		r.Group, r.MemberID, r.Generation = s.member()
	case *kmsg.LeaveGroupRequest:
		r.Group, r.MemberID, _ = s.member()
		r.Members = []kmsg.LeaveGroupRequestMember{{MemberID: r.MemberID, Reason: kmsg.StringPtr("done")}}
	case *kmsg.DescribeGroupsRequest:
		group, _, _ := s.member()
		r.Groups, r.IncludeAuthorizedOperations = []string{group, s.committed()}, version >= 3
	case *kmsg.ListGroupsRequest:
		s.committed()
		r.StatesFilter, r.TypesFilter = []string{"Empty", "Stable"}, []string{"classic"}
	case *kmsg.DeleteGroupsRequest:
		r.Groups = []string{s.committed(), s.committed()}
	default:
		return false
	}
	return true
}

func (s *scene) fillTxns(req kmsg.Request) bool {
	switch r := req.(type) {
	case *kmsg.InitProducerIDRequest:
		*r = *initProducer(r.Version, s.name("txn"))
	case *kmsg.AddPartitionsToTxnRequest:
		id := s.name("txn")
		producer, epoch := s.producer(id)
		*r = *addPartitions(r.Version, id, producer, epoch, s.topic)
	case *kmsg.AddOffsetsToTxnRequest:
		id := s.name("txn")
		producer, epoch := s.producer(id)
		*r = *addOffsets(r.Version, id, producer, epoch, "readers")
	case *kmsg.EndTxnRequest:
		r.TransactionalID, r.ProducerID, r.ProducerEpoch = s.begun("readers")
		r.Commit = true
	case *kmsg.TxnOffsetCommitRequest:
		group, member, generation := s.member()
		r.TransactionalID, r.ProducerID, r.ProducerEpoch = s.begun(group)
		r.Group, r.MemberID, r.Generation = group, member, generation
		p := kmsg.NewTxnOffsetCommitRequestTopicPartition()
		p.Offset = 4
		r.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: s.topic, Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{p}}}
	case *kmsg.WriteTxnMarkersRequest:
		m := kmsg.NewWriteTxnMarkersRequestMarker()
		_, m.ProducerID, m.ProducerEpoch = s.begun("readers")
		m.Topics = []kmsg.WriteTxnMarkersRequestMarkerTopic{{Topic: s.topic, Partitions: []int32{0, 1}}, {Topic: "__consumer_offsets", Partitions: []int32{0}}}
		r.Markers = []kmsg.WriteTxnMarkersRequestMarker{m}
	case *kmsg.DescribeTransactionsRequest:
		id, _, _ := s.begun("readers")
		r.TransactionalIDs = []string{id}
	case *kmsg.ListTransactionsRequest:
		id, producer, _ := s.begun("readers")
		r.StateFilters, r.ProducerIDFilters, r.TransactionalIDPattern = []string{"Ongoing"}, []int64{producer}, &id
	default:
		return false
	}
	return true
}

func (s *scene) fillAdmin(req kmsg.Request) bool {
	switch r := req.(type) {
	case *kmsg.MetadataRequest:
		r.IncludeClusterAuthorizedOperations, r.IncludeTopicAuthorizedOperations = true, true
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(s.topic)
		r.Topics = []kmsg.MetadataRequestTopic{t}
	case *kmsg.DescribeClusterRequest:
		r.IncludeClusterAuthorizedOperations = true
	case *kmsg.DescribeTopicPartitionsRequest:
		r.Topics, r.ResponsePartitionLimit = []kmsg.DescribeTopicPartitionsRequestTopic{{Topic: s.topic}}, 1
	case *kmsg.CreateTopicsRequest:
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = s.name("topic"), 2, 1
		t.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms", Value: kmsg.StringPtr("1000")}}
		r.Topics = []kmsg.CreateTopicsRequestTopic{t}
	case *kmsg.DeleteTopicsRequest:
		name := s.createTopic()
		r.TopicNames, r.Topics = []string{name}, []kmsg.DeleteTopicsRequestTopic{{Topic: &name}}
	case *kmsg.CreatePartitionsRequest:
		r.Topics = []kmsg.CreatePartitionsRequestTopic{{Topic: s.createTopic(), Count: 3}}
	case *kmsg.DescribeConfigsRequest:
		r.IncludeSynonyms, r.IncludeDocumentation = true, true
		r.Resources = []kmsg.DescribeConfigsRequestResource{
			{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: s.topic},
			{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "1", ConfigNames: []string{"num.partitions"}},
		}
	case *kmsg.AlterConfigsRequest:
		c := kmsg.AlterConfigsRequestResourceConfig{Name: "retention.ms", Value: kmsg.StringPtr("100000")}
		r.Resources = []kmsg.AlterConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: s.topic, Configs: []kmsg.AlterConfigsRequestResourceConfig{c}}}
	case *kmsg.IncrementalAlterConfigsRequest:
		c := kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: "log.retention.ms", Value: kmsg.StringPtr("100000")}
		r.Resources = []kmsg.IncrementalAlterConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeBroker, Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{c}}}
	case *kmsg.DescribeLogDirsRequest:
		r.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: s.topic, Partitions: []int32{0, 1}}}
	case *kmsg.ElectLeadersRequest:
		r.Topics = []kmsg.ElectLeadersRequestTopic{{Topic: s.topic, Partitions: []int32{0}}}
	case *kmsg.AlterPartitionAssignmentsRequest:
		p := kmsg.AlterPartitionAssignmentsRequestTopicPartition{Replicas: []int32{1}}
		r.Topics = []kmsg.AlterPartitionAssignmentsRequestTopic{{Topic: s.topic, Partitions: []kmsg.AlterPartitionAssignmentsRequestTopicPartition{p}}}
	case *kmsg.DescribeClientQuotasRequest:
		r.Components = []kmsg.DescribeClientQuotasRequestComponent{{EntityType: "user", MatchType: kmsg.QuotasMatchTypeAny}}
	case *kmsg.ListPartitionReassignmentsRequest:
		r.Topics = []kmsg.ListPartitionReassignmentsRequestTopic{{Topic: s.topic, Partitions: []int32{0}}}
	default:
		return false
	}
	return true
}

func (s *scene) fillSecurity(req kmsg.Request) {
	switch r := req.(type) {
	case *kmsg.SASLHandshakeRequest:
		r.Mechanism = "PLAIN"
	case *kmsg.SASLAuthenticateRequest:
		s.c.handshake("PLAIN")
		r.SASLAuthBytes = []byte(strings.Join([]string{"", "admin", "secret"}, "\x00"))
	case *kmsg.DescribeUserSCRAMCredentialsRequest:
		r.Users = []kmsg.DescribeUserSCRAMCredentialsRequestUser{{Name: "admin"}}
	case *kmsg.AlterUserSCRAMCredentialsRequest:
		r.Upsertions = []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{
			{Name: "bob", Mechanism: 1, Iterations: 4096, Salt: []byte("some salt"), SaltedPassword: make([]byte, 32)},
		}
	case *kmsg.DescribeACLsRequest:
		r.ResourceType, r.ResourcePatternType = kmsg.ACLResourceTypeAny, kmsg.ACLResourcePatternTypeAny
		r.Operation, r.PermissionType = kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	case *kmsg.CreateACLsRequest:
		r.Creations = []kmsg.CreateACLsRequestCreation{allow("User:bob", kmsg.ACLOperationRead, kmsg.ACLResourceTypeTopic, "bobs")}
	case *kmsg.DeleteACLsRequest:
		r.Filters = []kmsg.DeleteACLsRequestFilter{{
			ResourceType: kmsg.ACLResourceTypeTopic, ResourcePatternType: kmsg.ACLResourcePatternTypeAny, Principal: kmsg.StringPtr("User:bob"),
			Operation: kmsg.ACLOperationAny, PermissionType: kmsg.ACLPermissionTypeAny,
		}}
	}
}

// allow is a rule for one resource.
func allow(who string, op kmsg.ACLOperation, kind kmsg.ACLResourceType, name string) kmsg.CreateACLsRequestCreation {
	return kmsg.CreateACLsRequestCreation{
		ResourceType: kind, ResourceName: name, ResourcePatternType: kmsg.ACLResourcePatternTypeLiteral,
		Principal: who, Host: "*", Operation: op, PermissionType: kmsg.ACLPermissionTypeAllow,
	}
}

func (c *conn) handshake(mechanism string) {
	c.t.Helper()
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version, req.Mechanism = 1, mechanism
	if code := ask[*kmsg.SASLHandshakeResponse](c, req).ErrorCode; code != kerr.IllegalSaslState.Code {
		wantCode(c.t, "SASLHandshake", code, nil)
	}
}

// login says who the connection is.
func (c *conn) login(user, password string) *kmsg.SASLAuthenticateResponse {
	c.t.Helper()
	c.handshake("PLAIN")
	req := kmsg.NewPtrSASLAuthenticateRequest()
	req.Version, req.SASLAuthBytes = 2, []byte("\x00"+user+"\x00"+password)
	return ask[*kmsg.SASLAuthenticateResponse](c, req)
}
