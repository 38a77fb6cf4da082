// Package orders is a system of four services that sell food: order, payment,
// restaurant and customer. Each can run as a program of its own (see cmd) or
// beside the others in one process. A fifth, topselling, only looks on.
package orders

import (
	"github.com/pabal-dev/pabal/examples/orders/customer"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/orders/order/mongo"
	"github.com/pabal-dev/pabal/examples/orders/payment"
	"github.com/pabal-dev/pabal/examples/orders/restaurant"
	"github.com/pabal-dev/pabal/examples/orders/topselling"
	"github.com/pabal-dev/pabal/examples/service"
)

// System is the four services.
func System() service.System {
	return service.System{Name: "orders", Definitions: []service.Definition{
		mongo.Option(order.Definition()), payment.Definition(), restaurant.Definition(), customer.Definition(),
	}}
}

// WithTopSelling is System and the service that tells which restaurants sell most.
func WithTopSelling() service.System {
	s := System()
	s.Definitions = append(s.Definitions, topselling.Definition())
	return s
}
