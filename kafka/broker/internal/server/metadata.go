package server

import (
	"errors"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/acl"
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (s *Server) metadata(c call, req *kmsg.MetadataRequest) {
	resp := kmsg.NewPtrMetadataResponse()
	broker := kmsg.NewMetadataResponseBroker()
	broker.NodeID, broker.Host, broker.Port = NodeID, s.config.Host, s.config.Port
	resp.Brokers = append(resp.Brokers, broker)
	resp.ControllerID = NodeID
	resp.ClusterID = kmsg.StringPtr(s.node.ClusterID())
	resp.AuthorizedOperations = s.onCluster(c, req.IncludeClusterAuthorizedOperations)
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range s.visible(c) {
			resp.Topics = append(resp.Topics, s.describe(c, t, req.IncludeTopicAuthorizedOperations))
		}
		c.answer(req, resp)
		return
	}
	s.autoCreate(c, req)
	seen := make(map[any]bool, len(req.Topics))
	byID := slices.ContainsFunc(req.Topics, func(t kmsg.MetadataRequestTopic) bool { return t.TopicID != [16]byte{} })
	for _, t := range req.Topics {
		if byID && req.Version >= sinceIDs && t.TopicID == [16]byte{} {
			continue // as with Kafka, names do not count beside ids
		}
		if key := wanted(t); !seen[key] {
			seen[key] = true
			resp.Topics = append(resp.Topics, s.look(c, req, t))
		}
	}
	c.answer(req, resp)
}

// sinceIDs is the version of Metadata since which topics may be asked for by id.
const sinceIDs = 12

// wanted is the name or the id that is asked for.
func wanted(t kmsg.MetadataRequestTopic) any {
	if t.Topic != nil && t.TopicID == [16]byte{} {
		return *t.Topic
	}
	return t.TopicID
}

// onCluster are the operations that a connection may do to the cluster, none where it may
// not describe it.
func (s *Server) onCluster(c call, asked bool) int32 {
	if asked && !s.mayCluster(c.conn, kmsg.ACLOperationDescribe) {
		return 0
	}
	return s.operations(c.conn, asked, clusterOperations, kmsg.ACLResourceTypeCluster, acl.ClusterName)
}

// visible are the topics that a connection may see, by name.
func (s *Server) visible(c call) []*node.Topic {
	return slices.DeleteFunc(slices.Clone(s.node.Topics()), func(t *node.Topic) bool {
		return !shown(t) || !s.mayTopic(c.conn, kmsg.ACLOperationDescribe, t.Name)
	})
}

// autoCreate makes the topics that are missing, where request and broker want that, with
// one write.
func (s *Server) autoCreate(c call, req *kmsg.MetadataRequest) {
	if !s.mayAutoCreate(req) {
		return
	}
	var missing []node.NewTopic
	named := map[string]bool{}
	for _, t := range req.Topics {
		if t.Topic == nil || t.TopicID != [16]byte{} || *t.Topic == "" || named[*t.Topic] || s.node.Topic(*t.Topic) != nil || !s.mayCreate(c, *t.Topic) {
			continue
		}
		named[*t.Topic] = true
		missing = append(missing, node.NewTopic{Name: strings.Clone(*t.Topic), Partitions: -1})
	}
	if len(missing) == 0 {
		return
	}
	_, errs := s.node.Create(missing, false)
	for i, err := range errs {
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) && !errors.Is(err, kerr.InvalidTopicException) {
			s.warn(c.conn, "a topic that a client wants cannot be made", "topic", missing[i].Name, "error", err, "asked", len(missing))
			return // the others have the same reason, and there may be thousands
		}
	}
}

func (s *Server) mayAutoCreate(req *kmsg.MetadataRequest) bool {
	return s.settings.autoCreate && (req.Version < 4 || req.AllowAutoTopicCreation)
}

func (s *Server) mayCreate(c call, topic string) bool {
	return s.mayTopic(c.conn, kmsg.ACLOperationDescribe, topic) &&
		(s.mayTopic(c.conn, kmsg.ACLOperationCreate, topic) || s.mayCluster(c.conn, kmsg.ACLOperationCreate))
}

func (s *Server) look(c call, req *kmsg.MetadataRequest, asked kmsg.MetadataRequestTopic) kmsg.MetadataResponseTopic {
	if (asked.Topic == nil || asked.TopicID != [16]byte{}) && req.Version < sinceIDs {
		answer := kmsg.NewMetadataResponseTopic()
		answer.Topic, answer.TopicID, answer.ErrorCode = kmsg.StringPtr(""), asked.TopicID, kerr.InvalidRequest.Code
		if asked.Topic != nil {
			answer.Topic = asked.Topic
		}
		return answer
	}
	if asked.Topic == nil || asked.TopicID != [16]byte{} {
		return s.lookByID(c, req, asked.TopicID)
	}
	name := *asked.Topic
	t := s.topic(name)
	if t != nil && s.mayTopic(c.conn, kmsg.ACLOperationDescribe, name) {
		return s.describe(c, t, req.IncludeTopicAuthorizedOperations)
	}
	answer := kmsg.NewMetadataResponseTopic()
	answer.Topic = kmsg.StringPtr(name)
	switch {
	case !s.mayTopic(c.conn, kmsg.ACLOperationDescribe, name):
		answer.ErrorCode = kerr.TopicAuthorizationFailed.Code
	case s.mayAutoCreate(req) && !s.mayCreate(c, name):
		answer.ErrorCode = kerr.TopicAuthorizationFailed.Code
	case !node.ValidName(name):
		answer.ErrorCode = kerr.InvalidTopicException.Code
	default:
		answer.ErrorCode = kerr.UnknownTopicOrPartition.Code
	}
	if answer.ErrorCode != kerr.TopicAuthorizationFailed.Code {
		answer.AuthorizedOperations = s.operations(c.conn, req.IncludeTopicAuthorizedOperations, topicOperations, kmsg.ACLResourceTypeTopic, name)
	}
	return answer
}

// lookByID names no topic that may not be described.
func (s *Server) lookByID(c call, req *kmsg.MetadataRequest, id [16]byte) kmsg.MetadataResponseTopic {
	t := s.topicByID(id)
	if t != nil && s.mayTopic(c.conn, kmsg.ACLOperationDescribe, t.Name) {
		return s.describe(c, t, req.IncludeTopicAuthorizedOperations)
	}
	answer := kmsg.NewMetadataResponseTopic()
	answer.TopicID, answer.ErrorCode = id, kerr.UnknownTopicID.Code
	if t != nil {
		answer.ErrorCode = kerr.TopicAuthorizationFailed.Code
	}
	return answer
}

func (s *Server) describe(c call, t *node.Topic, operations bool) kmsg.MetadataResponseTopic {
	answer := kmsg.NewMetadataResponseTopic()
	answer.Topic, answer.TopicID, answer.IsInternal = kmsg.StringPtr(t.Name), t.ID, t.Internal
	answer.AuthorizedOperations = s.operations(c.conn, operations, topicOperations, kmsg.ACLResourceTypeTopic, t.Name)
	for _, p := range t.Partitions() {
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Partition, partition.Leader, partition.LeaderEpoch = p.Index, NodeID, p.Epoch()
		partition.Replicas, partition.ISR, partition.OfflineReplicas = []int32{NodeID}, []int32{NodeID}, []int32{}
		answer.Partitions = append(answer.Partitions, partition)
	}
	return answer
}

func (s *Server) describeCluster(c call, req *kmsg.DescribeClusterRequest) {
	resp := kmsg.NewPtrDescribeClusterResponse()
	resp.ClusterID, resp.ControllerID, resp.EndpointType = s.node.ClusterID(), NodeID, req.EndpointType
	resp.ClusterAuthorizedOperations = s.onCluster(c, req.IncludeClusterAuthorizedOperations)
	const brokers, controllers = 1, 2
	if req.Version >= 1 && req.EndpointType != brokers {
		why := kerr.UnsupportedEndpointType
		if req.EndpointType == controllers {
			why = kerr.MismatchedEndpointType
		}
		resp = kmsg.NewPtrDescribeClusterResponse()
		resp.ErrorCode, resp.ErrorMessage = failure(why)
		c.answer(req, resp)
		return
	}
	broker := kmsg.NewDescribeClusterResponseBroker()
	broker.NodeID, broker.Host, broker.Port = NodeID, s.config.Host, s.config.Port
	resp.Brokers = append(resp.Brokers, broker)
	c.answer(req, resp)
}

// describeTopicPartitions answers up to a number of partitions, and where to go on.
func (s *Server) describeTopicPartitions(c call, req *kmsg.DescribeTopicPartitionsRequest) {
	resp := kmsg.NewPtrDescribeTopicPartitionsResponse()
	if !cursorFits(req) {
		for _, t := range req.Topics {
			answer := kmsg.NewDescribeTopicPartitionsResponseTopic()
			answer.Topic, answer.ErrorCode = kmsg.StringPtr(t.Topic), kerr.InvalidRequest.Code
			resp.Topics = append(resp.Topics, answer)
		}
		c.answer(req, resp)
		return
	}
	names := s.namesFrom(c, req)
	left := int(min(max(req.ResponsePartitionLimit, 1), mostDescribed))
	for i, name := range names {
		from := int32(0)
		if i == 0 && req.Cursor != nil && req.Cursor.Topic == name {
			from = req.Cursor.Partition
		}
		if left == 0 {
			resp.NextCursor = cursor(name, from)
			break
		}
		topic, next := s.describePartitions(c, name, from, left)
		resp.Topics = append(resp.Topics, topic)
		left -= len(topic.Partitions)
		if next >= 0 {
			resp.NextCursor = cursor(name, next)
			break
		}
	}
	c.answer(req, resp)
}

// cursorFits says whether a request goes on with what it asks for.
func cursorFits(req *kmsg.DescribeTopicPartitionsRequest) bool {
	if req.Cursor == nil {
		return true
	}
	asked := func(t kmsg.DescribeTopicPartitionsRequestTopic) bool { return t.Topic == req.Cursor.Topic }
	return req.Cursor.Partition >= 0 && (len(req.Topics) == 0 || slices.ContainsFunc(req.Topics, asked))
}

// mostDescribed is Kafka's max.request.partition.size.limit.
const mostDescribed = 2000

func cursor(topic string, partition int32) *kmsg.DescribeTopicPartitionsResponseNextCursor {
	next := kmsg.NewDescribeTopicPartitionsResponseNextCursor()
	next.Topic, next.Partition = topic, partition
	return &next
}

// namesFrom are the topics asked for, or all, from the cursor on, in order.
func (s *Server) namesFrom(c call, req *kmsg.DescribeTopicPartitionsRequest) []string {
	var names []string
	for _, t := range req.Topics {
		names = append(names, t.Topic)
	}
	if len(names) == 0 {
		for _, t := range s.visible(c) {
			names = append(names, t.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if req.Cursor != nil {
		names = slices.DeleteFunc(names, func(name string) bool { return name < req.Cursor.Topic })
	}
	return names
}

// describePartitions tells of up to limit partitions, and which is next, or -1.
func (s *Server) describePartitions(c call, name string, from int32, limit int) (kmsg.DescribeTopicPartitionsResponseTopic, int32) {
	answer := kmsg.NewDescribeTopicPartitionsResponseTopic()
	answer.Topic = kmsg.StringPtr(name)
	t := s.topic(name)
	switch {
	case !s.mayTopic(c.conn, kmsg.ACLOperationDescribe, name):
		answer.ErrorCode = kerr.TopicAuthorizationFailed.Code
		return answer, -1
	case !node.ValidName(name):
		answer.ErrorCode = kerr.InvalidTopicException.Code
		return answer, -1
	}
	answer.AuthorizedOperations = s.operations(c.conn, true, topicOperations, kmsg.ACLResourceTypeTopic, name)
	if t == nil {
		answer.ErrorCode = kerr.UnknownTopicOrPartition.Code
		return answer, -1
	}
	answer.TopicID, answer.IsInternal = t.ID, t.Internal
	all := t.Partitions()
	for _, p := range all[min(int(from), len(all)):] {
		if len(answer.Partitions) == limit {
			return answer, p.Index
		}
		partition := kmsg.NewDescribeTopicPartitionsResponseTopicPartition()
		partition.Partition, partition.LeaderID, partition.LeaderEpoch = p.Index, NodeID, p.Epoch()
		partition.Replicas, partition.ISR = []int32{NodeID}, []int32{NodeID}
		// The Java client reads them without asking whether they are there.
		partition.EligibleLeaderReplicas, partition.LastKnownELR = []int32{}, []int32{}
		answer.Partitions = append(answer.Partitions, partition)
	}
	return answer, -1
}

func (s *Server) findCoordinator(c call, req *kmsg.FindCoordinatorRequest) {
	resp := kmsg.NewPtrFindCoordinatorResponse()
	if req.Version < 4 {
		err := s.checkCoordinator(c, req.CoordinatorType, req.CoordinatorKey)
		resp.NodeID, resp.Host, resp.Port = s.coordinator(err)
		resp.ErrorCode, resp.ErrorMessage = codeAndText(err)
		c.answer(req, resp)
		return
	}
	seen := map[string]bool{}
	for _, key := range req.CoordinatorKeys {
		if seen[key] {
			continue
		}
		seen[key] = true
		answer := kmsg.NewFindCoordinatorResponseCoordinator()
		err := s.checkCoordinator(c, req.CoordinatorType, key)
		answer.Key = key
		answer.NodeID, answer.Host, answer.Port = s.coordinator(err)
		answer.ErrorCode, answer.ErrorMessage = codeAndText(err)
		resp.Coordinators = append(resp.Coordinators, answer)
	}
	c.answer(req, resp)
}

func (s *Server) checkCoordinator(c call, kind int8, key string) *kerr.Error {
	const ofGroup, ofTxn = 0, 1
	switch {
	case kind == ofGroup && !s.mayGroup(c.conn, kmsg.ACLOperationDescribe, key):
		return kerr.GroupAuthorizationFailed
	case kind == ofTxn && !s.mayTxn(c.conn, kmsg.ACLOperationDescribe, key):
		return kerr.TransactionalIDAuthorizationFailed
	case kind != ofGroup && kind != ofTxn:
		return kerr.InvalidRequest
	}
	return nil
}

func (s *Server) coordinator(err *kerr.Error) (id int32, host string, port int32) {
	if err != nil {
		return -1, "", -1
	}
	return NodeID, s.config.Host, s.config.Port
}

func codeAndText(err *kerr.Error) (int16, *string) {
	if err == nil {
		return 0, nil
	}
	return err.Code, &err.Description
}
