package orders_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/twmb/franz-go/pkg/kgo"
)

type (
	obj    = systemtest.Obj
	answer = systemtest.Answer
)

// backends are the default, which needs nothing, and the real servers.
var backends = []systemtest.Backend{systemtest.Embedded, systemtest.Real}

// on is a backend that exists already.
func on(cluster kafka.Config, database func(string) string) systemtest.Backend {
	return systemtest.Backend{Name: "given", Start: func(testing.TB) (kafka.Config, func(string) string) { return cluster, database }}
}

// onEach runs a test on both.
func onEach(t *testing.T, test func(t *testing.T, s *system)) {
	for _, b := range backends {
		t.Run(b.Name, func(t *testing.T) { test(t, newSystem(t, b)) })
	}
}

// system is the four services, or some of them.
type system struct {
	*systemtest.System
	t testing.TB
}

func newSystem(t testing.TB, b systemtest.Backend) *system {
	return &system{systemtest.New(t, b, orders.System()), t}
}

// all starts the four services.
func (s *system) all() *system {
	s.t.Helper()
	s.All()
	return s
}

func (s *system) client() *kgo.Client {
	s.t.Helper()
	client, err := kafka.NewClient(s.Kafka)
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// topic makes a topic before any service does.
func (s *system) topic(topic kafka.Topic) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), systemtest.StateTimeout)
	defer cancel()
	client := s.client()
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, s.Kafka, topic); err != nil {
		s.t.Fatal(err)
	}
}

// customer registers one and deposits, where credit is above 0, once payment
// has heard of it.
func (s *system) customer(credit int64) (id string) {
	s.t.Helper()
	id = s.Must(201, "POST", "customer", "/customers", obj{"username": "jenny", "email": "jenny@example.com"}).Body["id"].(string)
	s.Wait("the credit of customer "+id, func() bool {
		return s.Call("GET", "payment", "/credits/"+id, nil).Status == 200
	})
	if credit > 0 {
		s.Must(201, "POST", "payment", "/credits/"+id+"/deposits", obj{"amount": credit})
	}
	return id
}

func (s *system) credit(customer string) int64 {
	s.t.Helper()
	return int64(s.Must(200, "GET", "payment", "/credits/"+customer, nil).Body["balance"].(float64))
}

// restaurant makes one that sells one product.
func (s *system) restaurant(price, quantity int64) (id, product string) {
	s.t.Helper()
	id = s.Must(201, "POST", "restaurant", "/restaurants", obj{"name": "Soup & Rice"}).Body["id"].(string)
	product = s.Must(201, "POST", "restaurant", "/restaurants/"+id+"/products",
		obj{"name": "soup", "price": price, "quantity": quantity}).Body["id"].(string)
	return id, product
}

func (s *system) stock(restaurant string) int64 {
	s.t.Helper()
	products := s.Must(200, "GET", "restaurant", "/restaurants/"+restaurant, nil).Body["products"].([]any)
	return int64(products[0].(map[string]any)["quantity"].(float64))
}

// line is one line of an order.
func line(product string, quantity int64) obj { return obj{"productId": product, "quantity": quantity} }

func orderBody(customer, restaurant string, price int64, items ...obj) obj {
	return obj{"customerId": customer, "restaurantId": restaurant, "price": price, "items": items}
}

func (s *system) place(customer, restaurant string, price int64, items ...obj) (id string) {
	s.t.Helper()
	return s.Must(202, "POST", "order", "/orders", orderBody(customer, restaurant, price, items...)).Body["orderId"].(string)
}

// final waits until the order's saga has ended.
func (s *system) final(id string) answer {
	s.t.Helper()
	var a answer
	s.Wait("the end of order "+id, func() bool {
		a = s.Must(200, "GET", "order", "/orders/"+id, nil)
		return a.Body["awaiting"] == nil && (a.Body["status"] == "APPROVED" || a.Body["status"] == "CANCELLED")
	})
	return a
}

// ends waits and checks how an order ended; reason is part of it.
func (s *system) ends(id, status, reason string) answer {
	s.t.Helper()
	a := s.final(id)
	got, _ := a.Body["reason"].(string)
	if a.Body["status"] != status || !strings.Contains(got, reason) || (reason == "") != (got == "") {
		s.t.Errorf("order %s ended %v, reason %q; want %s, reason %q", id, a.Body["status"], got, status, reason)
	}
	return a
}
