package console

import (
	"context"
	"strings"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/saga"
)

type sagaPath struct {
	Service string `json:"service"`
	Name    string `json:"name"`
	ID      string `json:"id"`
}

var sagaRoutes = []route{
	get("sagas", "Sagas of all services, the oldest first", func(c *Console, ctx context.Context, q api.SagaQuery) (api.SagaList, error) {
		return c.engines.Sagas(ctx, q)
	}),
	get("saga-counts", "How many sagas the services have, by name and status", func(c *Console, ctx context.Context, _ none) (api.SagaCounts, error) {
		return c.engines.SagaCounts(ctx)
	}),
	get("services/{service}/saga-counts", "How many sagas a service has, by name and status", func(c *Console, ctx context.Context, q servicePath) ([]saga.Count, error) {
		return at(c, ctx, q.Service, func(s admin.API) ([]saga.Count, error) { return s.SagaCounts(ctx) })
	}),
	get("services/{service}/sagas", "A service's sagas, the oldest first", func(c *Console, ctx context.Context, q api.SagaQuery) (admin.SagaPage, error) {
		asked, err := q.Asked()
		if err != nil {
			return admin.SagaPage{}, err
		}
		return at(c, ctx, q.Service, func(s admin.API) (admin.SagaPage, error) { return s.Sagas(ctx, asked) })
	}),
	get("services/{service}/sagas/{name}/{id}", "A saga with its steps, timers and timeline", func(c *Console, ctx context.Context, q sagaPath) (admin.SagaDetail, error) {
		return at(c, ctx, q.Service, func(s admin.API) (admin.SagaDetail, error) { return s.Saga(ctx, q.Name, q.ID) })
	}),
	post("services/{service}/sagas/{name}/{id}/act", "Retry, skip or force a step of a saga, or resolve the saga", api.Operator,
		act[api.ActOnSaga]{name: "act on saga", target: func(b api.ActOnSaga) string { return b.Service + "/" + b.Name + "/" + b.ID }}, actOnSaga),
}

func actOnSaga(c *Console, ctx context.Context, b api.ActOnSaga) (admin.SagaLine, error) {
	if strings.TrimSpace(b.Reason) == "" {
		return admin.SagaLine{}, api.BadField("reason", "is required: it is kept in the saga's timeline, with your name")
	}
	a := saga.Act{Saga: b.Name, ID: b.ID, Do: b.Do, Step: b.Step, Reason: b.Reason, Revision: b.Revision, Actor: api.UserOf(ctx).Name}
	return at(c, ctx, b.Service, func(s admin.API) (admin.SagaLine, error) { return s.ActOnSaga(ctx, a) })
}
