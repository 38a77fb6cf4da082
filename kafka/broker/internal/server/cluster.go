package server

import (
	"github.com/pabal-dev/pabal/kafka/broker/internal/node"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (s *Server) describeLogDirs(c call, req *kmsg.DescribeLogDirsRequest) {
	resp := kmsg.NewPtrDescribeLogDirsResponse()
	if !s.mayCluster(c.conn, kmsg.ACLOperationDescribe) {
		resp.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	dir := kmsg.NewDescribeLogDirsResponseDir()
	dir.Dir = s.config.Dir
	dir.TotalBytes, dir.UsableBytes = -1, -1 // not known
	if s.node.Failed() != nil {
		dir.ErrorCode = kerr.KafkaStorageError.Code
	}
	wanted := wantedPartitions(req)
	for _, t := range s.node.Topics() {
		topic := kmsg.NewDescribeLogDirsResponseDirTopic()
		topic.Topic = t.Name
		for _, p := range t.Partitions() {
			if wanted(p) {
				partition := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
				partition.Partition, partition.Size = p.Index, p.Log().Size()
				topic.Partitions = append(topic.Partitions, partition)
			}
		}
		if len(topic.Partitions) > 0 {
			dir.Topics = append(dir.Topics, topic)
		}
	}
	resp.Dirs = append(resp.Dirs, dir)
	c.answer(req, resp)
}

func wantedPartitions(req *kmsg.DescribeLogDirsRequest) func(*node.Partition) bool {
	if req.Topics == nil {
		return func(*node.Partition) bool { return true }
	}
	type key struct {
		topic string
		index int32
	}
	wanted := map[key]bool{}
	for _, t := range req.Topics {
		for _, index := range t.Partitions {
			wanted[key{t.Topic, index}] = true
		}
	}
	return func(p *node.Partition) bool { return wanted[key{p.Topic.Name, p.Index}] }
}

// electLeaders has nothing to do: the only broker leads.
func (s *Server) electLeaders(c call, req *kmsg.ElectLeadersRequest) {
	resp := kmsg.NewPtrElectLeadersResponse()
	var refused *kerr.Error
	if !s.mayCluster(c.conn, kmsg.ACLOperationAlter) {
		refused = kerr.ClusterAuthorizationFailed
		resp.ErrorCode = refused.Code
	}
	for _, t := range req.Topics {
		topic := kmsg.NewElectLeadersResponseTopic()
		topic.Topic = t.Topic
		for _, index := range t.Partitions {
			p := kmsg.NewElectLeadersResponseTopicPartition()
			err := kerr.ElectionNotNeeded
			switch {
			case refused != nil:
				err = refused
			case s.partition(t.Topic, index) == nil:
				err = kerr.UnknownTopicOrPartition
			}
			p.Partition = index
			p.ErrorCode, p.ErrorMessage = failure(err)
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.answer(req, resp)
}

// alterAssignments lets partitions be where they are, and nowhere else.
func (s *Server) alterAssignments(c call, req *kmsg.AlterPartitionAssignmentsRequest) {
	resp := kmsg.NewPtrAlterPartitionAssignmentsResponse()
	refused := !s.mayCluster(c.conn, kmsg.ACLOperationAlter)
	if refused {
		resp.ErrorCode, resp.ErrorMessage = failure(kerr.ClusterAuthorizationFailed)
	}
	for _, t := range req.Topics {
		topic := kmsg.NewAlterPartitionAssignmentsResponseTopic()
		topic.Topic = t.Topic
		for _, asked := range t.Partitions {
			p := kmsg.NewAlterPartitionAssignmentsResponseTopicPartition()
			p.Partition = asked.Partition
			if p.ErrorCode, p.ErrorMessage = resp.ErrorCode, resp.ErrorMessage; !refused {
				p.ErrorCode, p.ErrorMessage = failure(s.checkReassignment(t.Topic, asked))
			}
			topic.Partitions = append(topic.Partitions, p)
		}
		resp.Topics = append(resp.Topics, topic)
	}
	c.answer(req, resp)
}

func (s *Server) checkReassignment(topic string, p kmsg.AlterPartitionAssignmentsRequestTopicPartition) error {
	switch {
	case s.partition(topic, p.Partition) == nil:
		return kerr.UnknownTopicOrPartition
	case p.Replicas == nil:
		return kerr.NoReassignmentInProgress
	case len(p.Replicas) != 1 || p.Replicas[0] != NodeID:
		return kerr.InvalidReplicaAssignment
	}
	return nil
}

func (s *Server) listReassignments(c call, req *kmsg.ListPartitionReassignmentsRequest) {
	resp := kmsg.NewPtrListPartitionReassignmentsResponse()
	if !s.mayCluster(c.conn, kmsg.ACLOperationDescribe) {
		resp.ErrorCode, resp.ErrorMessage = failure(kerr.ClusterAuthorizationFailed)
	}
	c.answer(req, resp)
}
