package admin

import (
	"context"
	"net/url"

	"github.com/pabal-dev/pabal/saga"
)

// SagaCounts implements Sagas.
func (c *Client) SagaCounts(ctx context.Context) (all []saga.Count, err error) {
	err = c.get(ctx, "/saga-counts", nil, &all)
	return all, err
}

// Sagas implements Sagas.
func (c *Client) Sagas(ctx context.Context, q saga.Query) (page SagaPage, err error) {
	err = c.get(ctx, "/sagas", writeSagaQuery(q), &page)
	return page, err
}

// Saga implements Sagas.
func (c *Client) Saga(ctx context.Context, name, id string) (d SagaDetail, err error) {
	err = c.get(ctx, "/saga", url.Values{"name": {name}, "id": {id}}, &d)
	return d, err
}

// ActOnSaga implements Sagas.
func (c *Client) ActOnSaga(ctx context.Context, a saga.Act) (line SagaLine, err error) {
	err = c.post(ctx, "/saga", a, &line)
	return line, err
}
