// Package room is the room service: it keeps how many rooms are free each night, and
// takes and gives back nights for reservations.
package room

import (
	"embed"

	"github.com/pabal-dev/pabal/examples/hotel/message"
	"github.com/pabal-dev/pabal/examples/hotel/room/adapters"
	"github.com/pabal-dev/pabal/examples/service"
)

//go:embed migrations/*.sql
var files embed.FS

// Definition is the room service.
func Definition() service.Definition {
	return service.Definition{
		System:     "hotel",
		Schemas:    message.Schemas(),
		Name:       "room",
		Summary:    "Keeps the rooms that are free each night; takes and gives back nights for reservations.",
		Port:       8107,
		Group:      message.RoomGroup,
		Migrations: service.Migrations(files),
		Consumes:   []string{message.RoomReserve, message.RoomCancel},
		Produces:   []string{message.TransactionResult},
		Answers: map[string][]string{
			message.RoomReserve: {message.TransactionResult},
			message.RoomCancel:  {message.TransactionResult},
		},
		TakesTurns: true, // requests are keyed by reservation, nights belong to rooms
		Build: func(env service.Env) (service.Parts, error) {
			return service.Parts{Handlers: adapters.Handlers(env), Routes: adapters.Routes}, nil
		},
	}
}
