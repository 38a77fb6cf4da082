package group

import (
	"maps"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupType is what this coordinator's groups are of, since ListGroups v5.
const groupType = "classic"

// DescribeGroups describes groups; one that there is not is dead, and since
// version 6 also an error.
func (c *Coordinator) DescribeGroups(req *kmsg.DescribeGroupsRequest, reply func(*kmsg.DescribeGroupsResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrDescribeGroupsResponse()
		for _, id := range req.Groups {
			resp.Groups = append(resp.Groups, c.describe(id, req.Version))
		}
		c.core.Reply(func(err error) {
			for i := range resp.Groups {
				if err != nil {
					resp.Groups[i] = kmsg.NewDescribeGroupsResponseGroup()
					resp.Groups[i].Group, resp.Groups[i].ErrorCode = req.Groups[i], kerr.CoordinatorNotAvailable.Code
				}
			}
			reply(resp)
		})
	})
}

func (c *Coordinator) describe(id string, version int16) kmsg.DescribeGroupsResponseGroup {
	resp := kmsg.NewDescribeGroupsResponseGroup()
	resp.Group = id
	g := c.groups[id]
	if g == nil {
		resp.State = string(dead)
		if version >= 6 {
			resp.ErrorCode = kerr.GroupIDNotFound.Code
			resp.ErrorMessage = kmsg.StringPtr("there is no group " + id)
		}
		return resp
	}
	resp.State, resp.ProtocolType = string(g.state), g.protocolType
	if g.state == stable {
		resp.Protocol = g.protocol
	}
	for _, m := range g.ordered() {
		resp.Members = append(resp.Members, g.describeMember(m))
	}
	return resp
}

// describeMember tells metadata and assignment of stable groups only.
func (g *group) describeMember(m *member) kmsg.DescribeGroupsResponseGroupMember {
	resp := kmsg.NewDescribeGroupsResponseGroupMember()
	resp.MemberID, resp.InstanceID, resp.ClientID, resp.ClientHost = m.id, m.instance, m.client, m.host
	resp.ProtocolMetadata, resp.MemberAssignment = []byte{}, []byte{}
	if g.state == stable {
		resp.ProtocolMetadata = m.metadata(g.protocol)
		resp.MemberAssignment = append(resp.MemberAssignment, m.assignment...)
	}
	return resp
}

// ListGroups lists groups, of some states and types if the request says so, by
// name.
func (c *Coordinator) ListGroups(req *kmsg.ListGroupsRequest, reply func(*kmsg.ListGroupsResponse)) {
	c.core.Do(func() {
		resp := kmsg.NewPtrListGroupsResponse()
		for _, id := range slices.Sorted(maps.Keys(c.groups)) {
			g := c.groups[id]
			if !matches(req.StatesFilter, string(g.state)) || !matches(req.TypesFilter, groupType) {
				continue
			}
			listed := kmsg.NewListGroupsResponseGroup()
			listed.Group, listed.ProtocolType, listed.GroupState, listed.GroupType = id, g.protocolType, string(g.state), groupType
			resp.Groups = append(resp.Groups, listed)
		}
		c.core.Reply(func(err error) {
			if err != nil {
				resp = kmsg.NewPtrListGroupsResponse()
				resp.ErrorCode = kerr.CoordinatorNotAvailable.Code
			}
			reply(resp)
		})
	})
}

// matches says whether a filter lets a value through; an empty one does all.
func matches(filter []string, value string) bool {
	return len(filter) == 0 || slices.ContainsFunc(filter, func(f string) bool { return strings.EqualFold(f, value) })
}
