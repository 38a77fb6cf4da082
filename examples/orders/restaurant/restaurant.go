// Package restaurant is the restaurant service: it keeps restaurants, what
// they sell and how much of it is left, and approves or rejects orders.
package restaurant

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

// Definition is the restaurant service.
func Definition() service.Definition {
	return service.Definition{
		Name:       "restaurant",
		Summary:    "Keeps restaurants and their stock; approves or rejects paid orders.",
		Port:       8103,
		Migrations: migrations(),
		Consumes:   func(t message.Topics) []string { return []string{t.ApprovalRequest} },
		Produces: func(t message.Topics) []string {
			return []string{t.ApprovalResponse, t.RestaurantChanged}
		},
		Handlers: func(env service.Env) map[string]inbox.Handler[storage.Tx] {
			return map[string]inbox.Handler[storage.Tx]{
				env.Topics.ApprovalRequest: newHandler(env).onApprovalRequest,
			}
		},
		TakesTurns: true, // requests are keyed by order, stock by product
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
