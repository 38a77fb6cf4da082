package group

import (
	"maps"
	"slices"
	"time"

	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Replay takes one record of the log, in order, before Start. An error names
// what could not be read; what came before it stays.
func (c *Coordinator) Replay(r keylog.Record) error {
	var err error
	c.core.Do(func() { err = keylog.ReadGroup(r, (*replay)(c)) })
	return err
}

// Start arms the sessions of members that the log knows, who then have the time
// of one to be heard of again, and the retention of offsets.
func (c *Coordinator) Start() {
	c.core.Do(func() {
		for _, id := range slices.Sorted(maps.Keys(c.groups)) {
			g := c.groups[id]
			for _, m := range g.ordered() {
				c.expect(g, m)
			}
			if len(g.members) > c.config.MaxGroupSize {
				c.prepareRebalance(g, "it has more members than allowed")
			}
		}
		c.scheduleRetention()
	})
}

// replay is the coordinator as it takes in the log.
type replay Coordinator

func (r *replay) group(id string) *group {
	g := r.groups[id]
	if g == nil {
		g = newGroup(id, r.config.Now())
		r.groups[id] = g
	}
	return g
}

// dropIfBare forgets a group of which nothing is left.
func (r *replay) dropIfBare(g *group) {
	if !g.stored && len(g.offsets) == 0 && len(g.pending) == 0 {
		delete(r.groups, g.id)
	}
}

// Group takes the metadata of a group.
func (r *replay) Group(id string, v *kmsg.GroupMetadataValue) {
	old := r.group(id)
	g := newGroup(id, r.config.Now())
	g.offsets, g.pending = old.offsets, old.pending
	r.groups[id] = g
	if v == nil {
		r.dropIfBare(g)
		return
	}
	g.stored = true
	for _, m := range v.Members {
		g.add(replayedMember(m, v.Protocol), v.ProtocolType)
	}
	g.protocolType, g.generation = v.ProtocolType, v.Generation
	g.state, g.previous = empty, empty
	if len(g.members) > 0 {
		g.state = stable
	}
	if v.CurrentStateTimestamp >= 0 {
		g.since = time.UnixMilli(v.CurrentStateTimestamp)
	}
	if v.Protocol != nil {
		g.protocol = *v.Protocol
	}
	if v.Leader != nil && g.members[*v.Leader] != nil {
		g.leader = *v.Leader
	}
	g.computeSubscribed()
}

func replayedMember(v kmsg.GroupMetadataValueMember, protocol *string) *member {
	m := &member{
		id: v.MemberID, instance: v.InstanceID, client: v.ClientID, host: v.ClientHost,
		sessionTimeout: milliseconds(v.SessionTimeoutMillis), rebalanceTimeout: milliseconds(v.RebalanceTimeoutMillis),
		assignment: v.Assignment,
	}
	if v.RebalanceTimeoutMillis < 0 { // older than the field
		m.rebalanceTimeout = m.sessionTimeout
	}
	if protocol != nil {
		m.protocols = []kmsg.JoinGroupRequestProtocol{{Name: *protocol, Metadata: v.Subscription}}
	}
	return m
}

// Offset takes a committed offset. Deleting one deletes only that: what is
// pending has records of its own.
func (r *replay) Offset(key keylog.OffsetKey, v *keylog.OffsetValue) {
	g := r.group(key.Group)
	p := partition{key.Topic, key.Partition}
	if v != nil {
		g.offsets[p] = *v
		return
	}
	delete(g.offsets, p)
	r.dropIfBare(g)
}

// Pending takes an offset of a transaction, or that it is pending no more.
func (r *replay) Pending(key keylog.PendingKey, v *keylog.PendingValue) {
	g := r.group(key.Group)
	p := partition{key.Topic, key.Partition}
	if v != nil {
		(*Coordinator)(r).putPending(g, p, key.ProducerID, *v)
		return
	}
	(*Coordinator)(r).dropPendingOffset(g, p, key.ProducerID)
	r.dropIfBare(g)
}
