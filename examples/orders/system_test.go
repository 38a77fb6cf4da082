package orders_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/systemtest"
)

// TestOrders is the system end to end: what can become of an order.
func TestOrders(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.all().scenarios(t)
		s.databases().checkEnded(t)
	})
}

func (s *system) scenarios(t *testing.T) {
	for name, scenario := range map[string]func(*testing.T, *system){
		"approved": approved, "no credit": noCredit, "unknown customer": unknownCustomer,
		"unknown restaurant": unknownRestaurant, "inactive restaurant": inactiveRestaurant,
		"unknown product": unknownProduct, "inactive product": inactiveProduct,
		"wrong price": wrongPrice, "no stock": noStock, "two lines of one product": twoLines,
		"cancelled by the customer": customerCancels, "duplicate request": duplicateRequest,
		"cancel comes too late": lateCancel,
	} {
		t.Run(name, func(t *testing.T) {
			within := *s
			within.t = t
			scenario(t, &within)
		})
	}
}

func approved(t *testing.T, s *system) {
	customer := s.customer(1000)
	restaurant, product := s.restaurant(300, 2)
	id := s.place(customer, restaurant, 600, line(product, 2)) // equal stock is enough
	a := s.ends(id, "APPROVED", "")
	if credit, stock := s.credit(customer), s.stock(restaurant); credit != 400 || stock != 0 {
		t.Errorf("credit %d, stock %d", credit, stock)
	}
	var steps []string
	for _, entry := range a.Body["timeline"].([]any) {
		step := entry.(map[string]any)
		steps = append(steps, step["status"].(string)+" by "+step["cause"].(string))
		if _, err := time.Parse(time.RFC3339Nano, step["at"].(string)); err != nil {
			t.Errorf("time of a step: %v", err)
		}
	}
	want := "PENDING by POST /orders, PAID by payment-response, APPROVED by order-approval-response"
	if got := strings.Join(steps, ", "); got != want {
		t.Errorf("timeline: %s", got)
	}
}

func noCredit(t *testing.T, s *system) {
	customer := s.customer(599)
	restaurant, product := s.restaurant(300, 2)
	s.ends(s.place(customer, restaurant, 600, line(product, 2)), "CANCELLED", "not enough credit: 600 needed, 599 there")
	if credit, stock := s.credit(customer), s.stock(restaurant); credit != 599 || stock != 2 {
		t.Errorf("credit %d, stock %d", credit, stock)
	}
}

func unknownCustomer(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 2)
	s.ends(s.place("nobody", restaurant, 300, line(product, 1)), "CANCELLED", "unknown customer nobody")
}

// rejected places an order that the restaurant refuses, and checks that the
// customer has everything back.
func rejected(t *testing.T, s *system, restaurant string, price int64, reason string, items ...obj) {
	t.Helper()
	customer := s.customer(5000)
	a := s.ends(s.place(customer, restaurant, price, items...), "CANCELLED", reason)
	if credit := s.credit(customer); credit != 5000 {
		t.Errorf("credit %d after the refund", credit)
	}
	if steps := len(a.Body["timeline"].([]any)); steps != 4 {
		t.Errorf("%d steps, want PENDING, PAID, CANCELLING, CANCELLED", steps)
	}
}

func unknownRestaurant(t *testing.T, s *system) {
	_, product := s.restaurant(300, 2)
	rejected(t, s, "nowhere", 300, "unknown restaurant nowhere", line(product, 1))
}

func inactiveRestaurant(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 2)
	s.Must(200, "PATCH", "restaurant", "/restaurants/"+restaurant, obj{"active": false})
	rejected(t, s, restaurant, 300, "is not active", line(product, 1))
	s.Must(200, "PATCH", "restaurant", "/restaurants/"+restaurant, obj{"active": true})
	s.ends(s.place(s.customer(300), restaurant, 300, line(product, 1)), "APPROVED", "")
	for i, change := range s.About("restaurant-changed", restaurant, 3) {
		if change.Value["active"] != (i != 1) {
			t.Errorf("change %d says %v", i, change.Value)
		}
	}
}

func unknownProduct(t *testing.T, s *system) {
	restaurant, _ := s.restaurant(300, 2)
	_, elsewhere := s.restaurant(300, 2)
	rejected(t, s, restaurant, 300, "unknown product "+elsewhere, line(elsewhere, 1))
}

func inactiveProduct(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 2)
	s.Must(200, "PATCH", "restaurant", "/restaurants/"+restaurant+"/products/"+product, obj{"active": false})
	rejected(t, s, restaurant, 300, "is not active", line(product, 1))
}

func wrongPrice(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 2)
	rejected(t, s, restaurant, 599, "wrong price: the order says 599, the restaurant 600", line(product, 2))
	if stock := s.stock(restaurant); stock != 2 {
		t.Errorf("stock %d", stock)
	}
}

func noStock(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 2)
	rejected(t, s, restaurant, 900, "not enough of product", line(product, 3))
	if stock := s.stock(restaurant); stock != 2 {
		t.Errorf("stock %d", stock)
	}
}

func twoLines(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 3)
	rejected(t, s, restaurant, 1200, "4 wanted, 3 there", line(product, 2), line(product, 2))
	s.ends(s.place(s.customer(900), restaurant, 900, line(product, 1), line(product, 2)), "APPROVED", "")
	if stock := s.stock(restaurant); stock != 0 {
		t.Errorf("stock %d", stock)
	}
}

// customerCancels cancels many orders, each at another moment of its saga.
func customerCancels(t *testing.T, s *system) {
	const tries = 40
	customer := s.customer(tries * 300)
	restaurant, product := s.restaurant(300, tries)
	var all sync.WaitGroup
	ids, cancelled := make([]string, tries), make([]answer, tries)
	for i := range tries {
		ids[i] = s.place(customer, restaurant, 300, line(product, 1))
		all.Go(func() {
			<-time.After(time.Duration(i*i/10) * time.Millisecond) // another moment, not a wait for a state
			var err error
			cancelled[i], err = systemtest.Call("DELETE", "http://"+s.Running["order"].Addr()+"/orders/"+ids[i], nil)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	approved := int64(0)
	for i, id := range ids {
		a := s.final(id)
		switch {
		case cancelled[i].Status == 200 && a.Body["status"] == "CANCELLED" && a.Body["reason"] == "cancelled by the customer":
		case cancelled[i].Status == 409 && a.Body["status"] == "APPROVED":
			approved++
		default:
			t.Errorf("the cancel was answered with %s, and the order ended %s", cancelled[i], a)
		}
	}
	if credit := s.credit(customer); credit != (tries-approved)*300 {
		t.Errorf("%d of %d approved, credit %d", approved, tries, credit)
	}
	t.Logf("%d of %d cancelled in time", tries-approved, tries)
}

func lateCancel(t *testing.T, s *system) {
	restaurant, product := s.restaurant(300, 3)
	id := s.place(s.customer(300), restaurant, 300, line(product, 1))
	s.ends(id, "APPROVED", "")
	if a := s.Call("DELETE", "order", "/orders/"+id, nil); a.Status != 409 || !strings.Contains(a.Text, "APPROVED") {
		t.Errorf("a late cancel was answered with %s", a)
	}
	id = s.place(s.customer(0), restaurant, 300, line(product, 1))
	s.ends(id, "CANCELLED", "not enough credit")
	if a := s.Call("DELETE", "order", "/orders/"+id, nil); a.Status != 409 || !strings.Contains(a.Text, "CANCELLED") {
		t.Errorf("a late cancel was answered with %s", a)
	}
}

func duplicateRequest(t *testing.T, s *system) {
	customer := s.customer(1000)
	restaurant, product := s.restaurant(300, 3)
	body := orderBody(customer, restaurant, 300, line(product, 1))
	key := "key of " + customer
	const tries = 10
	again := make([]answer, tries)
	var all sync.WaitGroup
	for i := range tries {
		all.Go(func() {
			var err error
			again[i], err = systemtest.Call("POST", "http://"+s.Running["order"].Addr()+"/orders", body, "Idempotency-Key", key)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, a := range again {
		if a.Status != 202 || a.Text != again[0].Text {
			t.Errorf("a repeated request was answered with %s, another with %s", a, again[0])
		}
	}
	if late := s.Call("POST", "order", "/orders", body, "Idempotency-Key", key); late.Text != again[0].Text {
		t.Errorf("a repeated request was answered with %s, another with %s", late, again[0])
	}
	s.ends(again[0].Body["orderId"].(string), "APPROVED", "")
	if credit := s.credit(customer); credit != 700 {
		t.Errorf("credit %d: the customer was charged twice", credit)
	}
	body["price"] = 301
	other := s.Call("POST", "order", "/orders", body, "Idempotency-Key", key)
	if other.Status != 422 || other.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("another request under the same key was answered with %s", other)
	}
}
