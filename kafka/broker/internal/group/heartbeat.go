package group

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Heartbeat extends a member's session and tells it of a rebalance.
func (c *Coordinator) Heartbeat(req *kmsg.HeartbeatRequest, reply func(*kmsg.HeartbeatResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrHeartbeatResponse()
		resp.ErrorCode = code(c.heartbeat(req))
		c.core.Now(func() { reply(resp) })
	})
}

func (c *Coordinator) heartbeat(req *kmsg.HeartbeatRequest) *kerr.Error {
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
	c.expect(g, g.members[req.MemberID])
	if g.state == preparingRebalance {
		return kerr.RebalanceInProgress
	}
	return nil
}

// LeaveGroup removes members. Up to version 2 a request names one, and the
// response has its error; later ones name several, each with an error of its own.
func (c *Coordinator) LeaveGroup(req *kmsg.LeaveGroupRequest, reply func(*kmsg.LeaveGroupResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrLeaveGroupResponse()
		c.leave(req, resp)
		c.core.Reply(func(err error) {
			if err != nil {
				resp = kmsg.NewPtrLeaveGroupResponse()
				resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) leave(req *kmsg.LeaveGroupRequest, resp *kmsg.LeaveGroupResponse) {
	leaving := req.Members
	if req.Version < 3 {
		leaving = []kmsg.LeaveGroupRequestMember{{MemberID: req.MemberID}}
	}
	g, err := c.membership(req.Group)
	if err != nil && (err != kerr.UnknownMemberID || req.Version < 3) {
		resp.ErrorCode = err.Code
		return
	}
	left := 0
	for _, l := range leaving {
		m := kmsg.NewLeaveGroupResponseMember()
		m.MemberID, m.InstanceID = l.MemberID, l.InstanceID
		err := kerr.UnknownMemberID
		if g != nil {
			err = c.leaveOne(g, l.MemberID, l.InstanceID)
		}
		if err == nil {
			left++
		}
		m.ErrorCode = code(err)
		resp.Members = append(resp.Members, m)
	}
	if req.Version < 3 {
		resp.ErrorCode, resp.Members = resp.Members[0].ErrorCode, nil
	}
	if left > 0 && g.state != empty {
		c.rebalanceOrComplete(g, "members left")
	}
}

// leaveOne removes a member. An administrator may name a static one by its
// instance alone.
func (c *Coordinator) leaveOne(g *group, id string, instance *string) *kerr.Error {
	if id == "" {
		if instance == nil || g.static[*instance] == "" {
			return kerr.UnknownMemberID
		}
		id = g.static[*instance]
	}
	if g.pendingJoin[id] {
		c.core.Cancel(sessionOf(g, id))
		g.remove(id)
		return nil
	}
	if err := g.checkMember(id, instance); err != nil {
		return err
	}
	c.expel(g, g.members[id])
	return nil
}
