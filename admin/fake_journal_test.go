package admin_test

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
)

func (f *fake) EntityTypes(context.Context) ([]admin.EntityType, error) {
	f.note("entity types")
	return f.types, f.err
}

func (f *fake) Entities(_ context.Context, q admin.EntityQuery) (admin.EntityPage, error) {
	f.note("entities %+v", q)
	return f.entities, f.err
}

func (f *fake) Entity(_ context.Context, persistenceID string) (admin.Entity, error) {
	f.note("entity %q", persistenceID)
	return f.entity, f.err
}

func (f *fake) Events(_ context.Context, q admin.EventQuery) (admin.EventPage, error) {
	f.note("events %+v", q)
	return f.events, f.err
}

func (f *fake) States(_ context.Context, q admin.StateQuery) (admin.StatePage, error) {
	f.note("states %+v", q)
	return f.states, f.err
}

func (f *fake) Projections(context.Context) ([]admin.ProjectionInfo, error) {
	f.note("projections")
	return f.projections, f.err
}

func (f *fake) PauseProjection(_ context.Context, name string) error {
	f.note("pause projection %q", name)
	return f.err
}

func (f *fake) ResumeProjection(_ context.Context, name string) error {
	f.note("resume projection %q", name)
	return f.err
}

func (f *fake) ResetProjection(_ context.Context, r admin.ProjectionReset) error {
	f.note("reset projection %+v", r)
	return f.err
}

func (f *fake) RebuildProjection(ctx context.Context, r admin.RebuildRequest) (admin.Rebuilt, error) {
	f.note("rebuild %+v", r)
	if f.slowly != nil {
		f.slowly(ctx)
	}
	return f.rebuilt, f.err
}
