package group

import (
	"strings"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// committer is who commits: a member of a generation, or, with generation -1
// and no member, somebody who assigns partitions to himself.
type committer struct {
	member     string
	instance   *string
	generation int32
	txn        bool
}

// OffsetCommit answers when the log holds the offsets, all or none of which
// survive a crash.
func (c *Coordinator) OffsetCommit(req *kmsg.OffsetCommitRequest, reply func(*kmsg.OffsetCommitResponse)) {
	c.core.Do(func() {
		resp := commitResponse(req)
		by := committer{member: req.MemberID, instance: req.InstanceID, generation: req.Generation}
		if req.Version < 1 {
			by = committer{generation: -1}
		}
		if g, err := c.committingGroup(req.Group, by, req.Version); err != nil {
			failCommit(resp, err)
		} else {
			c.extendSession(g, by)
			c.commit(g, req, resp)
			c.forgetUnused(g)
		}
		c.core.Reply(func(err error) {
			if err != nil {
				failCommit(resp, kerr.CoordinatorNotAvailable)
			}
			reply(resp)
		})
	})
}

func commitResponse(req *kmsg.OffsetCommitRequest) *kmsg.OffsetCommitResponse {
	resp := kmsg.NewPtrOffsetCommitResponse()
	for _, topic := range req.Topics {
		t := kmsg.NewOffsetCommitResponseTopic()
		t.Topic, t.TopicID = topic.Topic, topic.TopicID
		for _, p := range topic.Partitions {
			answer := kmsg.NewOffsetCommitResponseTopicPartition()
			answer.Partition = p.Partition
			t.Partitions = append(t.Partitions, answer)
		}
		resp.Topics = append(resp.Topics, t)
	}
	return resp
}

func failCommit(resp *kmsg.OffsetCommitResponse, err *kerr.Error) {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			resp.Topics[i].Partitions[j].ErrorCode = err.Code
		}
	}
}

// committingGroup finds the group that may commit, or makes one for somebody
// who is no member.
func (c *Coordinator) committingGroup(id string, by committer, version int16) (*group, *kerr.Error) {
	if c.core.Unavailable() {
		return nil, kerr.CoordinatorNotAvailable
	}
	if err := checkGroupID(id); err != nil {
		return nil, err
	}
	g := c.groups[id]
	if g == nil && by.generation >= 0 {
		if version >= 9 && !by.txn {
			return nil, kerr.GroupIDNotFound
		}
		return nil, kerr.IllegalGeneration
	}
	if g == nil {
		if g = c.groupOrNew(id); g == nil {
			return nil, kerr.CoordinatorNotAvailable
		}
	}
	return g, g.checkCommit(by)
}

func (g *group) checkCommit(by committer) *kerr.Error {
	if by.generation < 0 && g.state == empty {
		return nil
	}
	if by.generation >= 0 || by.member != "" || by.instance != nil {
		if err := g.checkMember(by.member, by.instance); err != nil {
			return err
		}
		if by.generation != g.generation {
			return kerr.IllegalGeneration
		}
	} else if !by.txn {
		return kerr.UnknownMemberID // a group with members commits through them
	}
	if !by.txn && g.state == completingRebalance {
		return kerr.RebalanceInProgress
	}
	return nil
}

// extendSession takes a commit for a heartbeat.
func (c *Coordinator) extendSession(g *group, by committer) {
	if m := g.members[by.member]; m != nil && (g.state == stable || g.state == preparingRebalance) {
		c.expect(g, m)
	}
}

func (c *Coordinator) commit(g *group, req *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse) {
	now := c.config.Now()
	var records []keylog.Record
	bytes := 0
	for i, topic := range req.Topics {
		name := strings.Clone(topic.Topic)
		for j, p := range topic.Partitions {
			err := c.checkOffset(name, p.Partition, p.Metadata)
			at, o := partition{name, p.Partition}, newOffset(p.Offset, p.LeaderEpoch, p.Metadata, now)
			if err == nil {
				err = c.checkSet(&bytes, g.key(at), o)
			}
			resp.Topics[i].Partitions[j].ErrorCode = code(err)
			if err != nil {
				continue
			}
			if req.Version < 6 {
				o.LeaderEpoch = -1
			}
			if req.Version >= 2 && req.Version <= 4 && req.RetentionTimeMillis >= 0 {
				o.Expires = now.UnixMilli() + req.RetentionTimeMillis
			}
			g.offsets[at] = o
			records = append(records, keylog.Offset(g.key(at), &o))
		}
	}
	c.core.Append(records...)
}

// checkSet bounds what one request has kept, which names its group and topics once and
// may name a partition many times.
func (c *Coordinator) checkSet(bytes *int, key keylog.OffsetKey, o offset) *kerr.Error {
	if *bytes += pendingSize(key, o); *bytes > c.config.MaxSetBytes {
		return kerr.InvalidCommitOffsetSize
	}
	return nil
}

func newOffset(at int64, leaderEpoch int32, metadata *string, now time.Time) offset {
	o := offset{Offset: at, LeaderEpoch: leaderEpoch, Committed: now.UnixMilli(), Expires: -1}
	if metadata != nil {
		o.Metadata = strings.Clone(*metadata)
	}
	return o
}

func (c *Coordinator) checkOffset(topic string, index int32, metadata *string) *kerr.Error {
	if metadata != nil && len(*metadata) > c.config.MaxMetadataBytes {
		return kerr.OffsetMetadataTooLarge
	}
	if topic == "" || len(topic) > keylog.MaxString || index < 0 {
		return kerr.UnknownTopicOrPartition
	}
	if c.config.PartitionExists != nil && !c.config.PartitionExists(topic, index) {
		return kerr.UnknownTopicOrPartition
	}
	return nil
}
