// Package payment is the payment service: it keeps customers' credits, and
// debits and refunds orders. Every request gets an answer.
package payment

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

// Definition is the payment service.
func Definition() service.Definition {
	return service.Definition{
		Name:       "payment",
		Summary:    "Keeps customers' credits; debits and refunds orders.",
		Port:       8102,
		Migrations: migrations(),
		Consumes: func(t message.Topics) []string {
			return []string{t.PaymentRequest, t.CustomerCreated}
		},
		Produces: func(t message.Topics) []string { return []string{t.PaymentResponse} },
		Handlers: func(env service.Env) map[string]inbox.Handler[storage.Tx] {
			h := newHandler(env)
			return map[string]inbox.Handler[storage.Tx]{
				env.Topics.PaymentRequest:  h.onPaymentRequest,
				env.Topics.CustomerCreated: h.onCustomerCreated,
			}
		},
		TakesTurns: true, // requests are keyed by order, credits by customer
		Routes:     routes,
	}
}

func migrations() fs.FS {
	sub, err := fs.Sub(files, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return sub
}
