// Package payment is the payment service: it keeps customers' credits, and
// debits and refunds orders. Every request gets an answer.
package payment

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the payment service.
func Definition() service.Definition {
	return service.Definition{
		System:     "orders",
		Codec:      service.CodecAvro,
		Schemas:    message.Schemas(),
		Name:       "payment",
		Summary:    "Keeps customers' credits; debits and refunds orders.",
		Port:       8102,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.TypePaymentRequest, message.TypeCustomerCreated, message.PaymentOutboxes},
		Produces:   []string{message.TypePaymentResponse},
		Answers:    map[string][]string{message.TypePaymentRequest: {message.TypePaymentResponse}},
		TakesTurns: true, // requests are keyed by order, credits by customer
		Build: func(env service.Env) (service.Parts, error) {
			h := newHandler(env)
			return service.Parts{
				Handlers: map[string]inbox.Handler[storage.Tx]{
					env.Topic(message.TypePaymentRequest):  h.onPaymentRequest,
					env.Topic(message.TypeCustomerCreated): h.onCustomerCreated,
					env.Topic(message.PaymentOutboxes):     h.onPaymentOutbox,
				},
				Foreign: map[string]inbox.Reader{env.Topic(message.PaymentOutboxes): readChange},
				Routes:  routes,
			}, nil
		},
	}
}
