package group

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// replaceStatic gives the place of a static member to whoever comes with its
// group.instance.id anew. A stable group goes on without a rebalance if its
// protocol stays.
func (c *Coordinator) replaceStatic(g *group, j *joining, old *member, id string) {
	wasLeader := g.leader
	m := c.rename(g, old, id)
	c.updateMember(g, m, j)
	c.expect(g, m)
	switch {
	case g.state == stable && g.selectProtocol() == g.protocol:
		g.computeSubscribed()
		c.core.Append(g.record())
		c.answerJoin(g, m, g.rejoined(m, j.Version, wasLeader))
	case g.state == stable:
		c.rebalanceOrComplete(g, "static member "+*m.instance+" changed protocol")
	case g.state == completingRebalance:
		// The leader may be assigning to the old id.
		c.prepareRebalance(g, "static member "+*m.instance+" came back")
	default:
		c.completeIfAllJoined(g)
	}
}

// rename puts a member under another id and fences who used the old one.
func (c *Coordinator) rename(g *group, old *member, id string) *member {
	c.answerJoin(g, old, joinError(old.id, kerr.FencedInstanceID))
	c.answerSync(old, syncError(kerr.FencedInstanceID))
	c.core.Cancel(sessionOf(g, old.id))
	m := *old
	m.id, m.fresh = id, false
	delete(g.members, old.id)
	delete(g.pendingSync, old.id)
	g.members[id] = &m
	g.static[*m.instance] = id
	if g.leader == old.id {
		g.leader = id
	}
	return &m
}

// rejoined answers a static member that came back into a stable group. Since
// version 9 (KIP-814) a leader can be told not to assign. Before, it is told
// that its old id leads, so that it only syncs, and gets what it had.
func (g *group) rejoined(m *member, version int16, wasLeader string) *kmsg.JoinGroupResponse {
	resp := g.joined(m)
	if version >= 9 {
		resp.SkipAssignment = g.leader == m.id
		return resp
	}
	resp.LeaderID, resp.Members = wasLeader, nil
	return resp
}
