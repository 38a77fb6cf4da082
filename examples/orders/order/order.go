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
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the order service.
func Definition() service.Definition {
	return service.Definition{
		System:     "orders",
		Codec:      service.CodecAvro,
		Schemas:    message.Schemas(),
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
type manager[T saga.Tx] = saga.Manager[T, domain.Order]

// build is the service on SQL.
func build(env service.Env) (service.Parts, error) {
	orders := inSQL(env.DB)
	m, err := newManager(env, orders)
	if err != nil {
		return service.Parts{}, err
	}
	parts := partsOn(env, orders, m)
	parts.Services = []lifecycle.Service{&adoption{env, m}}
	return parts, nil
}

// On is what the service does on a database of any type.
func On[T saga.Tx](env service.Env, orders Orders[T]) (service.PartsOf[T], error) {
	m, err := newManager(env, orders)
	if err != nil {
		return service.PartsOf[T]{}, err
	}
	return partsOn(env, orders, m), nil
}

func partsOn[T saga.Tx](env service.Env, orders Orders[T], m *manager[T]) service.PartsOf[T] {
	return service.PartsOf[T]{
		Sagas:  []service.SagaOf[T]{m},
		View:   projected(env, orders),
		Routes: func(env service.Env, r *service.Router) { routes(env, orders, m, r) },
	}
}

func newManager[T saga.Tx](env service.Env, orders Orders[T]) (*manager[T], error) {
	return saga.New(orders, saga.Config[T, domain.Order]{
		Definitions: []saga.Definition[domain.Order]{Saga(env)},
		Changed: func(ctx context.Context, tx T, changes []change) ([]outbox.Message, error) {
			return onChanged(ctx, env, orders, tx, changes)
		},
		Retention: -1, // orders and topics are kept for ever, so an answer may always come again
		Clock:     env.Now, Logger: env.Log, Metrics: env.Metrics,
	})
}
