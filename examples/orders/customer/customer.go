// Package customer is the customer service: it registers customers and tells
// the others of them.
package customer

import (
	"embed"
	"io/fs"

	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the customer service.
func Definition() service.Definition {
	return service.Definition{
		Name:       "customer",
		Summary:    "Registers customers.",
		Port:       8104,
		Migrations: migrations(),
		Produces:   func(t message.Topics) []string { return []string{t.CustomerCreated} },
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
