// Package orders is a system of four services that sell food: order, payment,
// restaurant and customer. Each can run as a program of its own (see cmd) or
// beside the others in one process (New).
package orders

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/pabal-dev/pabal/examples/orders/customer"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/orders/payment"
	"github.com/pabal-dev/pabal/examples/orders/restaurant"
	"github.com/pabal-dev/pabal/examples/orders/service"
)

// Definitions are the four services.
func Definitions() []service.Definition {
	return []service.Definition{order.Definition(), payment.Definition(), restaurant.Definition(), customer.Definition()}
}

// New is the service of that name, to be started in this process.
func New(name string, c service.Config) (*service.Service, error) {
	d, err := find(name)
	if err != nil {
		return nil, err
	}
	return service.New(d, c)
}

// Command is the program of that name, run until ctx ends; it returns the exit
// code. See service.Command.
func Command(ctx context.Context, name string, args []string, stdout, stderr io.Writer) int {
	d, err := find(name)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return service.ExitUsage
	}
	return service.Command(ctx, d, args, stdout, stderr)
}

func find(name string) (service.Definition, error) {
	var names []string
	for _, d := range Definitions() {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return service.Definition{}, fmt.Errorf("there is no service %q; there are %s", name, strings.Join(names, ", "))
}
