package group

import (
	"github.com/pabal-dev/pabal/kafka/broker/internal/keylog"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// joining is a JoinGroup request on its way through the coordinator.
type joining struct {
	*kmsg.JoinGroupRequest
	client Client
	reply  func(*kmsg.JoinGroupResponse)
}

// JoinGroup answers when the group's next generation has formed, or at once
// where it refuses. It keeps what req points to only as copies.
func (c *Coordinator) JoinGroup(client Client, req *kmsg.JoinGroupRequest, reply func(*kmsg.JoinGroupResponse)) {
	c.core.Do(func() { c.join(&joining{req, client, reply}) })
}

// refuse answers a join with an error.
func (c *Coordinator) refuse(j *joining, memberID string, err *kerr.Error) {
	resp := joinError(memberID, err)
	c.core.Now(func() { j.reply(resp) })
}

func joinError(memberID string, err *kerr.Error) *kmsg.JoinGroupResponse {
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.ErrorCode, resp.MemberID, resp.Generation = err.Code, memberID, -1
	return resp
}

func (c *Coordinator) join(j *joining) {
	if err := c.checkJoin(j); err != nil {
		c.refuse(j, j.MemberID, err)
		return
	}
	j.Protocols = distinct(j.Protocols)
	g := c.groups[j.Group]
	if g == nil && j.MemberID != "" {
		c.refuse(j, j.MemberID, kerr.UnknownMemberID)
		return
	}
	if g == nil {
		if g = c.groupOrNew(j.Group); g == nil {
			c.refuse(j, "", kerr.CoordinatorNotAvailable)
			return
		}
	}
	defer c.forgetUnused(g)
	switch {
	case !c.accepts(g, j):
		c.drop(g, j.MemberID)
		c.refuse(j, "", kerr.GroupMaxSizeReached)
	case !g.supports(j.ProtocolType, j.Protocols):
		c.refuse(j, j.MemberID, kerr.InconsistentGroupProtocol)
	case j.MemberID == "":
		c.joinNew(g, j)
	case g.pendingJoin[j.MemberID]:
		c.joinPending(g, j)
	default:
		c.joinAgain(g, j)
	}
}

func (c *Coordinator) checkJoin(j *joining) *kerr.Error {
	if c.core.Unavailable() {
		return kerr.CoordinatorNotAvailable
	}
	if err := checkMembershipID(j.Group); err != nil {
		return err
	}
	session := milliseconds(j.SessionTimeoutMillis)
	if session < c.config.MinSessionTimeout || session > c.config.MaxSessionTimeout {
		return kerr.InvalidSessionTimeout
	}
	if j.InstanceID != nil && (*j.InstanceID == "" || len(*j.InstanceID) > maxName) {
		return kerr.InvalidRequest
	}
	if len(j.ProtocolType) > keylog.MaxString {
		return kerr.InconsistentGroupProtocol
	}
	for _, p := range j.Protocols {
		if p.Name == "" || len(p.Name) > keylog.MaxString {
			return kerr.InconsistentGroupProtocol
		}
	}
	if j.Version < 1 { // the field came later, with the session timeout as its stand-in
		j.RebalanceTimeoutMillis = j.SessionTimeoutMillis
	}
	return nil
}

// accepts says whether a group has room. During a rebalance only those count
// who have joined again, so that the last ones to do so are put out.
func (c *Coordinator) accepts(g *group, j *joining) bool {
	m := g.members[j.MemberID]
	bytes := g.bytes + protocolBytes(j.Protocols)
	if m != nil {
		bytes -= protocolBytes(m.protocols)
	}
	if bytes > c.config.MaxGroupBytes {
		return false
	}
	if j.MemberID == "" && len(g.pendingJoin) >= c.config.MaxGroupSize {
		return false
	}
	switch g.state {
	case preparingRebalance:
		room := m != nil || j.replaces(g) || len(g.members) < 2*c.config.MaxGroupSize // static members stay while away
		return m != nil && m.join != nil || room && g.awaiting < c.config.MaxGroupSize
	case completingRebalance, stable:
		return m != nil || j.replaces(g) || len(g.members) < c.config.MaxGroupSize
	}
	return true
}

// replaces says whether a static member comes back under a new id.
func (j *joining) replaces(g *group) bool {
	return j.MemberID == "" && j.InstanceID != nil && g.static[*j.InstanceID] != ""
}

// drop puts out a member that its group has no room for.
func (c *Coordinator) drop(g *group, id string) {
	if m := g.members[id]; m != nil {
		c.expel(g, m)
		c.afterRemoval(g, "a member too many")
		return
	}
	if g.pendingJoin[id] {
		c.dropPending(g, id)
	}
}

func (c *Coordinator) joinNew(g *group, j *joining) {
	switch {
	case j.InstanceID != nil:
		id := cut(*j.InstanceID) + "-" + c.config.NewID()
		if old := g.static[*j.InstanceID]; old != "" {
			c.replaceStatic(g, j, g.members[old], id)
			return
		}
		c.addMember(g, j, id)
	case j.Version >= 4: // KIP-394: the member shows first that it got its id
		id := cut(j.client.ID) + "-" + c.config.NewID()
		g.pendingJoin[id] = true
		c.core.Set(sessionOf(g, id), c.config.Now().Add(milliseconds(j.SessionTimeoutMillis)), func() { c.dropPending(g, id) })
		c.refuse(j, id, kerr.MemberIDRequired)
	default:
		c.addMember(g, j, cut(j.client.ID)+"-"+c.config.NewID())
	}
}

// joinPending lets in who comes with the id it was given. An id is given to
// dynamic members only.
func (c *Coordinator) joinPending(g *group, j *joining) {
	if j.InstanceID != nil {
		c.refuse(j, j.MemberID, kerr.UnknownMemberID)
		return
	}
	c.addMember(g, j, j.MemberID)
}

func (c *Coordinator) joinAgain(g *group, j *joining) {
	if err := g.checkMember(j.MemberID, j.InstanceID); err != nil {
		c.refuse(j, j.MemberID, err)
		return
	}
	m := g.members[j.MemberID]
	unchanged := m.matches(j.Protocols)
	switch {
	case g.state == completingRebalance && unchanged, g.state == stable && unchanged && g.leader != m.id:
		// The answer was lost, or the member is to go on: it may sync.
		resp := g.joined(m)
		c.core.Reply(func(err error) { j.reply(joinedOr(err, resp)) })
	case g.state == empty:
		c.refuse(j, j.MemberID, kerr.UnknownMemberID)
	default:
		c.updateMember(g, m, j)
		c.rebalanceOrComplete(g, "member "+m.id+" joins again")
	}
}

func (c *Coordinator) addMember(g *group, j *joining, id string) {
	m := &member{
		id: id, client: cut(j.client.ID), host: cut(j.client.Host), fresh: true,
		rebalanceTimeout: milliseconds(j.RebalanceTimeoutMillis), sessionTimeout: milliseconds(j.SessionTimeoutMillis),
		protocols: j.Protocols, join: j.reply,
	}
	if j.InstanceID != nil {
		instance := *j.InstanceID
		m.instance = &instance
	}
	if g.state == preparingRebalance && g.previous == empty {
		g.joinedLate = true
	}
	g.add(m, j.ProtocolType)
	c.expectWithin(g, m, c.config.NewMemberTimeout)
	c.rebalanceOrComplete(g, "new member "+id)
}

// updateMember takes over what a member says now. A join of it that still
// waits is of a connection that was given up.
func (c *Coordinator) updateMember(g *group, m *member, j *joining) {
	c.answerJoin(g, m, joinError(m.id, kerr.RebalanceInProgress))
	g.count(m.protocols, -1)
	m.protocols = j.Protocols
	g.count(m.protocols, 1)
	m.rebalanceTimeout, m.sessionTimeout = milliseconds(j.RebalanceTimeoutMillis), milliseconds(j.SessionTimeoutMillis)
	m.join = j.reply
	g.awaiting++
}

// answerJoin answers a member's waiting join, if there is one.
func (c *Coordinator) answerJoin(g *group, m *member, resp *kmsg.JoinGroupResponse) {
	reply := m.join
	if reply == nil {
		return
	}
	m.join = nil
	g.awaiting--
	c.core.Reply(func(err error) { reply(joinedOr(err, resp)) })
}

// joinedOr is resp, or an error where the log failed.
func joinedOr(err error, resp *kmsg.JoinGroupResponse) *kmsg.JoinGroupResponse {
	if err != nil {
		return joinError(resp.MemberID, kerr.CoordinatorNotAvailable)
	}
	return resp
}

// joined tells a member of the generation; the leader learns of all members.
func (g *group) joined(m *member) *kmsg.JoinGroupResponse {
	resp := kmsg.NewPtrJoinGroupResponse()
	resp.Generation, resp.MemberID, resp.LeaderID = g.generation, m.id, g.leader
	resp.ProtocolType, resp.Protocol = kmsg.StringPtr(g.protocolType), kmsg.StringPtr(g.protocol)
	if m.id == g.leader {
		resp.Members = g.described()
	}
	return resp
}

func (g *group) described() []kmsg.JoinGroupResponseMember {
	members := make([]kmsg.JoinGroupResponseMember, 0, len(g.members))
	for _, m := range g.ordered() {
		described := kmsg.NewJoinGroupResponseMember()
		described.MemberID, described.InstanceID, described.ProtocolMetadata = m.id, m.instance, m.metadata(g.protocol)
		members = append(members, described)
	}
	return members
}
