package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// failure is the code of an error and what it says; 0 for nil.
func failure(err error) (int16, *string) {
	if err == nil {
		return 0, nil
	}
	text := err.Error()
	var known *kerr.Error
	if !errors.As(err, &known) {
		return kerr.KafkaStorageError.Code, &text
	}
	if err == error(known) {
		text = known.Description
	} else {
		text = strings.TrimPrefix(text, known.Error()+": ")
	}
	return known.Code, &text
}

// twice are the names that come more than once.
func twice[T any](all []T, name func(T) string) map[string]bool {
	seen, again := map[string]bool{}, map[string]bool{}
	for _, t := range all {
		again[name(t)] = seen[name(t)]
		seen[name(t)] = true
	}
	for name, is := range again {
		if !is {
			delete(again, name)
		}
	}
	return again
}

func (s *Server) createTopics(c call, req *kmsg.CreateTopicsRequest) {
	resp := kmsg.NewPtrCreateTopicsResponse()
	again := twice(req.Topics, func(t kmsg.CreateTopicsRequestTopic) string { return t.Topic })
	var wanted []node.NewTopic
	var at []int // where their answers are
	told := map[string]bool{}
	for _, t := range req.Topics {
		if told[t.Topic] {
			continue
		}
		told[t.Topic] = true
		answer := kmsg.NewCreateTopicsResponseTopic()
		answer.Topic = t.Topic
		n, err := s.newTopic(c, t, again[t.Topic])
		answer.ErrorCode, answer.ErrorMessage = failure(err)
		if err == nil {
			wanted, at = append(wanted, n), append(at, len(resp.Topics))
		}
		resp.Topics = append(resp.Topics, answer)
	}
	topics, errs := s.node.Create(wanted, req.ValidateOnly)
	for i, err := range errs {
		answer := &resp.Topics[at[i]]
		if answer.ErrorCode, answer.ErrorMessage = failure(err); err == nil {
			s.tellNew(c, answer, topics[i], len(topics[i].Partitions()))
		}
	}
	c.answer(req, resp)
}

// newTopic is what a request asks for.
func (s *Server) newTopic(c call, t kmsg.CreateTopicsRequestTopic, again bool) (node.NewTopic, error) {
	n := node.NewTopic{Name: strings.Clone(t.Topic), Partitions: int(t.NumPartitions), Settings: map[string]string{}}
	switch {
	case again:
		return n, fmt.Errorf("%w: the topic comes twice", kerr.InvalidRequest)
	case !s.mayTopic(c.conn, kmsg.ACLOperationCreate, t.Topic) && !s.mayCluster(c.conn, kmsg.ACLOperationCreate):
		return n, kerr.TopicAuthorizationFailed
	case len(t.ReplicaAssignment) > 0:
		if t.NumPartitions != -1 || t.ReplicationFactor != -1 {
			return n, fmt.Errorf("%w: a topic with assigned replicas has -1 as its number of partitions and of replicas", kerr.InvalidRequest)
		}
		n.Partitions = len(t.ReplicaAssignment)
		if err := checkAssignment(t.ReplicaAssignment); err != nil {
			return n, err
		}
	case t.ReplicationFactor != -1 && t.ReplicationFactor != 1:
		return n, fmt.Errorf("%w: this is one broker, so that the replication factor is 1, not %d", kerr.InvalidReplicationFactor, t.ReplicationFactor)
	}
	for _, setting := range t.Configs {
		if setting.Value == nil {
			return n, fmt.Errorf("%w: %s has no value", kerr.InvalidConfig, setting.Name)
		}
		n.Settings[strings.Clone(setting.Name)] = strings.Clone(*setting.Value)
	}
	return n, nil
}

func checkAssignment(all []kmsg.CreateTopicsRequestTopicReplicaAssignment) error {
	seen := make([]bool, len(all))
	for _, a := range all {
		if a.Partition < 0 || int(a.Partition) >= len(all) || seen[a.Partition] {
			return fmt.Errorf("%w: partitions are numbered from 0, each once", kerr.InvalidReplicaAssignment)
		}
		seen[a.Partition] = true
		if len(a.Replicas) != 1 || a.Replicas[0] != NodeID {
			return fmt.Errorf("%w: the only broker is %d", kerr.InvalidReplicaAssignment, NodeID)
		}
	}
	return nil
}

func (s *Server) tellNew(c call, answer *kmsg.CreateTopicsResponseTopic, t *node.Topic, partitions int) {
	answer.TopicID = t.ID
	if !s.mayTopic(c.conn, kmsg.ACLOperationDescribeConfigs, t.Name) {
		answer.ConfigErrorCode = kerr.TopicAuthorizationFailed.Code
		return
	}
	answer.NumPartitions, answer.ReplicationFactor = int32(partitions), 1
	for _, setting := range t.Settings() {
		config := kmsg.NewCreateTopicsResponseTopicConfig()
		config.Name, config.Value, config.Source = setting.Name, kmsg.StringPtr(setting.Value), int8(setting.Values[0].Source)
		answer.Configs = append(answer.Configs, config)
	}
}

func (s *Server) deleteTopics(c call, req *kmsg.DeleteTopicsRequest) {
	resp := kmsg.NewPtrDeleteTopicsResponse()
	asked := slices.Clone(req.Topics)
	for i := range req.TopicNames {
		asked = append(asked, kmsg.DeleteTopicsRequestTopic{Topic: &req.TopicNames[i]})
	}
	again := twice(asked, s.nameOf)
	var names []string
	var at []int
	for _, t := range distinct(asked, s.nameOf) {
		answer := kmsg.NewDeleteTopicsResponseTopic()
		answer.Topic, answer.TopicID = t.Topic, t.TopicID
		topic, err := s.deletable(c, t)
		if err == nil && again[topic.Name] {
			err = fmt.Errorf("%w: the topic comes twice", kerr.InvalidRequest)
		}
		if err == nil && !s.settings.deleteTopics {
			err = deletionDisabled(req)
		}
		if topic != nil && s.mayTopic(c.conn, kmsg.ACLOperationDescribe, topic.Name) {
			answer.Topic = &topic.Name
		}
		if answer.ErrorCode, answer.ErrorMessage = failure(err); err == nil {
			answer.TopicID = topic.ID
			names, at = append(names, topic.Name), append(at, len(resp.Topics))
		}
		resp.Topics = append(resp.Topics, answer)
	}
	for i, err := range s.node.Delete(names...) {
		answer := &resp.Topics[at[i]]
		answer.ErrorCode, answer.ErrorMessage = failure(err)
	}
	// The offsets of a topic that is gone are of no use to one that has its name.
	done := waitFor(len(names), func() { c.answer(req, resp) })
	for i, name := range names {
		if resp.Topics[at[i]].ErrorCode != 0 {
			done()
			continue
		}
		s.groups.TopicDeleted(name, func(error) { done() })
	}
}

func deletionDisabled(req *kmsg.DeleteTopicsRequest) error {
	code := kerr.TopicDeletionDisabled
	if req.Version < 3 {
		code = kerr.InvalidRequest
	}
	return fmt.Errorf("%w: topics cannot be deleted on this broker (delete.topic.enable)", code)
}

func (s *Server) nameOf(t kmsg.DeleteTopicsRequestTopic) string {
	if t.Topic != nil {
		return *t.Topic
	}
	if topic := s.topicByID(t.TopicID); topic != nil {
		return topic.Name
	}
	return string(t.TopicID[:])
}

// deletable is a topic that a connection may delete. With an error it is one that it
// asks for by id all the same.
func (s *Server) deletable(c call, asked kmsg.DeleteTopicsRequestTopic) (*node.Topic, error) {
	none := [16]byte{}
	switch {
	case asked.Topic == nil && asked.TopicID == none:
		return nil, fmt.Errorf("%w: a topic is named or has its id given", kerr.InvalidRequest)
	case asked.Topic != nil && asked.TopicID != none:
		return nil, fmt.Errorf("%w: a topic is named or has its id given, not both", kerr.InvalidRequest)
	case asked.Topic != nil:
		return s.deletableNamed(c, *asked.Topic)
	}
	t := s.topicByID(asked.TopicID)
	if t == nil {
		return nil, kerr.UnknownTopicID
	}
	_, err := s.deletableNamed(c, t.Name)
	return t, err
}

func (s *Server) deletableNamed(c call, name string) (*node.Topic, error) {
	all := s.mayCluster(c.conn, kmsg.ACLOperationDelete)
	t := s.topic(name)
	switch {
	case !all && !s.mayTopic(c.conn, kmsg.ACLOperationDescribe, name):
		return nil, kerr.TopicAuthorizationFailed
	case t == nil:
		return nil, kerr.UnknownTopicOrPartition
	case !all && !s.mayTopic(c.conn, kmsg.ACLOperationDelete, name):
		return nil, kerr.TopicAuthorizationFailed
	case t.Internal:
		return nil, fmt.Errorf("%w: %s is the broker's own", kerr.InvalidTopicException, name)
	}
	return t, nil
}

func (s *Server) createPartitions(c call, req *kmsg.CreatePartitionsRequest) {
	resp := kmsg.NewPtrCreatePartitionsResponse()
	again := twice(req.Topics, func(t kmsg.CreatePartitionsRequestTopic) string { return t.Topic })
	told := map[string]bool{}
	for _, t := range req.Topics {
		if told[t.Topic] {
			continue
		}
		told[t.Topic] = true
		answer := kmsg.NewCreatePartitionsResponseTopic()
		answer.Topic = t.Topic
		err := s.checkMore(c, t)
		if err == nil && again[t.Topic] {
			err = fmt.Errorf("%w: the topic comes twice", kerr.InvalidRequest)
		}
		if err == nil {
			err = s.node.AddPartitions(t.Topic, int(t.Count), req.ValidateOnly)
		}
		answer.ErrorCode, answer.ErrorMessage = failure(err)
		resp.Topics = append(resp.Topics, answer)
	}
	c.answer(req, resp)
}

func (s *Server) checkMore(c call, asked kmsg.CreatePartitionsRequestTopic) error {
	t := s.topic(asked.Topic)
	switch {
	case !s.mayTopic(c.conn, kmsg.ACLOperationAlter, asked.Topic):
		return kerr.TopicAuthorizationFailed
	case t == nil:
		return kerr.UnknownTopicOrPartition
	case t.Internal:
		return fmt.Errorf("%w: %s is the broker's own", kerr.InvalidTopicException, t.Name)
	case asked.Assignment != nil && len(asked.Assignment) != int(asked.Count)-len(t.Partitions()):
		return fmt.Errorf("%w: replicas are assigned to %d new partitions of %d", kerr.InvalidReplicaAssignment, len(asked.Assignment), int(asked.Count)-len(t.Partitions()))
	}
	for _, a := range asked.Assignment {
		if len(a.Replicas) != 1 || a.Replicas[0] != NodeID {
			return fmt.Errorf("%w: the only broker is %d", kerr.InvalidReplicaAssignment, NodeID)
		}
	}
	return nil
}
