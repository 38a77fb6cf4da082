package orders_test

import (
	"fmt"
	"testing"

	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
)

// listed asks for all pages of a query.
func (s *system) listed(query string) (orders []string) {
	s.t.Helper()
	for after := ""; ; {
		a := s.Must(200, "GET", "order", "/orders?limit=2&after="+after+"&"+query, nil)
		page, _ := a.Body["orders"].([]any)
		for _, o := range page {
			line := o.(map[string]any)
			orders = append(orders, fmt.Sprint(line["orderId"], " ", line["status"]))
		}
		if a.Header.Get("View-Lag-Events") == "" || a.Header.Get("View-Lag-Seconds") == "" {
			s.t.Fatalf("GET /orders does not tell its lag: %v", a.Header)
		}
		next, more := a.Body["after"].(string)
		if !more {
			return orders
		}
		after = next
	}
}

// TestOrdersAreListed: the view follows what becomes of orders, is searched by
// customer and status and read in pages, and is whole after a restart.
func TestOrdersAreListed(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.all()
		rich, poor := s.customer(10_000), s.customer(1)
		restaurant, product := s.restaurant(300, 100)
		var approved, cancelled []string
		for range 3 {
			id := s.place(rich, restaurant, 300, line(product, 1))
			s.ends(id, "APPROVED", "")
			approved = append(approved, id+" APPROVED")
		}
		id := s.place(poor, restaurant, 300, line(product, 1))
		s.final(id)
		cancelled = append(cancelled, id+" CANCELLED")

		check := func() {
			t.Helper()
			for query, want := range map[string][]string{
				"customerId=" + rich:                  approved,
				"customerId=" + poor:                  cancelled,
				"status=APPROVED":                     approved,
				"status=CANCELLED&customerId=" + poor: cancelled,
				"status=CANCELLED&customerId=" + rich: nil,
				"status=PENDING":                      nil,
				"customerId=nobody":                   nil,
				"":                                    append(append([]string{}, approved...), cancelled...),
			} {
				var got []string
				testenv.Wait(t, "GET /orders?"+query, systemtest.StateTimeout, func() bool {
					got = s.listed(query)
					return fmt.Sprint(got) == fmt.Sprint(want)
				})
			}
		}
		check()
		s.Stop("order")
		s.Start("order")
		check()
	})
}

func TestBadQueriesOfOrders(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("order")
	for query, field := range map[string]string{
		"status=DONE": "status", "limit=0": "limit", "limit=501": "limit", "limit=x": "limit",
		"customerId=": "customerId", "customer=1": "customer", "status=PAID&status=PAID": "status", "after=%00": "after",
	} {
		if got := fields(s.Must(400, "GET", "order", "/orders?"+query, nil)); got != field {
			t.Errorf("%s: fields at fault %q, want %q", query, got, field)
		}
	}
}
