// Package rental is the rental service: it keeps members' rental cards, tells book and
// member of rents, returns and late fees that are paid, and follows what they answer.
package rental

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/library/message"
	"github.com/pabal-dev/pabal/examples/library/rental/adapters"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the rental service.
func Definition() service.Definition {
	return service.Definition{
		System:     "library",
		Schemas:    message.Schemas(),
		Name:       "rental",
		Summary:    "Keeps rental cards; rents items, takes them back, and has late fees paid with points.",
		Port:       8108,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.RentalResult},
		Produces: []string{
			message.RentalRent, message.RentalReturn, message.OverdueClear,
			message.PointUse, message.RentCancel, message.ReturnCancel,
		},
		Durations: []service.Duration{adapters.AnswerTimeout, adapters.CancelTimeout},
		Build: func(env service.Env) (service.Parts, error) {
			sagas, err := adapters.NewSagas(env)
			if err != nil {
				return service.Parts{}, err
			}
			return service.Parts{
				Groups: adapters.Groups(env),
				Sagas:  sagas.All(),
				Routes: adapters.Routes(sagas),
			}, nil
		},
	}
}
