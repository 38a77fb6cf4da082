// Package customer is the customer service: it registers customers and tells
// the others of them.
package customer

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the customer service.
func Definition() service.Definition {
	return service.Definition{
		System:     "orders",
		Codec:      service.CodecAvro,
		Schemas:    message.Schemas(),
		Name:       "customer",
		Summary:    "Registers customers.",
		Port:       8104,
		Migrations: service.Migrations(files),
		Produces:   []string{message.TypeCustomerCreated},
		Build: func(service.Env) (service.Parts, error) {
			return service.Parts{Routes: routes}, nil
		},
	}
}
