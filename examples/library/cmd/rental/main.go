// Command rental is the rental service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/library/rental"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(rental.Definition())) }
