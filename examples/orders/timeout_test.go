package orders_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/order"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/saga"
)

// clock runs ahead of the real one by as much as a test says.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// paymentTimeout is longer than any test takes.
const paymentTimeout = 20 * time.Hour

// withoutPayment is the system while payment is away, with a customer who could pay
// one order.
func (s *system) withoutPayment() (at *clock, customer, restaurant, product string) {
	s.t.Helper()
	at = &clock{}
	s.Running["order"] = s.Launch("order", func(c *service.Config) {
		c.Clock, c.Durations = at.now, map[string]time.Duration{order.PaymentTimeout.Name: paymentTimeout}
	})
	for _, name := range []string{"payment", "restaurant", "customer"} {
		s.Start(name)
	}
	customer = s.customer(300)
	restaurant, product = s.restaurant(300, 5)
	s.Stop("payment")
	return at, customer, restaurant, product
}

// awaits waits until the order is that far.
func (s *system) awaits(id, status, awaiting string) (a answer) {
	s.t.Helper()
	testenv.Wait(s.t, fmt.Sprintf("order %s %s awaiting %s", id, status, awaiting), systemtest.StateTimeout, func() bool {
		a = s.Must(200, "GET", "order", "/orders/"+id, nil)
		return a.Body["status"] == status && a.Body["awaiting"] == awaiting
	})
	return a
}

// steps are those of an order's timeline.
func steps(a answer) string {
	var all []string
	for _, entry := range a.Body["timeline"].([]any) {
		step := entry.(map[string]any)
		all = append(all, fmt.Sprintf("%v by %v: %v", step["status"], step["cause"], step["note"]))
	}
	return strings.Join(all, ", ")
}

// TestLatePaymentIsGivenBackOnce: payment is away for longer than an order waits. The
// order is cancelled; what payment takes when it is back, it gives back, once. What is
// redelivered days later changes nothing.
func TestLatePaymentIsGivenBackOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		at, customer, restaurant, product := s.withoutPayment()
		id := s.place(customer, restaurant, 300, line(product, 1))
		s.awaits(id, "PENDING", "PAYMENT")
		at.advance(paymentTimeout / 2)
		s.awaits(id, "PENDING", "PAYMENT")
		at.advance(paymentTimeout / 2)
		s.awaits(id, "CANCELLED", "REFUND")
		if a := s.Call("DELETE", "order", "/orders/"+id, nil); a.Status != 409 || !strings.Contains(a.Text, "CANCELLED") {
			t.Errorf("a cancel after the time-out was answered with %s", a)
		}
		s.Start("payment")
		a := s.ends(id, "CANCELLED", "no answer within 20h")
		reason := a.Body["reason"]
		want := fmt.Sprintf("PENDING by POST /orders: <nil>, CANCELLED by timer: %v, CANCELLED by payment-response: 300 given back", reason)
		if got := steps(a); got != want {
			t.Errorf("timeline %s, want %s", got, want)
		}
		s.About("payment-request", id, 2)
		answers := s.About("payment-response", id, 2)
		if answers[0].Value["paymentStatus"] != "COMPLETED" || answers[1].Value["paymentStatus"] != "CANCELLED" {
			t.Errorf("answers %v, %v", answers[0].Value, answers[1].Value)
		}
		s.nothingTaken(customer, restaurant)

		at.advance(9 * 24 * time.Hour)
		s.redeliver(id, "payment-request", "payment", 2)
		s.redeliver(id, "payment-response", "order", 4)
		if again := s.ends(id, "CANCELLED", "no answer within 20h"); again.Text != a.Text {
			t.Errorf("redelivery changed the order from %s to %s", a, again)
		}
		s.nothingTaken(customer, restaurant)
	})
}

// nothingTaken: the customer has everything, and the restaurant has sold nothing.
func (s *system) nothingTaken(customer, restaurant string) {
	s.t.Helper()
	if credit, stock := s.credit(customer), s.stock(restaurant); credit != 300 || stock != 5 {
		s.t.Errorf("credit %d, stock %d", credit, stock)
	}
	s.databases().checkEnded(s.t)
}

// redeliver has a service handle the messages about an order again, after its inbox
// has forgotten them.
func (s *system) redeliver(id, topic, name string, n int) {
	s.t.Helper()
	var again []event.Event
	for _, r := range s.About(topic, id, n) {
		r.ID = event.NewID()
		again = append(again, r.Event)
	}
	before := s.status(name).Consumers[0].Stats.Handled
	s.Publish(topic, again...)
	testenv.Wait(s.t, "the redelivery of "+topic, systemtest.StateTimeout, func() bool {
		return s.status(name).Consumers[0].Stats.Handled >= before+int64(len(again))
	})
}

// TestCancelWhilePaymentIsAway: the customer gets the order cancelled at once, and
// payment takes nothing for good when it is back.
func TestCancelWhilePaymentIsAway(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, customer, restaurant, product := s.withoutPayment()
	id := s.place(customer, restaurant, 300, line(product, 1))
	if a := s.Must(200, "DELETE", "order", "/orders/"+id, nil); a.Body["status"] != "CANCELLED" || a.Body["awaiting"] != "REFUND" {
		t.Errorf("the cancel was answered with %s", a)
	}
	at.advance(paymentTimeout)
	s.Start("payment")
	s.ends(id, "CANCELLED", "cancelled by the customer")
	s.About("payment-request", id, 2)
	s.nothingTaken(customer, restaurant)
}

// TestUnansweredRefundNeedsReview: a person sees an order whose cancel nobody
// answers. The answer ends it all the same.
func TestUnansweredRefundNeedsReview(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, customer, restaurant, product := s.withoutPayment()
	id := s.place(customer, restaurant, 300, line(product, 1))
	s.Must(200, "DELETE", "order", "/orders/"+id, nil)
	at.advance(time.Hour)
	testenv.Wait(t, "the review", systemtest.StateTimeout, func() bool {
		page, err := s.admin("order").Sagas(t.Context(), saga.Query{Status: []saga.Status{saga.NeedsReview}})
		if err != nil {
			t.Fatal(err)
		}
		return len(page.Sagas) == 1 && page.Sagas[0].ID == id
	})
	s.awaits(id, "CANCELLED", "REFUND")
	s.Start("payment")
	s.ends(id, "CANCELLED", "cancelled by the customer")
	s.nothingTaken(customer, restaurant)
}

// TestSlowRestaurantIsWaitedFor: a paid order is not cancelled by time, because nobody
// could tell the restaurant to forget it.
func TestSlowRestaurantIsWaitedFor(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	at, customer, restaurant, product := s.withoutPayment()
	s.Stop("restaurant")
	s.Start("payment")
	id := s.place(customer, restaurant, 300, line(product, 1))
	s.awaits(id, "PAID", "APPROVAL")
	at.advance(24 * time.Hour)
	if a := s.Call("DELETE", "order", "/orders/"+id, nil); a.Status != 409 || !strings.Contains(a.Text, "PAID") {
		t.Errorf("a cancel of a paid order was answered with %s", a)
	}
	s.Start("restaurant")
	s.ends(id, "APPROVED", "")
}
