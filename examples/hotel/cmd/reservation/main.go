// Command reservation is the reservation service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/hotel/reservation"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(reservation.Definition())) }
