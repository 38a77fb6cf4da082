package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupNames is all groups, sorted, with what a list of them tells.
type groupNames struct {
	names  []string
	byName map[string]listedGroup
}

type listedGroup struct {
	state string
	// kind is "classic", "consumer", "share" or "streams"; "" where the broker is
	// too old to say, which is classic.
	kind string
}

// Groups lists groups by name, those of Kafka and the consumers of services that
// Kafka does not know yet. Members and offsets are asked for those on the page only.
func (c *Cluster) Groups(ctx context.Context, q api.PageQuery) (api.Page[api.GroupSummary], error) {
	var out api.Page[api.GroupSummary]
	all, err := c.allGroups(ctx)
	if err != nil {
		return out, err
	}
	own := c.services.byGroup(ctx)
	on, err := page(union(all.names, own), q)
	if err != nil {
		return out, err
	}
	views, err := c.view(ctx, on.Items, all, own)
	if err != nil {
		return out, err
	}
	out.Items, out.Next, out.Total = make([]api.GroupSummary, len(views)), on.Next, on.Total
	for i, v := range views {
		out.Items[i] = v.GroupSummary
	}
	return out, nil
}

// Group shows one; ErrNotFound where neither Kafka nor a service has it.
func (c *Cluster) Group(ctx context.Context, name string) (api.Group, error) {
	all, err := c.allGroups(ctx)
	if err != nil {
		return api.Group{}, err
	}
	own := c.services.byGroup(ctx)
	_, ofKafka := all.byName[name]
	if _, ofService := own[name]; !ofKafka && !ofService {
		c.groups.forget() // it may be made right now
		return api.Group{}, fmt.Errorf("%w: there is no group %q", api.ErrNotFound, name)
	}
	views, err := c.view(ctx, []string{name}, all, own)
	if err != nil {
		return api.Group{}, err
	}
	return views[0], nil
}

func union(names []string, own map[string]consumer) []string {
	out := slices.Clone(names)
	for group := range own {
		out = append(out, group)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// allGroups is what the coordinators list, a second or two old at most. Groups of a
// coordinator that is away are missing; where all are, it is an error.
func (c *Cluster) allGroups(ctx context.Context) (*groupNames, error) {
	return c.groups.get(ctx, c.config.Timeout, func(ctx context.Context) (*groupNames, error) {
		out := &groupNames{byName: map[string]listedGroup{}}
		var failed error
		answered := false
		for _, shard := range c.client.RequestSharded(ctx, kmsg.NewPtrListGroupsRequest()) {
			err := shard.Err
			if err == nil {
				err = kerr.ErrorForCode(shard.Resp.(*kmsg.ListGroupsResponse).ErrorCode)
			}
			if err != nil {
				failed = err
				continue
			}
			answered = true
			for _, g := range shard.Resp.(*kmsg.ListGroupsResponse).Groups {
				out.byName[g.Group] = listedGroup{state: g.GroupState, kind: g.GroupType}
			}
		}
		if failed != nil && !answered {
			return nil, c.explain("list the groups", failed)
		}
		if failed != nil {
			c.config.Logger.Warn("the list of groups lacks those of a broker that is away", "error", failed)
		}
		out.names = sortedKeys(out.byName)
		return out, nil
	})
}
