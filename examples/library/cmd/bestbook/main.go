// Command bestbook is the bestbook service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/library/bestbook"
	"github.com/pabal-dev/pabal/examples/library/bestbook/adapters/mongo"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(mongo.Option(bestbook.Definition()))) }
