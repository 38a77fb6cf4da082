package server

import (
	"github.com/pabal-dev/pabal/kafka/broker/internal/group"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func (c call) client() group.Client {
	return group.Client{ID: c.conn.ClientID, Host: "/" + c.conn.Host}
}

func (s *Server) joinGroup(c call, req *kmsg.JoinGroupRequest) {
	if !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group) {
		resp := kmsg.NewPtrJoinGroupResponse()
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	s.groups.JoinGroup(c.client(), req, func(resp *kmsg.JoinGroupResponse) { c.answer(req, resp) })
	s.dontWait()
}

func (s *Server) syncGroup(c call, req *kmsg.SyncGroupRequest) {
	if !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group) {
		resp := kmsg.NewPtrSyncGroupResponse()
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	s.groups.SyncGroup(req, func(resp *kmsg.SyncGroupResponse) { c.answer(req, resp) })
	s.dontWait()
}

// dontWait has who came after Drain answered, too.
func (s *Server) dontWait() {
	if s.leaving.Load() {
		s.groups.Stop()
	}
}

func (s *Server) heartbeat(c call, req *kmsg.HeartbeatRequest) {
	if !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group) {
		resp := kmsg.NewPtrHeartbeatResponse()
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	s.groups.Heartbeat(req, func(resp *kmsg.HeartbeatResponse) { c.answer(req, resp) })
}

func (s *Server) leaveGroup(c call, req *kmsg.LeaveGroupRequest) {
	if !s.mayGroup(c.conn, kmsg.ACLOperationRead, req.Group) {
		resp := kmsg.NewPtrLeaveGroupResponse()
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		c.answer(req, resp)
		return
	}
	s.groups.LeaveGroup(req, func(resp *kmsg.LeaveGroupResponse) { c.answer(req, resp) })
}

func (s *Server) describeGroups(c call, req *kmsg.DescribeGroupsRequest) {
	allowed, refused := split(req.Groups, func(g string) bool { return s.mayGroup(c.conn, kmsg.ACLOperationDescribe, g) })
	ask := *req
	ask.Groups = allowed
	s.groups.DescribeGroups(&ask, func(resp *kmsg.DescribeGroupsResponse) {
		for i := range resp.Groups {
			g := &resp.Groups[i]
			g.AuthorizedOperations = s.operations(c.conn, req.IncludeAuthorizedOperations && g.ErrorCode == 0, groupOperations, kmsg.ACLResourceTypeGroup, g.Group)
		}
		for _, name := range refused {
			g := kmsg.NewDescribeGroupsResponseGroup()
			g.Group, g.ErrorCode = name, kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, g)
		}
		c.answer(req, resp)
	})
}

func (s *Server) listGroups(c call, req *kmsg.ListGroupsRequest) {
	all := s.mayCluster(c.conn, kmsg.ACLOperationDescribe)
	s.groups.ListGroups(req, func(resp *kmsg.ListGroupsResponse) {
		var seen []kmsg.ListGroupsResponseGroup
		for _, g := range resp.Groups {
			if all || s.mayGroup(c.conn, kmsg.ACLOperationDescribe, g.Group) {
				seen = append(seen, g)
			}
		}
		resp.Groups = seen
		c.answer(req, resp)
	})
}

func (s *Server) deleteGroups(c call, req *kmsg.DeleteGroupsRequest) {
	allowed, refused := split(req.Groups, func(g string) bool { return s.mayGroup(c.conn, kmsg.ACLOperationDelete, g) })
	ask := *req
	ask.Groups = allowed
	s.groups.DeleteGroups(&ask, func(resp *kmsg.DeleteGroupsResponse) {
		for _, name := range refused {
			g := kmsg.NewDeleteGroupsResponseGroup()
			g.Group, g.ErrorCode = name, kerr.GroupAuthorizationFailed.Code
			resp.Groups = append(resp.Groups, g)
		}
		c.answer(req, resp)
	})
}

// split parts names by whether ok says so, in order, each once.
func split(names []string, ok func(string) bool) (yes, no []string) {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		switch {
		case seen[name]:
		case ok(name):
			yes = append(yes, name)
		default:
			no = append(no, name)
		}
		seen[name] = true
	}
	return yes, no
}
