package group

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetFetch answers with offsets that are durable. Where the request wants
// stable ones, those that an open transaction may replace are errors.
func (c *Coordinator) OffsetFetch(req *kmsg.OffsetFetchRequest, reply func(*kmsg.OffsetFetchResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrOffsetFetchResponse()
		if req.Version >= 8 {
			for _, g := range req.Groups {
				resp.Groups = append(resp.Groups, c.fetch(g, req.RequireStable))
			}
		} else {
			c.fetchOne(req, resp)
		}
		c.core.Reply(func(err error) {
			if err != nil {
				resp = unavailable(req)
			}
			reply(resp)
		})
	})
}

func unavailable(req *kmsg.OffsetFetchRequest) *kmsg.OffsetFetchResponse {
	resp := kmsg.NewPtrOffsetFetchResponse()
	if req.Version < 8 {
		resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
	}
	for _, g := range req.Groups {
		answer := kmsg.NewOffsetFetchResponseGroup()
		answer.Group, answer.ErrorCode = g.Group, kerr.CoordinatorNotAvailable.Code
		resp.Groups = append(resp.Groups, answer)
	}
	return resp
}

// fetchOne is the form up to version 7: one group, whose error is that of all.
func (c *Coordinator) fetchOne(req *kmsg.OffsetFetchRequest, resp *kmsg.OffsetFetchResponse) {
	one := kmsg.NewOffsetFetchRequestGroup()
	one.Group = req.Group
	if req.Topics != nil || req.Version < 2 {
		one.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
	}
	for _, t := range req.Topics {
		topic := kmsg.NewOffsetFetchRequestGroupTopic()
		topic.Topic, topic.Partitions = t.Topic, t.Partitions
		one.Topics = append(one.Topics, topic)
	}
	fetched := c.fetch(one, req.RequireStable)
	resp.ErrorCode = fetched.ErrorCode
	for _, t := range fetched.Topics {
		topic := kmsg.NewOffsetFetchResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			topic.Partitions = append(topic.Partitions, kmsg.OffsetFetchResponseTopicPartition(p))
		}
		resp.Topics = append(resp.Topics, topic)
	}
}

// fetch answers for one group; topics that are nil stand for all.
func (c *Coordinator) fetch(req kmsg.OffsetFetchRequestGroup, needStable bool) kmsg.OffsetFetchResponseGroup {
	resp := kmsg.NewOffsetFetchResponseGroup()
	resp.Group = req.Group
	g := c.groups[req.Group]
	if req.Topics == nil {
		if g != nil {
			resp.Topics = g.fetchAll(needStable)
		}
		return resp
	}
	for _, t := range req.Topics {
		topic := kmsg.NewOffsetFetchResponseGroupTopic()
		topic.Topic, topic.TopicID = t.Topic, t.TopicID
		for _, index := range t.Partitions {
			topic.Partitions = append(topic.Partitions, g.fetchPartition(partition{t.Topic, index}, needStable))
		}
		resp.Topics = append(resp.Topics, topic)
	}
	return resp
}

func (g *group) fetchAll(needStable bool) []kmsg.OffsetFetchResponseGroupTopic {
	var topics []kmsg.OffsetFetchResponseGroupTopic
	for _, p := range slices.SortedFunc(maps.Keys(g.offsets), comparePartitions) {
		if n := len(topics); n == 0 || topics[n-1].Topic != p.topic {
			topic := kmsg.NewOffsetFetchResponseGroupTopic()
			topic.Topic = p.topic
			topics = append(topics, topic)
		}
		last := &topics[len(topics)-1]
		last.Partitions = append(last.Partitions, g.fetchPartition(p, needStable))
	}
	return topics
}

// fetchPartition works for a group that there is not: it has no offsets.
func (g *group) fetchPartition(p partition, needStable bool) kmsg.OffsetFetchResponseGroupTopicPartition {
	resp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
	resp.Partition, resp.Offset, resp.LeaderEpoch, resp.Metadata = p.index, -1, -1, kmsg.StringPtr("")
	if g == nil {
		return resp
	}
	if needStable && len(g.pending[p]) > 0 {
		resp.ErrorCode = kerr.UnstableOffsetCommit.Code
		return resp
	}
	if o, ok := g.offsets[p]; ok {
		resp.Offset, resp.LeaderEpoch, resp.Metadata = o.Offset, o.LeaderEpoch, kmsg.StringPtr(o.Metadata)
	}
	return resp
}
