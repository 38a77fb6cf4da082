// Command order is the order service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/orders/order/mongo"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(mongo.Option(order.Definition()))) }
