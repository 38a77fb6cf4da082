package console

import (
	"context"
	"time"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
)

type entityPath struct {
	Service       string `json:"service"`
	PersistenceID string `json:"persistenceId"`
}

var journalRoutes = []route{
	get("services/{service}/entity-types", "Types of entities in a service's journal", func(c *Console, ctx context.Context, q servicePath) ([]admin.EntityType, error) {
		return at(c, ctx, q.Service, func(s admin.API) ([]admin.EntityType, error) { return s.EntityTypes(ctx) })
	}),
	get("services/{service}/entities", "Entities of a type", func(c *Console, ctx context.Context, q api.EntityQuery) (admin.EntityPage, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.EntityPage, error) { return s.Entities(ctx, q.EntityQuery) })
	}),
	get("services/{service}/entities/{persistenceId}", "What is stored of an entity", func(c *Console, ctx context.Context, q entityPath) (admin.Entity, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.Entity, error) { return s.Entity(ctx, q.PersistenceID) })
	}),
	get("services/{service}/entities/{persistenceId}/events", "An entity's events", func(c *Console, ctx context.Context, q api.EventQuery) (admin.EventPage, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.EventPage, error) { return s.Events(ctx, q.EventQuery) })
	}),
	get("services/{service}/entities/{persistenceId}/states", "An entity's states after its events", func(c *Console, ctx context.Context, q api.StateQuery) (admin.StatePage, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.StatePage, error) { return s.States(ctx, q.StateQuery) })
	}),
	get("services/{service}/entities/{persistenceId}/diff", "What changed in an entity's state between two events", func(c *Console, ctx context.Context, q api.DiffQuery) (api.StateDiff, error) {
		return at(c, ctx, q.Service, func(s admin.API) (api.StateDiff, error) { return api.DiffStates(ctx, s, q) })
	}),
	get("services/{service}/entities/{persistenceId}/changes", "The events that changed a field of an entity's state", func(c *Console, ctx context.Context, q api.FieldQuery) (api.FieldHistory, error) {
		return at(c, ctx, q.Service, func(s admin.API) (api.FieldHistory, error) { return api.FieldChanges(ctx, s, q) })
	}),
}

var projectionRoutes = []route{
	get("projections", "Projections of all services, with lag", func(c *Console, ctx context.Context, _ none) (api.ProjectionList, error) {
		return c.engines.Projections(ctx)
	}),
	get("services/{service}/projections", "A service's projections", func(c *Console, ctx context.Context, q servicePath) ([]admin.ProjectionInfo, error) {
		return at(c, ctx, q.Service, func(s admin.API) ([]admin.ProjectionInfo, error) { return s.Projections(ctx) })
	}),
	post("services/{service}/projections/{projection}/pause", "Pause or resume a projection in every process", api.Operator,
		act[api.PauseProjection]{name: "pause projection", target: func(b api.PauseProjection) string { return b.Service + "/" + b.Projection }},
		func(c *Console, ctx context.Context, b api.PauseProjection) (none, error) {
			return at(c, ctx, b.Service, func(s admin.API) (none, error) {
				if b.Paused {
					return none{}, s.PauseProjection(ctx, b.Projection)
				}
				return none{}, s.ResumeProjection(ctx, b.Projection)
			})
		}),
	post("services/{service}/projections/{projection}/reset", "Have a projection handle events again", api.Admin,
		act[api.ResetProjection]{name: "reset projection", target: func(b api.ResetProjection) string { return b.Service + "/" + b.Projection }},
		func(c *Console, ctx context.Context, b api.ResetProjection) (none, error) {
			return at(c, ctx, b.Service, func(s admin.API) (none, error) { return none{}, s.ResetProjection(ctx, b.ProjectionReset) })
		}),
	post("services/{service}/projections/{projection}/rebuild", "Start, compare or cancel a rebuild beside the live view", api.Operator,
		act[api.RebuildProjection]{name: "rebuild projection", target: func(b api.RebuildProjection) string { return b.Service + "/" + b.Projection }}, rebuild),
	post("services/{service}/projections/{projection}/swap", "Make a rebuilt view the live one", api.Admin,
		act[api.SwapProjection]{name: "swap projection", longer: swapTime, target: func(b api.SwapProjection) string { return b.Service + "/" + b.Projection }},
		func(c *Console, ctx context.Context, b api.SwapProjection) (none, error) {
			return at(c, ctx, b.Service, func(s admin.API) (none, error) {
				_, err := s.RebuildProjection(ctx, admin.RebuildRequest{Projection: b.Projection, Step: admin.RebuildSwap})
				return none{}, err
			})
		}),
}

// swapTime is how much longer than others a swap may take: it tries for 30 s.
const swapTime = 20 * time.Second

func rebuild(c *Console, ctx context.Context, b api.RebuildProjection) (admin.Rebuilt, error) {
	switch b.Step {
	case admin.RebuildStart, admin.RebuildCompare, admin.RebuildCancel:
	default:
		return admin.Rebuilt{}, api.BadField("step", "%.40q is none of start, compare, cancel; the swap has its own request", b.Step)
	}
	return at(c, ctx, b.Service, func(s admin.API) (admin.Rebuilt, error) { return s.RebuildProjection(ctx, b.RebuildRequest) })
}
