// Package reservation is the reservation service: it keeps members' reservations, asks
// the room service for their nights, and follows its answers.
package reservation

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/reservation/adapters"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the reservation service.
func Definition() service.Definition {
	return service.Definition{
		System:     "hotel",
		Schemas:    message.Schemas(),
		Name:       "reservation",
		Summary:    "Keeps members' reservations, and has the room service take and give back their nights.",
		Port:       8106,
		Group:      message.ReservationGroup,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.TransactionResult},
		Produces:   []string{message.RoomReserve, message.RoomCancel},
		Durations:  []service.Duration{adapters.ReserveTimeout, adapters.CancelTimeout},
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
