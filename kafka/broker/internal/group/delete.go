package group

import (
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// OffsetDelete deletes offsets of topics that no member reads.
func (c *Coordinator) OffsetDelete(req *kmsg.OffsetDeleteRequest, reply func(*kmsg.OffsetDeleteResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrOffsetDeleteResponse()
		if g, err := c.groupToDeleteFrom(req.Group); err != nil {
			resp.ErrorCode = err.Code
		} else {
			resp.Topics = c.deleteOffsets(g, req.Topics)
		}
		c.core.Reply(func(err error) {
			if err != nil {
				resp = kmsg.NewPtrOffsetDeleteResponse()
				resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) groupToDeleteFrom(id string) (*group, *kerr.Error) {
	if c.core.Unavailable() {
		return nil, kerr.CoordinatorNotAvailable
	}
	if err := checkMembershipID(id); err != nil {
		return nil, err
	}
	g := c.groups[id]
	if g == nil {
		return nil, kerr.GroupIDNotFound
	}
	if g.state != empty && g.protocolType != consumerProtocol {
		return nil, kerr.NonEmptyGroup
	}
	return g, nil
}

func (c *Coordinator) deleteOffsets(g *group, topics []kmsg.OffsetDeleteRequestTopic) []kmsg.OffsetDeleteResponseTopic {
	var answers []kmsg.OffsetDeleteResponseTopic
	var records []keylog.Record
	for _, t := range topics {
		topic := kmsg.NewOffsetDeleteResponseTopic()
		topic.Topic = t.Topic
		for _, p := range t.Partitions {
			answer := kmsg.NewOffsetDeleteResponseTopicPartition()
			answer.Partition = p.Partition
			if g.subscribesTo(t.Topic) {
				answer.ErrorCode = kerr.GroupSubscribedToTopic.Code
			} else {
				records = append(records, c.forget(g, partition{t.Topic, p.Partition})...)
			}
			topic.Partitions = append(topic.Partitions, answer)
		}
		answers = append(answers, topic)
	}
	c.appendSplit(records)
	return answers
}

// DeleteGroups deletes groups without members, with their offsets.
func (c *Coordinator) DeleteGroups(req *kmsg.DeleteGroupsRequest, reply func(*kmsg.DeleteGroupsResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrDeleteGroupsResponse()
		for _, id := range req.Groups {
			answer := kmsg.NewDeleteGroupsResponseGroup()
			answer.Group, answer.ErrorCode = id, code(c.deleteGroup(id))
			resp.Groups = append(resp.Groups, answer)
		}
		c.core.Reply(func(err error) {
			for i := range resp.Groups {
				if err != nil {
					resp.Groups[i].ErrorCode = kerr.CoordinatorNotAvailable.Code
				}
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) deleteGroup(id string) *kerr.Error {
	g := c.groups[id]
	switch {
	case c.core.Unavailable():
		return kerr.CoordinatorNotAvailable
	case g == nil:
		return kerr.GroupIDNotFound
	case g.state != empty:
		return kerr.NonEmptyGroup
	}
	var records []keylog.Record
	for _, p := range g.partitions() {
		records = append(records, c.forget(g, p)...)
	}
	c.remove(g, records)
	return nil
}

// remove forgets a group without members; records delete its offsets.
func (c *Coordinator) remove(g *group, records []keylog.Record) {
	for id := range g.pendingJoin {
		c.core.Cancel(sessionOf(g, id))
	}
	if g.stored {
		records = append(records, keylog.Group(g.id, nil))
	}
	c.appendSplit(records)
	delete(c.groups, g.id)
}

// TopicDeleted deletes all offsets of a topic, and calls done when that is
// durable. It may be repeated.
func (c *Coordinator) TopicDeleted(topic string, done func(error)) {
	c.core.Do(func() {
		var records []keylog.Record
		for _, id := range slices.Sorted(maps.Keys(c.groups)) {
			g := c.groups[id]
			for _, p := range g.partitions() {
				if p.topic == topic {
					records = append(records, c.forget(g, p)...)
				}
			}
		}
		c.appendSplit(records)
		c.core.Reply(done)
	})
}

type retentionKey struct{}

func (c *Coordinator) scheduleRetention() {
	c.core.Set(retentionKey{}, c.config.Now().Add(c.config.RetentionCheck), func() {
		c.expireOffsets(c.config.Now())
		c.scheduleRetention()
	})
}

// expireOffsets deletes offsets that nobody used for the retention time, and
// groups that have nothing left.
func (c *Coordinator) expireOffsets(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[id]
		var records []keylog.Record
		for _, p := range slices.SortedFunc(maps.Keys(g.offsets), comparePartitions) {
			if c.expired(g, p, now) {
				records = append(records, c.forget(g, p)...)
			}
		}
		if g.state == empty && len(g.offsets) == 0 && len(g.pending) == 0 && len(g.pendingJoin) == 0 {
			c.remove(g, records)
			continue
		}
		c.appendSplit(records)
	}
}

// expired counts the retention from when the group became empty; in a group
// with consumers, for topics that none reads, from the commit; for who is in no
// group, from the commit.
func (c *Coordinator) expired(g *group, p partition, now time.Time) bool {
	o := g.offsets[p]
	since := time.UnixMilli(o.Committed)
	switch {
	case len(g.pending[p]) > 0:
		return false
	case g.protocolType == "":
	case g.state == empty:
		since = g.since
	case g.state == stable && g.knowsSubscribed && !g.subscribesTo(p.topic):
	default:
		return false
	}
	if o.Expires >= 0 {
		return now.UnixMilli() >= o.Expires
	}
	return now.Sub(since) >= c.config.OffsetsRetention
}
