// Package bestbook is the service of the best books: a view, projected from rents and
// their cancels, of how often each book was rented.
package bestbook

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/library/bestbook/adapters"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the service of the best books.
func Definition() service.Definition {
	return service.Definition{
		System:     "library",
		Schemas:    message.Schemas(),
		Name:       "bestbook",
		Summary:    "Says which books are rented the most.",
		Port:       8111,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.RentalRent, message.RentCancel},
		Build: func(env service.Env) (service.Parts, error) {
			return service.Parts{View: adapters.View(env), Routes: adapters.Routes(adapters.NewSQLBooks(env.DB))}, nil
		},
	}
}
