// Command payment is the payment service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/orders/payment"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(payment.Definition())) }
