package admin

import (
	"context"
	"net/url"
)

// EntityTypes implements Journal.
func (c *Client) EntityTypes(ctx context.Context) (all []EntityType, err error) {
	err = c.get(ctx, "/entity-types", nil, &all)
	return all, err
}

// Entities implements Journal.
func (c *Client) Entities(ctx context.Context, q EntityQuery) (page EntityPage, err error) {
	err = c.get(ctx, "/entities", writeEntityQuery(q), &page)
	return page, err
}

// Entity implements Journal.
func (c *Client) Entity(ctx context.Context, persistenceID string) (e Entity, err error) {
	err = c.ofEntity(ctx, persistenceID, "", nil, &e)
	return e, err
}

// Events implements Journal.
func (c *Client) Events(ctx context.Context, q EventQuery) (page EventPage, err error) {
	err = c.ofEntity(ctx, q.PersistenceID, "/events", writeEventQuery(q), &page)
	return page, err
}

// States implements Journal.
func (c *Client) States(ctx context.Context, q StateQuery) (page StatePage, err error) {
	err = c.ofEntity(ctx, q.PersistenceID, "/states", writeStateQuery(q), &page)
	return page, err
}

// ofEntity asks nothing about what cannot be an id: it would be another path.
func (c *Client) ofEntity(ctx context.Context, persistenceID, what string, q url.Values, answer any) error {
	if err := checkID(persistenceID); err != nil {
		return err
	}
	return c.get(ctx, "/entities/"+url.PathEscape(persistenceID)+what, q, answer)
}

// Projections implements Projections.
func (c *Client) Projections(ctx context.Context) (all []ProjectionInfo, err error) {
	err = c.get(ctx, "/projections", nil, &all)
	return all, err
}

// PauseProjection implements Projections.
func (c *Client) PauseProjection(ctx context.Context, name string) error {
	return c.post(ctx, projectionPath(name, "pause"), pauseBody{true}, &struct{}{})
}

// ResumeProjection implements Projections.
func (c *Client) ResumeProjection(ctx context.Context, name string) error {
	return c.post(ctx, projectionPath(name, "pause"), pauseBody{false}, &struct{}{})
}

// ResetProjection implements Projections.
func (c *Client) ResetProjection(ctx context.Context, r ProjectionReset) error {
	return c.post(ctx, projectionPath(r.Projection, "reset"), r, &struct{}{})
}

// RebuildProjection implements Projections.
func (c *Client) RebuildProjection(ctx context.Context, r RebuildRequest) (rebuilt Rebuilt, err error) {
	err = c.postWithin(ctx, c.cfg.Timeout+rebuildTimeout-requestTimeout, projectionPath(r.Projection, "rebuild"), r, &rebuilt)
	return rebuilt, err
}

func projectionPath(name, what string) string {
	return "/projections/" + url.PathEscape(name) + "/" + what
}
