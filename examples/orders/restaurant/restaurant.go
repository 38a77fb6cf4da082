// Package restaurant is the restaurant service: it keeps restaurants, what
// they sell and how much of it is left, and approves or rejects orders.
package restaurant

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/inbox"
	"github.com/pabal-dev/pabal/storage"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the restaurant service.
func Definition() service.Definition {
	return service.Definition{
		System:     "orders",
		Codec:      service.CodecAvro,
		Schemas:    message.Schemas(),
		Name:       "restaurant",
		Summary:    "Keeps restaurants and their stock; approves or rejects paid orders.",
		Port:       8103,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.TypeApprovalRequest},
		Produces:   []string{message.TypeApprovalResponse, message.TypeRestaurantChanged},
		Answers:    map[string][]string{message.TypeApprovalRequest: {message.TypeApprovalResponse}},
		TakesTurns: true, // requests are keyed by order, stock by product
		Build: func(env service.Env) (service.Parts, error) {
			return service.Parts{
				Handlers: map[string]inbox.Handler[storage.Tx]{
					env.Topic(message.TypeApprovalRequest): newHandler(env).onApprovalRequest,
				},
				Routes: routes,
			}, nil
		},
	}
}
