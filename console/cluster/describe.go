package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// describeGroups has every one of names; where one could not be described, its
// Problem says so.
func (c *Cluster) describeGroups(ctx context.Context, names []string, all *groupNames) map[string]api.Group {
	out := make(map[string]api.Group, len(names))
	var classic, consumer []string
	for _, name := range names {
		listed, ok := all.byName[name]
		g := api.Group{GroupSummary: api.GroupSummary{Name: name, State: listed.state}, Coordinator: -1, MemberList: []api.Member{}}
		switch {
		case !ok:
			g.State = "Unknown" // to Kafka: a service's consumer that has not copied its offsets yet
		case strings.EqualFold(listed.kind, "consumer"):
			consumer = append(consumer, name)
		case listed.kind == "" || strings.EqualFold(listed.kind, "classic"):
			classic = append(classic, name)
		default:
			g.Protocol, g.Problem = listed.kind, "a group of kind "+listed.kind+": its members are not shown"
		}
		out[name] = g
	}
	c.describeClassic(ctx, classic, out)
	c.describeConsumer(ctx, consumer, out)
	return out
}

func (c *Cluster) describeClassic(ctx context.Context, names []string, out map[string]api.Group) {
	if len(names) == 0 { // none would be all
		return
	}
	found, err := c.admin.DescribeGroups(ctx, names...)
	for _, name := range names {
		d, ok := found[name]
		g := out[name]
		if g.Problem = c.describeProblem(ok, d.Err, err); g.Problem == "" {
			g.State, g.Protocol, g.Coordinator = d.State, d.Protocol, d.Coordinator.NodeID
			for _, m := range d.Members {
				g.MemberList = append(g.MemberList, classicMember(m))
			}
			g.Members = len(g.MemberList)
		}
		out[name] = g
	}
}

func classicMember(m kadm.DescribedGroupMember) api.Member {
	out := api.Member{ID: m.MemberID, ClientID: m.ClientID, Host: strings.TrimPrefix(m.ClientHost, "/"), Assigned: []string{}}
	if m.InstanceID != nil {
		out.InstanceID = *m.InstanceID
	}
	if assigned, ok := m.Assigned.AsConsumer(); ok {
		for _, t := range assigned.Topics {
			slices.Sort(t.Partitions)
			for _, p := range t.Partitions {
				out.Assigned = append(out.Assigned, placeText(t.Topic, p))
			}
		}
	}
	return out
}

// describeConsumer describes groups of the protocol of KIP-848.
func (c *Cluster) describeConsumer(ctx context.Context, names []string, out map[string]api.Group) {
	if len(names) == 0 {
		return
	}
	found, err := c.admin.DescribeConsumerGroups(ctx, names...)
	for _, name := range names {
		d, ok := found[name]
		g := out[name]
		if g.Problem = c.describeProblem(ok, d.Err, err); g.Problem == "" {
			g.State, g.Protocol, g.Coordinator = d.State, d.AssignorName, d.Coordinator.NodeID
			for _, m := range d.Members {
				g.MemberList = append(g.MemberList, consumerMember(m))
			}
			g.Members = len(g.MemberList)
		}
		out[name] = g
	}
}

func consumerMember(m kadm.ConsumerGroupMember) api.Member {
	out := api.Member{ID: m.MemberID, ClientID: m.ClientID, Host: strings.TrimPrefix(m.ClientHost, "/"), Assigned: []string{}}
	if m.InstanceID != nil {
		out.InstanceID = *m.InstanceID
	}
	for _, t := range m.Assignment.Sorted() {
		for _, p := range t.Partitions {
			out.Assigned = append(out.Assigned, placeText(t.Topic, p))
		}
	}
	return out
}

func (c *Cluster) describeProblem(found bool, err, all error) string {
	switch {
	case found && err == nil:
		return ""
	case errors.Is(err, kerr.GroupIDNotFound):
		return "the group was deleted just now"
	case err == nil:
		err = all
	}
	if err == nil {
		return "its coordinator did not describe it"
	}
	return c.explain("describe the group", err).Error()
}
