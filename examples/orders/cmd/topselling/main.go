// Command topselling is the top-selling service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/orders/topselling"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(topselling.Definition())) }
