package server

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (s *Server) offsetCommit(c call, req *kmsg.OffsetCommitRequest) {
	resp := kmsg.NewPtrOffsetCommitResponse()
	if !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group) {
		for _, t := range req.Topics {
			resp.Topics = append(resp.Topics, refusedCommit(t, kerr.GroupAuthorizationFailed))
		}
		c.answer(req, resp)
		return
	}
	ask := *req
	ask.Topics = nil
	var refused []kmsg.OffsetCommitResponseTopic
	for _, t := range req.Topics {
		if s.mayTopic(c.conn, kmsg.ACLOperationRead, t.Topic) {
			ask.Topics = append(ask.Topics, t)
		} else {
			refused = append(refused, refusedCommit(t, kerr.TopicAuthorizationFailed))
		}
	}
	if len(ask.Topics) == 0 { // no group comes of it
		resp.Topics = refused
		c.answer(req, resp)
		return
	}
	s.groups.OffsetCommit(&ask, func(resp *kmsg.OffsetCommitResponse) {
		resp.Topics = append(resp.Topics, refused...)
		c.answer(req, resp)
	})
}

func refusedCommit(t kmsg.OffsetCommitRequestTopic, err *kerr.Error) kmsg.OffsetCommitResponseTopic {
	topic := kmsg.NewOffsetCommitResponseTopic()
	topic.Topic = t.Topic
	for _, p := range t.Partitions {
		answer := kmsg.NewOffsetCommitResponseTopicPartition()
		answer.Partition, answer.ErrorCode = p.Partition, err.Code
		topic.Partitions = append(topic.Partitions, answer)
	}
	return topic
}

// offsetFetch answers for the topics that may be described; of all topics, for those
// alone.
func (s *Server) offsetFetch(c call, req *kmsg.OffsetFetchRequest) {
	if req.Version >= 8 {
		s.offsetFetchGroups(c, req)
		return
	}
	if !s.mayGroup(c.conn, kmsg.ACLOperationDescribe, req.Group) {
		resp := kmsg.NewPtrOffsetFetchResponse()
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		for _, t := range req.Topics {
			resp.Topics = append(resp.Topics, refusedFetch(t, kerr.GroupAuthorizationFailed))
		}
		c.answer(req, resp)
		return
	}
	ask := *req
	ask.Topics = nil
	if asked := (partitions{}); req.Topics != nil {
		ask.Topics = []kmsg.OffsetFetchRequestTopic{} // none, which is not all
		for _, t := range req.Topics {
			t.Partitions = asked.more(t.Topic, t.Partitions)
			ask.Topics = append(ask.Topics, t)
		}
	}
	s.groups.OffsetFetch(&ask, func(resp *kmsg.OffsetFetchResponse) {
		var seen []kmsg.OffsetFetchResponseTopic
		for i, t := range resp.Topics {
			switch {
			case s.mayTopic(c.conn, kmsg.ACLOperationDescribe, t.Topic):
				seen = append(seen, t)
			case i < len(ask.Topics):
				seen = append(seen, hiddenOffsets(t))
			}
		}
		resp.Topics = seen
		c.answer(req, resp)
	})
}

func refusedFetch(t kmsg.OffsetFetchRequestTopic, err *kerr.Error) kmsg.OffsetFetchResponseTopic {
	topic := kmsg.NewOffsetFetchResponseTopic()
	topic.Topic = t.Topic
	for _, index := range t.Partitions {
		p := kmsg.NewOffsetFetchResponseTopicPartition()
		p.Partition, p.Offset, p.ErrorCode = index, -1, err.Code
		topic.Partitions = append(topic.Partitions, p)
	}
	return topic
}

func hiddenOffsets(t kmsg.OffsetFetchResponseTopic) kmsg.OffsetFetchResponseTopic {
	for i := range t.Partitions {
		p := kmsg.NewOffsetFetchResponseTopicPartition()
		p.Partition, p.Offset, p.ErrorCode = t.Partitions[i].Partition, -1, kerr.TopicAuthorizationFailed.Code
		p.Metadata = kmsg.StringPtr("")
		t.Partitions[i] = p
	}
	return t
}

func (s *Server) offsetFetchGroups(c call, req *kmsg.OffsetFetchRequest) {
	ask := *req
	ask.Groups = nil
	var refused []kmsg.OffsetFetchResponseGroup
	all := map[string]bool{} // groups that were asked for all their topics
	for _, g := range distinct(req.Groups, func(g kmsg.OffsetFetchRequestGroup) string { return g.Group }) {
		if s.mayGroup(c.conn, kmsg.ACLOperationDescribe, g.Group) {
			all[g.Group] = g.Topics == nil
			ask.Groups = append(ask.Groups, askedOnce(g))
			continue
		}
		answer := kmsg.NewOffsetFetchResponseGroup()
		answer.Group, answer.ErrorCode = g.Group, kerr.GroupAuthorizationFailed.Code
		refused = append(refused, answer)
	}
	s.groups.OffsetFetch(&ask, func(resp *kmsg.OffsetFetchResponse) {
		for i := range resp.Groups {
			g := &resp.Groups[i]
			var seen []kmsg.OffsetFetchResponseGroupTopic
			for _, t := range g.Topics {
				switch {
				case s.mayTopic(c.conn, kmsg.ACLOperationDescribe, t.Topic):
					seen = append(seen, t)
				case !all[g.Group]:
					seen = append(seen, hiddenGroupOffsets(t))
				}
			}
			g.Topics = seen
		}
		resp.Groups = append(resp.Groups, refused...)
		c.answer(req, resp)
	})
}

// askedOnce is what is asked of a group, each partition once.
func askedOnce(g kmsg.OffsetFetchRequestGroup) kmsg.OffsetFetchRequestGroup {
	asked := partitions{}
	g.Topics = slices.Clone(g.Topics)
	for i := range g.Topics {
		g.Topics[i].Partitions = asked.more(g.Topics[i].Topic, g.Topics[i].Partitions)
	}
	return g
}

func hiddenGroupOffsets(t kmsg.OffsetFetchResponseGroupTopic) kmsg.OffsetFetchResponseGroupTopic {
	for i := range t.Partitions {
		p := kmsg.NewOffsetFetchResponseGroupTopicPartition()
		p.Partition, p.Offset, p.ErrorCode = t.Partitions[i].Partition, -1, kerr.TopicAuthorizationFailed.Code
		p.Metadata = kmsg.StringPtr("")
		t.Partitions[i] = p
	}
	return t
}

func (s *Server) offsetDelete(c call, req *kmsg.OffsetDeleteRequest) {
	if !s.mayGroup(c.conn, kmsg.ACLOperationDelete, req.Group) {
		resp := kmsg.NewPtrOffsetDeleteResponse()
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	ask := *req
	ask.Topics = nil
	var refused []kmsg.OffsetDeleteResponseTopic
	for _, t := range req.Topics {
		if s.mayTopic(c.conn, kmsg.ACLOperationRead, t.Topic) {
			ask.Topics = append(ask.Topics, t)
			continue
		}
		topic := kmsg.NewOffsetDeleteResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			answer := kmsg.NewOffsetDeleteResponseTopicPartition()
			answer.Partition, answer.ErrorCode = p.Partition, kerr.TopicAuthorizationFailed.Code
			topic.Partitions = append(topic.Partitions, answer)
		}
		refused = append(refused, topic)
	}
	s.groups.OffsetDelete(&ask, func(resp *kmsg.OffsetDeleteResponse) {
		s.tellUnknown(resp)
		if resp.ErrorCode == 0 {
			resp.Topics = append(resp.Topics, refused...)
		}
		c.answer(req, resp)
	})
}

// tellUnknown says of partitions that there are not, whose offsets went with their topics,
// that there are none to delete.
func (s *Server) tellUnknown(resp *kmsg.OffsetDeleteResponse) {
	for _, t := range resp.Topics {
		for i := range t.Partitions {
			if p := &t.Partitions[i]; p.ErrorCode == 0 && s.partition(t.Topic, p.Partition) == nil {
				p.ErrorCode = kerr.UnknownTopicOrPartition.Code
			}
		}
	}
}
