package api

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/saga"
)

func (s remoteService) SagaCounts(ctx context.Context) ([]saga.Count, error) {
	return get[[]saga.Count](ctx, s.client, s.at("saga-counts"), nil)
}

func (s remoteService) Sagas(ctx context.Context, q saga.Query) (admin.SagaPage, error) {
	return get[admin.SagaPage](ctx, s.client, s.at("sagas"), sagaQueryOf(s.name, q), "service")
}

func (s remoteService) Saga(ctx context.Context, name, id string) (admin.SagaDetail, error) {
	return get[admin.SagaDetail](ctx, s.client, s.at("sagas", name, id), nil)
}

// ActOnSaga leaves the actor out: it is who the console knows.
func (s remoteService) ActOnSaga(ctx context.Context, a saga.Act) (admin.SagaLine, error) {
	return post[admin.SagaLine](ctx, s.client, s.at("sagas", a.Saga, a.ID, "act"),
		ActOnSaga{Service: s.name, Name: a.Saga, ID: a.ID, Do: a.Do, Step: a.Step, Reason: a.Reason, Revision: a.Revision})
}

// Sagas are those of all services that match.
func (c *Client) Sagas(ctx context.Context, q SagaQuery) (SagaList, error) {
	return get[SagaList](ctx, c, "sagas", q)
}

// SagaCounts are how many sagas the services have.
func (c *Client) SagaCounts(ctx context.Context) (SagaCounts, error) {
	return get[SagaCounts](ctx, c, "saga-counts", nil)
}
