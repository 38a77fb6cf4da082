package pages

import (
	"context"
	"net/http"
	"slices"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

type projectionsBody struct{ part[api.ProjectionList] }

func (h *handler) projections(ctx context.Context, _ *http.Request) (content, error) {
	b := projectionsBody{ask(h.Engines.Projections(ctx))}
	return content{template: "projections", title: "Projections", section: "projections", body: b}, nil
}

// projectionBody is one projection.
type projectionBody struct {
	Service, Name string
	part[api.Projection]
	// Problems are services that could not be asked.
	Problems []string
	// Rebuild is the one under way, nil for none.
	Rebuild *admin.RebuildStatus
}

func (h *handler) projection(ctx context.Context, r *http.Request) (content, error) {
	b := projectionBody{Service: r.PathValue("service"), Name: r.PathValue("projection")}
	c := content{template: "projection", title: b.Name, section: "projections"}
	list, err := h.Engines.Projections(ctx)
	if err != nil {
		b.Problem = problemOf(err)
		c.body = b
		return c, onlyFatal(err)
	}
	b.Problems = list.Problems
	i := slices.IndexFunc(list.Items, func(p api.Projection) bool { return p.Service == b.Service && p.Name == b.Name })
	switch {
	case i >= 0:
		b.Value, b.Rebuild = list.Items[i], list.Items[i].Rebuild()
	case len(list.Problems) > 0:
		b.Problem = &problem{"Not available at the moment", "Nothing is known of this projection while a service does not answer."}
	default:
		b.Problem = &problem{"Not found", "The service " + b.Service + " has no projection " + b.Name + "."}
	}
	c.body = b
	return c, nil
}
