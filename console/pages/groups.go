package pages

import (
	"context"
	"net/http"

	"github.com/pabal-dev/pabal/console/api"
)

type groupsBody struct {
	Query  api.PageQuery
	Groups part[api.Page[api.GroupSummary]]
}

func (h *handler) groups(ctx context.Context, r *http.Request) (content, error) {
	q := pageQuery(r)
	page, err := h.Engines.Groups.Groups(ctx, q)
	c := content{template: "groups", title: "Consumer groups", section: "groups", body: groupsBody{q, ask(page, err)}}
	return c, onlyFatal(err)
}

type groupBody struct {
	Name string
	// Consumer is the group's name within its service, without the tenant's prefix;
	// "" where the service does not say.
	Consumer string
	part[api.Group]
	// Topics are those it has offsets in, for the reset.
	Topics []string
	// MostLag is the largest of a partition, for the bars.
	MostLag int64
}

func (h *handler) group(ctx context.Context, r *http.Request) (content, error) {
	b := groupBody{Name: r.PathValue("group")}
	var group api.Group
	var err error
	var instances []api.Service
	gather(
		func() {
			group, err = h.Engines.Groups.Group(ctx, b.Name)
			b.part = ask(group, err)
		},
		func() { instances, _ = h.Engines.Services.Services(ctx) }, // for a link only
	)
	b.Consumer = consumerOf(instances, group)
	seen := map[string]bool{}
	for _, o := range group.Offsets {
		b.MostLag = max(b.MostLag, o.Lag)
		if !seen[o.Topic] {
			seen[o.Topic] = true
			b.Topics = append(b.Topics, o.Topic)
		}
	}
	return content{template: "group", title: b.Name, section: "groups", body: b}, onlyFatal(err)
}

// consumerOf finds a group's consumer among those of its service.
func consumerOf(instances []api.Service, group api.Group) string {
	for _, in := range instances {
		if in.Status == nil || in.Name != group.Service {
			continue
		}
		for _, c := range in.Status.Consumers {
			if in.Status.Prefix+c.Name == group.Name {
				return c.Name
			}
		}
	}
	return ""
}
