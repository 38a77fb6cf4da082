package apachetest

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func join(group, member string, session int32, protocols ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.MemberID, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis, req.ProtocolType = group, member, session, 10_000, "consumer"
		for _, name := range protocols {
			p := kmsg.NewJoinGroupRequestProtocol()
			p.Name, p.Metadata = name, []byte{}
			req.Protocols = append(req.Protocols, p)
		}
		return req
	}
}

func syncing(group, member string, generation int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrSyncGroupRequest()
		req.Group, req.MemberID, req.Generation = group, member, generation
		req.ProtocolType, req.Protocol = kmsg.StringPtr("consumer"), kmsg.StringPtr("range")
		return req
	}
}

func beat(group, member string, generation int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.MemberID, req.Generation = group, member, generation
		return req
	}
}

func leave(group string, members ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrLeaveGroupRequest()
		req.Group = group
		for _, name := range members {
			m := kmsg.NewLeaveGroupRequestMember()
			m.MemberID, req.MemberID = name, name
			req.Members = append(req.Members, m)
		}
		return req
	}
}

func commitOf(group, member string, generation int32, topic string, partition int32, offset int64) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.MemberID, req.Generation = group, member, generation
		t := kmsg.NewOffsetCommitRequestTopic()
		t.Topic, t.TopicID = topic, s.id(topic)
		p := kmsg.NewOffsetCommitRequestTopicPartition()
		p.Partition, p.Offset, p.Metadata = partition, offset, kmsg.StringPtr("m")
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return req
	}
}

// offsets of some partitions of a topic, or, of "", of all.
func offsets(group, topic string, partitions ...int32) func(*side) kmsg.Request {
	return func(s *side) kmsg.Request {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Group = group
		g := kmsg.NewOffsetFetchRequestGroup()
		g.Group = group
		if topic != "" {
			t := kmsg.NewOffsetFetchRequestTopic()
			t.Topic, t.Partitions = topic, partitions
			req.Topics = append(req.Topics, t)
			of := kmsg.NewOffsetFetchRequestGroupTopic()
			of.Topic, of.TopicID, of.Partitions = topic, s.id(topic), partitions
			g.Topics = append(g.Topics, of)
		}
		req.Groups = append(req.Groups, g)
		return req
	}
}

func forget(group, topic string, partitions ...int32) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrOffsetDeleteRequest()
		req.Group = group
		t := kmsg.NewOffsetDeleteRequestTopic()
		t.Topic = topic
		for _, index := range partitions {
			p := kmsg.NewOffsetDeleteRequestTopicPartition()
			p.Partition = index
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
		return req
	}
}

func describeGroups(groups ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Groups, req.IncludeAuthorizedOperations = groups, true
		return req
	}
}

func listGroups(states, types []string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrListGroupsRequest()
		req.StatesFilter, req.TypesFilter = states, types
		return req
	}
}

func deleteGroups(groups ...string) func(*side) kmsg.Request {
	return func(*side) kmsg.Request {
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = groups
		return req
	}
}

func groupsScript() []step {
	return []step{
		{name: "create", request: create(false, topic("g-a", 2), topic("g-b", 1))},
		{name: "join no group", request: join("", "", 10_000, "range")},
		{name: "join for too short", request: join("g", "", 1, "range")},
		{name: "join for too long", request: join("g", "", 1<<30, "range")},
		{name: "join without a protocol", request: join("g", "", 10_000)},
		{name: "join as who is not known", request: join("g", "me", 10_000, "range")},
		{name: "sync an unknown group", request: syncing("g", "me", 1)},
		{name: "sync no group", request: syncing("", "me", 1)},
		{name: "beat in an unknown group", request: beat("g", "me", 1)},
		{name: "beat in no group", request: beat("", "me", 1)},
		{name: "leave an unknown group", request: leave("g", "me")},
		{name: "leave no group", request: leave("", "me")},
		{name: "nobody leaves", request: leave("g")},
		{name: "commit as nobody", request: commitOf("g", "", -1, "g-a", 0, 5)},
		{name: "commit as a member of an unknown group", request: commitOf("g-other", "me", 3, "g-a", 0, 5)},
		{name: "commit as a member", request: commitOf("g", "me", 3, "g-a", 0, 5)},
		{name: "commit in no group", request: commitOf("", "", -1, "g-a", 0, 5)},
		{name: "commit of a partition that is not", request: commitOf("g", "", -1, "g-a", 7, 5)},
		{name: "commit of an unknown topic", request: commitOf("g", "", -1, "g-none", 0, 5)},
		{name: "commit below 0", request: commitOf("g", "", -1, "g-a", 1, -7)},
		{name: "commit of a long text", request: func(s *side) kmsg.Request {
			req := commitOf("g", "", -1, "g-a", 1, 7)(s).(*kmsg.OffsetCommitRequest)
			long := string(make([]byte, 5000))
			req.Topics[0].Partitions[0].Metadata = &long
			return req
		}},
		{name: "offsets", request: offsets("g", "g-a", 0, 1, 9)},
		{name: "offsets of an unknown topic", request: offsets("g", "g-none", 0)},
		{name: "offsets of an unknown group", request: offsets("g-none", "g-a", 0)},
		{name: "offsets of no group", request: offsets("", "g-a", 0)},
		{name: "all offsets", request: offsets("g", "")},
		{name: "all offsets of an unknown group", request: offsets("g-none", "")},
		{name: "describe", request: describeGroups("g", "g-none", "")},
		{name: "describe twice", request: describeGroups("g", "g"), differs: "each is answered once"},
		{name: "list", request: listGroups(nil, nil)},
		{name: "list empty ones", request: listGroups([]string{"Empty"}, []string{"classic"})},
		{name: "list stable ones", request: listGroups([]string{"stable"}, []string{"Classic"})},
		{name: "list unknown ones", request: listGroups([]string{"Frozen"}, nil)},
		{name: "list others", request: listGroups(nil, []string{"consumer"})},
		{name: "list what is no type", request: listGroups(nil, []string{"circle"})},
		{name: "forget", request: forget("g", "g-a", 0, 1, 9)},
		{name: "forget in an unknown topic", request: forget("g", "g-none", 0)},
		{name: "forget in an unknown group", request: forget("g-none", "g-a", 0)},
		{name: "forget in no group", request: forget("", "g-a", 0)},
		{name: "offsets are forgotten", request: offsets("g", "g-a", 0)},
		{name: "commit again", request: commitOf("g", "", -1, "g-a", 0, 6)},
		{name: "commit of another topic", request: commitOf("g", "", -1, "g-b", 0, 7)},
		{name: "delete a topic", request: deletion(named("g-b"))},
		{name: "delete", request: deleteGroups("g", "g-none", "")},
		{name: "delete twice", request: deleteGroups("g", "g")},
		{name: "offsets of who is gone", request: offsets("g", "g-a", 0)},
		{name: "end", request: deletion(named("g-a"))},
	}
}
