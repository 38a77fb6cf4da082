// Package order is the order service: it takes orders, leads each through its
// saga (package domain), and tells what became of it.
package order

import (
	"embed"
	"io/fs"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the order service.
func Definition() service.Definition {
	return service.Definition{
		Name:       "order",
		Summary:    "Takes orders and leads each through payment and approval.",
		Port:       8101,
		Migrations: migrations(),
		Consumes: func(t message.Topics) []string {
			return []string{t.PaymentResponse, t.ApprovalResponse}
		},
		Produces: func(t message.Topics) []string {
			return []string{t.PaymentRequest, t.ApprovalRequest, t.OrderChanged}
		},
		Handlers: func(env service.Env) map[string]inbox.Handler[storage.Tx] {
			s := newSaga(env)
			return map[string]inbox.Handler[storage.Tx]{
				env.Topics.PaymentResponse:  s.onPaymentResponse,
				env.Topics.ApprovalResponse: s.onApprovalResponse,
			}
		},
		Routes: routes,
	}
}

func migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
