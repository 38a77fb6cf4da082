// Package book is the book service: it keeps the library's books and who holds each,
// and takes part in rents and returns. Every message gets an answer.
package book

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/library/book/adapters"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the book service.
func Definition() service.Definition {
	results := []string{message.RentalResult}
	return service.Definition{
		System:     "library",
		Schemas:    message.Schemas(),
		Name:       "book",
		Summary:    "Keeps the library's books and who holds each.",
		Port:       8109,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.RentalRent, message.RentalReturn, message.RentCancel, message.ReturnCancel},
		Produces:   results,
		Answers: map[string][]string{
			message.RentalRent: results, message.RentalReturn: results, message.ReturnCancel: results,
		},
		TakesTurns: true, // messages are keyed by member, and many want one book
		Build: func(env service.Env) (service.Parts, error) {
			return service.Parts{Handlers: adapters.Handlers(env), Routes: adapters.Routes}, nil
		},
	}
}
