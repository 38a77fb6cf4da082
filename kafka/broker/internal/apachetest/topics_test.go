package apachetest

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

type newTopic = kmsg.CreateTopicsRequestTopic

func topic(name string, partitions int32, change ...func(*newTopic)) newTopic {
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, partitions, 1
	for _, c := range change {
		c(&t)
	}
	return t
}

func with(name, value string) func(*newTopic) {
	return func(t *newTopic) {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = name, &value
		t.Configs = append(t.Configs, c)
	}
}

func assigned(t *newTopic, partition int32, replicas ...int32) {
	a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
	a.Partition, a.Replicas = partition, replicas
	t.ReplicaAssignment = append(t.ReplicaAssignment, a)
	t.NumPartitions, t.ReplicationFactor = -1, -1
}

func create(only bool, topics ...newTopic) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrCreateTopicsRequest()
		req.Topics, req.ValidateOnly, req.TimeoutMillis = topics, only, 30_000
		return req
	}
}

// deletion is of a topic by name or, since version 6, by id.
func deletion(of ...func(*side) kmsg.DeleteTopicsRequestTopic) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrDeleteTopicsRequest()
		req.TimeoutMillis = 30_000
		for _, f := range of {
			t := f(s)
			req.Topics = append(req.Topics, t)
			if t.Topic != nil {
				req.TopicNames = append(req.TopicNames, *t.Topic)
			}
		}
		return req
	}
}

func named(name string) func(*side) kmsg.DeleteTopicsRequestTopic {
	return func(*side) kmsg.DeleteTopicsRequestTopic {
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = &name
		return t
	}
}

func withID(name string) func(*side) kmsg.DeleteTopicsRequestTopic {
	return func(s *side) kmsg.DeleteTopicsRequestTopic {
		t := kmsg.NewDeleteTopicsRequestTopic()
		if t.TopicID = s.id(name); name == "other" {
			t.TopicID = [16]byte{1, 2, 3}
		}
		return t
	}
}

func grow(only bool, topics ...kmsg.CreatePartitionsRequestTopic) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrCreatePartitionsRequest()
		req.Topics, req.ValidateOnly, req.TimeoutMillis = topics, only, 30_000
		return req
	}
}

func grown(name string, count int32, replicas ...[]int32) kmsg.CreatePartitionsRequestTopic {
	t := kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = name, count
	for _, r := range replicas {
		a := kmsg.NewCreatePartitionsRequestTopicAssignment()
		a.Replicas = r
		t.Assignment = append(t.Assignment, a)
	}
	return t
}

func topicsScript() []step {
	long := strings.Repeat("x", 250)
	return []step{
		{name: "create", request: create(false, topic("t-a", 1, with("retention.ms", "1000")))},
		{name: "create again", request: create(false, topic("t-a", 1))},
		{name: "create with a colliding name", request: create(false, topic("t.a", 1), topic("t_a", 1)), differs: "names that collide are refused within a request too"},
		{name: "create without partitions", request: create(false, topic("t-b", 0))},
		{name: "create with -2 partitions", request: create(false, topic("t-b", -2))},
		{name: "create with far too many partitions", request: create(false, topic("t-b", 2_000_000)), differs: "the error says what is wrong"},
		{name: "create with two replicas", request: create(false, topic("t-b", 1, func(t *newTopic) { t.ReplicationFactor = 2 }))},
		{name: "create without replicas", request: create(false, topic("t-b", 1, func(t *newTopic) { t.ReplicationFactor = 0 }))},
		{name: "create with -2 replicas", request: create(false, topic("t-b", 1, func(t *newTopic) { t.ReplicationFactor = -2 }))},
		{name: "create with defaults", request: create(false, topic("t-default", -1, func(t *newTopic) { t.ReplicationFactor = -1 }))},
		{name: "create bad names", request: create(false, topic("", 1), topic(".", 1), topic("..", 1), topic("a b", 1), topic("ä", 1), topic(long, 1))},
		{name: "create the longest name", request: create(false, topic(long[:249], 1))},
		{name: "create with an unknown setting", request: create(false, topic("t-b", 1, with("retention", "1")))},
		{name: "create with a bad value", request: create(false, topic("t-b", 1, with("retention.ms", "soon")))},
		{name: "create with a value out of range", request: create(false, topic("t-b", 1, with("retention.ms", "-2")))},
		{name: "create with a null value", request: create(false, topic("t-b", 1, func(t *newTopic) {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name = "retention.ms"
			t.Configs = append(t.Configs, c)
		}))},
		{name: "create with a setting twice", request: create(false, topic("t-twice", 1, with("retention.ms", "1"), with("retention.ms", "2")))},
		{name: "create with replicas", request: create(false, topic("t-c", 1, func(t *newTopic) { assigned(t, 1, 1); assigned(t, 0, 1) }))},
		{name: "create with replicas and a number", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0, 1); t.NumPartitions = 1 }))},
		{name: "create with replicas and a factor", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0, 1); t.ReplicationFactor = 1 }))},
		{name: "create with replicas elsewhere", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0, 7) }))},
		{name: "create with a replica twice", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0, 1, 1) }))},
		{name: "create with no replicas", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0) }))},
		{name: "create with replicas of partitions 0 and 2", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0, 1); assigned(t, 2, 1) }))},
		{name: "create with a partition twice", request: create(false, topic("t-d", 1, func(t *newTopic) { assigned(t, 0, 1); assigned(t, 0, 1) }))},
		{name: "create twice in one request", request: create(false, topic("t-d", 1), topic("t-d", 2), topic("t-e", 1))},
		{name: "validate", request: create(true, topic("t-f", 3, with("cleanup.policy", "compact")), topic("t-a", 1), topic("t-g", 0))},
		{name: "validate leaves nothing", request: metadata(false, "t-f")},
		{name: "create an internal topic", request: create(false, topic("__consumer_offsets", 1))},
		{name: "create nothing", request: create(false)},

		{name: "grow an unknown topic", request: grow(false, grown("t-none", 3))},
		{name: "grow a bad name", request: grow(false, grown("", 3), grown("a b", 3))},
		{name: "grow to fewer", request: grow(false, grown("t-c", 1))},
		{name: "grow to as many", request: grow(false, grown("t-c", 2))},
		{name: "grow to none", request: grow(false, grown("t-c", 0), grown("t-a", -1))},
		{name: "grow twice in one request", request: grow(false, grown("t-c", 3), grown("t-c", 4))},
		{name: "grow to validate", request: grow(true, grown("t-c", 9))},
		{name: "grow", request: grow(false, grown("t-c", 3))},
		{name: "grow with replicas", request: grow(false, grown("t-c", 5, []int32{1}, []int32{1}))},
		{name: "grow with too few replicas", request: grow(false, grown("t-c", 7, []int32{1}))},
		{name: "grow with replicas elsewhere", request: grow(false, grown("t-c", 6, []int32{2}))},
		{name: "grow with no replicas", request: grow(false, grown("t-c", 6, []int32{}))},
		{name: "it has grown", request: metadata(false, "t-c")},

		{name: "delete an unknown topic", request: deletion(named("t-none"))},
		{name: "delete bad names", request: deletion(named(""), named("a b"))},
		{name: "delete twice in one request", request: deletion(named("t-twice"), named("t-twice"))},
		{name: "delete", request: deletion(named("t-twice"), named("t-none"))},
		{name: "delete again", request: deletion(named("t-twice"))},
		{name: "delete nothing", request: deletion()},
		{name: "know ids", request: metadata(false, "t-a", "t-c", "t-e", "t-default")},
		{name: "delete by an unknown id", request: deletion(withID("other"))},
		{name: "delete by no id", request: deletion(withID(""))},
		{name: "delete by name and id", request: deletion(func(s *side) kmsg.DeleteTopicsRequestTopic {
			t := withID("t-a")(s)
			t.Topic = kmsg.StringPtr("t-a")
			return t
		})},
		{name: "delete by name, then by id", request: deletion(named("t-a"), withID("t-a")), differs: "the answer is to the first", since: 6},
		{name: "delete by id", request: deletion(withID("t-a"))},
		{name: "what is left", request: metadata(false, "t-a", "t-c", "t-e", "t-default")},
		{name: "delete the rest", request: deletion(named("t-a"), named("t-c"), named("t-e"), named("t-default"), named(long[:249]), named("t.a"), named("t_a"), named("t-d"))},
	}
}
