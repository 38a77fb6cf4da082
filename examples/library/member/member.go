// Package member is the member service: it keeps members and their points, gives some
// for rents and returns, and takes some for late fees. Every message gets an answer.
package member

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/library/member/adapters"
	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the member service.
func Definition() service.Definition {
	results := []string{message.RentalResult}
	return service.Definition{
		System:     "library",
		Schemas:    message.Schemas(),
		Name:       "member",
		Summary:    "Keeps members and their points.",
		Port:       8110,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.RentalRent, message.RentalReturn, message.OverdueClear, message.PointUse},
		Produces:   results,
		Answers: map[string][]string{
			message.RentalRent: results, message.RentalReturn: results, message.OverdueClear: results, message.PointUse: results,
		},
		TakesTurns: true, // messages about one member come by several topics
		Build: func(env service.Env) (service.Parts, error) {
			return service.Parts{Handlers: adapters.Handlers(env), Routes: adapters.Routes}, nil
		},
	}
}
