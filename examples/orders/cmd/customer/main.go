// Command customer is the customer service; see --help.
package main

import (
	"os"

	"github.com/pabal-dev/pabal/examples/orders/customer"
	"github.com/pabal-dev/pabal/examples/service"
)

func main() { os.Exit(service.Main(customer.Definition())) }
