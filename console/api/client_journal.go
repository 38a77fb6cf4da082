package api

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
)

func (s remoteService) EntityTypes(ctx context.Context) ([]admin.EntityType, error) {
	return get[[]admin.EntityType](ctx, s.client, s.at("entity-types"), nil)
}

func (s remoteService) Entities(ctx context.Context, q admin.EntityQuery) (admin.EntityPage, error) {
	return get[admin.EntityPage](ctx, s.client, s.at("entities"), q)
}

func (s remoteService) Entity(ctx context.Context, persistenceID string) (admin.Entity, error) {
	return get[admin.Entity](ctx, s.client, s.at("entities", persistenceID), nil)
}

func (s remoteService) Events(ctx context.Context, q admin.EventQuery) (admin.EventPage, error) {
	return get[admin.EventPage](ctx, s.client, s.at("entities", q.PersistenceID, "events"), q, "persistenceId")
}

func (s remoteService) States(ctx context.Context, q admin.StateQuery) (admin.StatePage, error) {
	return get[admin.StatePage](ctx, s.client, s.at("entities", q.PersistenceID, "states"), q, "persistenceId")
}

func (s remoteService) Projections(ctx context.Context) ([]admin.ProjectionInfo, error) {
	return get[[]admin.ProjectionInfo](ctx, s.client, s.at("projections"), nil)
}

func (s remoteService) PauseProjection(ctx context.Context, name string) error {
	return s.pauseProjection(ctx, PauseProjection{s.name, name, true})
}

func (s remoteService) ResumeProjection(ctx context.Context, name string) error {
	return s.pauseProjection(ctx, PauseProjection{Service: s.name, Projection: name})
}

func (s remoteService) pauseProjection(ctx context.Context, p PauseProjection) error {
	_, err := post[struct{}](ctx, s.client, s.at("projections", p.Projection, "pause"), p)
	return err
}

func (s remoteService) ResetProjection(ctx context.Context, r admin.ProjectionReset) error {
	_, err := post[struct{}](ctx, s.client, s.at("projections", r.Projection, "reset"), ResetProjection{s.name, r})
	return err
}

func (s remoteService) RebuildProjection(ctx context.Context, r admin.RebuildRequest) (admin.Rebuilt, error) {
	if r.Step == admin.RebuildSwap {
		_, err := post[struct{}](ctx, s.client, s.at("projections", r.Projection, "swap"), SwapProjection{s.name, r.Projection})
		return admin.Rebuilt{}, err
	}
	return post[admin.Rebuilt](ctx, s.client, s.at("projections", r.Projection, "rebuild"), RebuildProjection{s.name, r})
}

// Projections are those of all services.
func (c *Client) Projections(ctx context.Context) (ProjectionList, error) {
	return get[ProjectionList](ctx, c, "projections", nil)
}

// Diff is what changed in an entity's state.
func (c *Client) Diff(ctx context.Context, q DiffQuery) (StateDiff, error) {
	return get[StateDiff](ctx, c, path("services", q.Service, "entities", q.PersistenceID, "diff"), q, "service", "persistenceId")
}

// FieldChanges are the events that changed a field of an entity's state.
func (c *Client) FieldChanges(ctx context.Context, q FieldQuery) (FieldHistory, error) {
	return get[FieldHistory](ctx, c, path("services", q.Service, "entities", q.PersistenceID, "changes"), q, "service", "persistenceId")
}
