// Package hotel is a system of two services that let rooms: reservation and room. Each
// can run as a program of its own (see cmd) or beside the other in one process.
package hotel

import (
	"github.com/pabal-dev/pabal/examples/hotel/reservation"
	"github.com/pabal-dev/pabal/examples/hotel/room"
	"github.com/pabal-dev/pabal/examples/service"
)

// System is the two services.
func System() service.System {
	return service.System{Name: "hotel", Definitions: []service.Definition{reservation.Definition(), room.Definition()}}
}
