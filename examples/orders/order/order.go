// Package order is the order service: it takes orders, leads each through its
// saga, tells what became of it, and answers queries from a view that it projects
// from what was told.
package order

import (
	"context"
	"embed"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/lifecycle"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the order service.
func Definition() service.Definition {
	return service.Definition{
		System:     "orders",
		Name:       "order",
		Summary:    "Takes orders and leads each through payment and approval.",
		Port:       8101,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.TypePaymentResponse, message.TypeApprovalResponse},
		Produces:   []string{message.TypePaymentRequest, message.TypeApprovalRequest, message.TypeOrderChanged},
		Durations:  []service.Duration{PaymentTimeout},
		Build:      build,
	}
}

// manager applies the saga to stored orders.
type manager = saga.Manager[storage.Tx, domain.Order]

func build(env service.Env) (service.Parts, error) {
	m, err := newManager(env)
	if err != nil {
		return service.Parts{}, err
	}
	return service.Parts{
		Sagas:    []service.Saga{m},
		Services: []lifecycle.Service{&adoption{env, m}},
		View:     projected(env),
		Routes:   func(env service.Env, r *service.Router) { routes(env, m, r) },
	}, nil
}

func newManager(env service.Env) (*manager, error) {
	return saga.New(env.DB, saga.Config[storage.Tx, domain.Order]{
		Definitions: []saga.Definition[domain.Order]{Saga(env)},
		Changed: func(ctx context.Context, tx storage.Tx, changes []change) ([]outbox.Message, error) {
			return onChanged(ctx, env, tx, changes)
		},
		Retention: -1, // orders and topics are kept for ever, so an answer may always come again
		Clock:     env.Now, Logger: env.Log, Metrics: env.Metrics,
	})
}
