// Command restaurant is the restaurant service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/orders/restaurant"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(restaurant.Definition())) }
