// Command room is the room service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/hotel/room"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(room.Definition())) }
