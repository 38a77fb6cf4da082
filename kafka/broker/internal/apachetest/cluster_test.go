package apachetest

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func metadata(autoCreate bool, topics ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrMetadataRequest()
		req.AllowAutoTopicCreation = autoCreate
		req.IncludeClusterAuthorizedOperations, req.IncludeTopicAuthorizedOperations = true, true
		req.Topics = []kmsg.MetadataRequestTopic{}
		for _, name := range topics {
			t := kmsg.NewMetadataRequestTopic()
			t.Topic = &name
			req.Topics = append(req.Topics, t)
		}
		return req
	}
}

func metadataByID(topics ...string) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{}
		for _, name := range topics {
			t := kmsg.NewMetadataRequestTopic()
			if t.TopicID = s.id(name); name == "other" {
				t.TopicID = [16]byte{1, 2, 3}
			}
			t.Topic = nil
			req.Topics = append(req.Topics, t)
		}
		return req
	}
}

func partitionsOf(limit int32, from *kmsg.DescribeTopicPartitionsRequestCursor, topics ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit, req.Cursor = limit, from
		for _, name := range topics {
			t := kmsg.NewDescribeTopicPartitionsRequestTopic()
			t.Topic = name
			req.Topics = append(req.Topics, t)
		}
		return req
	}
}

func from(topic string, partition int32) *kmsg.DescribeTopicPartitionsRequestCursor {
	c := kmsg.NewDescribeTopicPartitionsRequestCursor()
	c.Topic, c.Partition = topic, partition
	return &c
}

func coordinator(kind int8, keys ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorType, req.CoordinatorKeys = kind, keys
		if len(keys) > 0 {
			req.CoordinatorKey = keys[0]
		}
		return req
	}
}

func elect(kind int8, all bool, topic string, partitions ...int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrElectLeadersRequest()
		req.ElectionType, req.TimeoutMillis = kind, 10_000
		if !all {
			t := kmsg.NewElectLeadersRequestTopic()
			t.Topic, t.Partitions = topic, partitions
			req.Topics = append(req.Topics, t)
		}
		return req
	}
}

func reassign(topic string, partition int32, replicas ...int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
		req.TimeoutMillis = 10_000
		t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
		t.Topic = topic
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Partition, p.Replicas = partition, replicas
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	}
}

func reassignments(topics ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrListPartitionReassignmentsRequest()
		req.TimeoutMillis = 10_000
		for _, name := range topics {
			t := kmsg.NewListPartitionReassignmentsRequestTopic()
			t.Topic, t.Partitions = name, []int32{0, 9}
			req.Topics = append(req.Topics, t)
		}
		return req
	}
}

func logDirs(topic string, partitions ...int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrDescribeLogDirsRequest()
		t := kmsg.NewDescribeLogDirsRequestTopic()
		t.Topic, t.Partitions = topic, partitions
		req.Topics = append(req.Topics, t)
		return req
	}
}

func clusterOf(kind int8, operations bool) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrDescribeClusterRequest()
		req.EndpointType, req.IncludeClusterAuthorizedOperations = kind, operations
		return req
	}
}

func clusterScript() []step {
	return []step{
		{name: "create", request: create(false, topic("c-a", 3), topic("c-b", 2))},
		{name: "metadata", request: metadata(false, "c-a", "c-b")},
		{name: "metadata twice", request: metadata(false, "c-a", "c-a")},
		{name: "metadata of unknown and bad topics", request: metadata(false, "c-none", "", "a b", ".")},
		{name: "metadata that would create", request: metadata(true, "c-none", "a b", "")},
		{name: "metadata by id", request: metadataByID("c-a", "other")},
		{name: "metadata by no id", request: metadataByID(""), differs: "the error says what is wrong", since: 12},
		{name: "cluster", request: clusterOf(1, true)},
		{name: "cluster of controllers", request: clusterOf(2, false)},
		{name: "cluster of a kind that is not", request: clusterOf(5, false)},

		{name: "partitions", request: partitionsOf(2000, nil, "c-a", "c-b", "c-none")},
		{name: "partitions of bad topics", request: partitionsOf(2000, nil, "", "a b"), differs: "the error says what is wrong"},
		{name: "two partitions", request: partitionsOf(2, nil, "c-b", "c-a")},
		{name: "three partitions", request: partitionsOf(3, nil, "c-b", "c-a")},
		{name: "the next ones", request: partitionsOf(2, from("c-a", 2), "c-a", "c-b")},
		{name: "from a partition too far", request: partitionsOf(2, from("c-a", 9), "c-a", "c-b")},
		{name: "from a topic that is not asked for", request: partitionsOf(2, from("c-aa", 1), "c-a", "c-b")},
		{name: "from a partition below 0", request: partitionsOf(2, from("c-a", -1), "c-a")},
		{name: "no partitions", request: partitionsOf(0, nil, "c-a")},
		{name: "a topic twice", request: partitionsOf(9, nil, "c-a", "c-a")},

		{name: "coordinators of groups", request: coordinator(0, "g", "g2")},
		{name: "coordinator of no name", request: coordinator(0, "")},
		{name: "coordinator of a transaction", request: coordinator(1, "x")},
		{name: "coordinator of another kind", request: coordinator(9, "x")},
		{name: "no coordinators", request: coordinator(0)},

		{name: "elect", request: elect(0, false, "c-a", 0, 9)},
		{name: "elect uncleanly", request: elect(1, false, "c-a", 0)},
		{name: "elect in an unknown topic", request: elect(0, false, "c-none", 0)},
		{name: "elect in all", request: elect(0, true, ""), differs: "topics without anything to elect are not named"},
		{name: "reassign to the same", request: reassign("c-a", 0, 1)},
		{name: "reassign to another", request: reassign("c-a", 0, 2)},
		{name: "reassign twice to the same", request: reassign("c-a", 0, 1, 1)},
		{name: "reassign a partition that is not", request: reassign("c-a", 9, 1)},
		{name: "reassign to none", request: func(*side) kmsg.Request {
			req := reassign("c-a", 0)(nil).(*kmsg.AlterPartitionAssignmentsRequest)
			req.Topics[0].Partitions[0].Replicas = []int32{}
			return req
		}},
		{name: "end a reassignment", request: reassign("c-a", 0)},
		{name: "reassignments", request: reassignments()},
		{name: "reassignments of a topic", request: reassignments("c-a", "c-none")},
		{name: "folders", request: logDirs("c-a", 0, 9)},
		{name: "folders of an unknown topic", request: logDirs("c-none", 0)},
		{name: "end", request: deletion(named("c-a"), named("c-b"))},
	}
}
