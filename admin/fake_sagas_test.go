package admin_test

import (
	"context"

	"github.com/pabal-dev/pabal/admin"
	"github.com/pabal-dev/pabal/saga"
)

func (f *fake) SagaCounts(context.Context) ([]saga.Count, error) {
	f.note("saga counts")
	return f.sagaCounts, f.err
}

func (f *fake) Sagas(_ context.Context, q saga.Query) (admin.SagaPage, error) {
	f.note("sagas %s", describeSagas(q))
	return f.sagas, f.err
}

func (f *fake) Saga(_ context.Context, name, id string) (admin.SagaDetail, error) {
	f.note("saga %q %q", name, id)
	return f.saga, f.err
}

func (f *fake) ActOnSaga(_ context.Context, a saga.Act) (admin.SagaLine, error) {
	f.note("act on saga %+v", a)
	return f.saga.SagaLine, f.err
}
