package orders_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// simulation is the four services without Kafka.
type simulation struct{ *systemtest.Simulation }

func newSimulation(t *testing.T, database func(name string) string) simulation {
	return simulation{systemtest.NewSimulation(t, orders.System(), database)}
}

func (s simulation) databases() databases {
	return databases{s.Services["order"].Env.DB, s.Services["payment"].Env.DB, s.Services["restaurant"].Env.DB}
}

// customer has heard of by payment, with a credit.
func (s simulation) customer(credit string) (id string) {
	s.T.Helper()
	id = s.REST("POST", "customer", "/customers", `{"username":"jenny","email":"jenny@example.com"}`).Body["id"].(string)
	s.Deliver(false, s.UnderWay[len(s.UnderWay)-1])
	if a := s.REST("POST", "payment", "/credits/"+id+"/deposits", `{"amount":`+credit+`}`); a.Status != 201 {
		s.T.Fatal(a)
	}
	return id
}

func (s simulation) restaurant(price, quantity string) (id, product string) {
	s.T.Helper()
	id = s.REST("POST", "restaurant", "/restaurants", `{"name":"Soup"}`).Body["id"].(string)
	product = s.REST("POST", "restaurant", "/restaurants/"+id+"/products", `{"name":"soup","price":`+price+`,"quantity":`+quantity+`}`).Body["id"].(string)
	return id, product
}

func (s simulation) place(customer, restaurant, product, price string) (id string) {
	s.T.Helper()
	a := s.REST("POST", "order", "/orders", `{"customerId":"`+customer+`","restaurantId":"`+restaurant+
		`","price":`+price+`,"items":[{"productId":"`+product+`","quantity":1}]}`)
	if a.Status != 202 {
		s.T.Fatal(a)
	}
	return a.Body["orderId"].(string)
}

// TestAnyOrderOfMessagesKeepsMoneyAndStock lets messages of many orders be
// handled in any order, repeatedly and with crashes, while customers cancel;
// then replays every topic from its beginning.
func TestAnyOrderOfMessagesKeepsMoneyAndStock(t *testing.T) {
	random := testenv.Rand(t)
	for range 2 {
		s := newSimulation(t, systemtest.Files(t))
		customers := []string{s.customer("1000"), s.customer("300"), "nobody"}
		open, product := s.restaurant("100", "12")
		restaurants := []string{open, open, open, "nowhere"}
		var ids []string
		for range 40 {
			price := []string{"100", "100", "100", "99"}[random.IntN(4)]
			ids = append(ids, s.place(customers[random.IntN(3)], restaurants[random.IntN(4)], product, price))
		}
		s.Drain(random, func() {
			if random.IntN(8) == 0 {
				id := ids[random.IntN(len(ids))]
				if a := s.REST("DELETE", "order", "/orders/"+id, ""); a.Status != 200 && a.Status != 409 {
					t.Errorf("cancel: %s", a)
				}
			}
		})
		s.databases().checkEnded(t)
		before := systemtest.Table(t, s.databases().order, 3, `SELECT id, status, reason FROM orders`)

		s.Replay()
		s.Drain(random, func() {})
		s.databases().checkEnded(t)
		for id, after := range systemtest.Table(t, s.databases().order, 3, `SELECT id, status, reason FROM orders`) {
			if strings.Join(after, " ") != strings.Join(before[id], " ") {
				t.Errorf("replaying changed order %s from %v to %v", id, before[id], after)
			}
		}
		ends := map[string]int{}
		for _, o := range before {
			ends[o[0]+" "+strings.SplitN(o[1], ":", 2)[0]]++
		}
		t.Logf("%d messages; %v", len(s.Sent), ends)
	}
}
