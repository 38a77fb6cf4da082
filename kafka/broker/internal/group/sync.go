package group

import (
	"bytes"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// SyncGroup answers with the member's assignment, once the leader has sent it
// and the log holds it.
func (c *Coordinator) SyncGroup(req *kmsg.SyncGroupRequest, reply func(*kmsg.SyncGroupResponse)) {
	c.core.Do(func() {
		if err := c.sync(req, reply); err != nil {
			c.core.Now(func() { reply(syncError(err)) })
		}
	})
}

func syncError(err *kerr.Error) *kmsg.SyncGroupResponse {
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.ErrorCode, resp.MemberAssignment = err.Code, []byte{}
	return resp
}

func (c *Coordinator) sync(req *kmsg.SyncGroupRequest, reply func(*kmsg.SyncGroupResponse)) *kerr.Error {
	g, err := c.membership(req.Group)
	if err != nil {
		return err
	}
	if err := g.checkMember(req.MemberID, req.InstanceID); err != nil {
		return err
	}
	if req.Generation != g.generation {
		return kerr.IllegalGeneration
	}
	if differs(req.ProtocolType, g.protocolType) || differs(req.Protocol, g.protocol) {
		return kerr.InconsistentGroupProtocol
	}
	m := g.members[req.MemberID]
	switch g.state {
	case completingRebalance:
		c.awaitAssignment(g, m, reply)
		if g.leader == m.id {
			c.assign(g, req)
		}
	case stable:
		c.synced(g, m)
		m.sync = reply
		c.answerSync(m, g.assigned(m))
	default:
		return kerr.RebalanceInProgress
	}
	return nil
}

// membership finds the group that a member asks for.
func (c *Coordinator) membership(id string) (*group, *kerr.Error) {
	if c.core.Unavailable() {
		return nil, kerr.CoordinatorNotAvailable
	}
	if err := checkMembershipID(id); err != nil {
		return nil, err
	}
	if g := c.groups[id]; g != nil {
		return g, nil
	}
	return nil, kerr.UnknownMemberID
}

func differs(said *string, is string) bool { return said != nil && *said != is }

// awaitAssignment parks a sync; one that waits already is of a connection that
// was given up.
func (c *Coordinator) awaitAssignment(g *group, m *member, reply func(*kmsg.SyncGroupResponse)) {
	c.answerSync(m, syncError(kerr.RebalanceInProgress))
	m.sync = reply
	c.synced(g, m)
}

// synced notes that a member asked for its assignment.
func (c *Coordinator) synced(g *group, m *member) {
	delete(g.pendingSync, m.id)
	if len(g.pendingSync) == 0 {
		c.core.Cancel(syncKey{g})
	}
}

// assign takes over the leader's assignment. Members it left out have none.
func (c *Coordinator) assign(g *group, req *kmsg.SyncGroupRequest) {
	assignments := make(map[string][]byte, len(req.GroupAssignment))
	size := 0
	for _, a := range req.GroupAssignment {
		assignments[a.MemberID] = a.MemberAssignment
		size += len(a.MemberAssignment)
	}
	if size > c.config.MaxGroupBytes {
		c.failSyncs(g, kerr.UnknownServerError)
		c.prepareRebalance(g, "the leader's assignment is too large")
		return
	}
	for _, m := range g.members {
		m.assignment = append([]byte{}, assignments[m.id]...)
	}
	g.transition(stable, c.config.Now())
	g.stored = true
	c.core.Append(g.record())
	for _, m := range g.ordered() {
		if m.sync != nil {
			c.answerSync(m, g.assigned(m))
			c.expect(g, m)
		}
	}
}

func (g *group) assigned(m *member) *kmsg.SyncGroupResponse {
	resp := kmsg.NewPtrSyncGroupResponse()
	resp.ProtocolType, resp.Protocol = kmsg.StringPtr(g.protocolType), kmsg.StringPtr(g.protocol)
	resp.MemberAssignment = append([]byte{}, m.assignment...)
	return resp
}

// answerSync answers a member's waiting sync, if there is one.
func (c *Coordinator) answerSync(m *member, resp *kmsg.SyncGroupResponse) {
	reply := m.sync
	if reply == nil {
		return
	}
	m.sync = nil
	c.core.Reply(func(err error) {
		if err != nil {
			resp = syncError(kerr.CoordinatorNotAvailable)
		}
		reply(resp)
	})
}

// failSyncs tells all who wait for an assignment that there will be none.
func (c *Coordinator) failSyncs(g *group, err *kerr.Error) {
	for _, m := range g.ordered() {
		m.assignment = []byte{}
		if m.sync != nil {
			c.answerSync(m, syncError(err))
			c.expect(g, m)
		}
	}
}

// metadata is what the log keeps of a group.
func (g *group) metadata() *kmsg.GroupMetadataValue {
	v := kmsg.NewGroupMetadataValue()
	v.ProtocolType, v.Generation, v.CurrentStateTimestamp = g.protocolType, g.generation, g.since.UnixMilli()
	if g.protocol != "" {
		v.Protocol = kmsg.StringPtr(g.protocol)
	}
	if g.leader != "" {
		v.Leader = kmsg.StringPtr(g.leader)
	}
	for _, m := range g.ordered() {
		kept := kmsg.NewGroupMetadataValueMember()
		kept.MemberID, kept.InstanceID, kept.ClientID, kept.ClientHost = m.id, m.instance, m.client, m.host
		kept.RebalanceTimeoutMillis, kept.SessionTimeoutMillis = toMillis(m.rebalanceTimeout), toMillis(m.sessionTimeout)
		kept.Subscription, kept.Assignment = m.metadata(g.protocol), bytes.Clone(m.assignment)
		v.Members = append(v.Members, kept)
	}
	return &v
}
