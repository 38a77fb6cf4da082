package orders_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/outbox"
)

// The mistakes that order systems of this kind are known for, each with the
// right behaviour.

// TestRefundIsAMessageOfItsOwn: a reader that acts on new rows only would never
// see a refund sent as an update of the request.
func TestRefundIsAMessageOfItsOwn(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.all()
		restaurant, product := s.restaurant(300, 0)
		id := s.place(s.customer(300), restaurant, 300, line(product, 1))
		s.ends(id, "CANCELLED", "not enough of product")
		requests := s.About("payment-request", id, 2)
		if len(requests) != 2 {
			return
		}
		first, refund := requests[0], requests[1]
		if first.Value["paymentOrderStatus"] != "PENDING" || refund.Value["paymentOrderStatus"] != "CANCELLING" {
			t.Errorf("requests are %v and %v", first.Value, refund.Value)
		}
		if first.ID == refund.ID || first.Partition != refund.Partition || refund.Offset <= first.Offset {
			t.Errorf("the refund is not a later message: %+v, %+v", first, refund)
		}
		rejection := s.About("order-approval-response", id, 1)[0]
		if refund.CausationID != rejection.ID || refund.CorrelationID != id {
			t.Errorf("the refund is caused by %s in %s, want %s in %s", refund.CausationID, refund.CorrelationID, rejection.ID, id)
		}
	})
}

// TestRowsThatPredateTheRelayAreDelivered: what was committed before the way
// out existed is published all the same.
func TestRowsThatPredateTheRelayAreDelivered(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	early := newSimulation(t, s.Database) // without Kafka
	restaurant, product := early.restaurant("300", "1")
	customer := early.REST("POST", "customer", "/customers", `{"username":"jenny","email":"jenny@example.com"}`).Body["id"].(string)
	id := early.place("nobody", restaurant, product, "300")
	for _, simulated := range early.Services {
		if err := simulated.Env.DB.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s.all()
	s.ends(id, "CANCELLED", "unknown customer")
	s.About("payment-request", id, 1)
	s.About("customer-created", customer, 1)
	s.About("restaurant-changed", restaurant, 1)
}

// TestRefusedPaymentLeavesNoPending: a refused payment ends the order.
func TestRefusedPaymentLeavesNoPending(t *testing.T) {
	s := newSystem(t, systemtest.Embedded).all()
	restaurant, product := s.restaurant(300, 100)
	customer := s.customer(299)
	var ids []string
	for range 20 {
		ids = append(ids, s.place(customer, restaurant, 300, line(product, 1)))
	}
	for _, id := range ids {
		s.ends(id, "CANCELLED", "not enough credit: 300 needed, 299 there")
	}
	if n := systemtest.Count(t, s.databases().order, `SELECT COUNT(*) FROM orders WHERE status = 'PENDING'`); n != 0 {
		t.Errorf("%d orders are PENDING", n)
	}
}

// request is a payment request as the order service would send it.
func request(orderID, customer string, price int64, status string) event.Event {
	return event.New(message.TypePaymentRequest, orderID, message.PaymentRequest{
		ID: orderID, CustomerID: customer, Price: price, PaymentOrderStatus: status, CreatedAt: time.Now().UTC(),
	}).InTransaction(orderID)
}

// TestRedeliveryNeverChargesTwice: neither the same message again nor another
// one about the same order debits a second time.
func TestRedeliveryNeverChargesTwice(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.Start("customer")
		s.Start("payment")
		customer := s.customer(1000)
		again := request("order-1", customer, 300, message.OrderPending)
		s.Publish("payment-request", again, again, request("order-1", customer, 300, message.OrderPending), again)
		s.Publish("payment-request", request("order-1", customer, 250, message.OrderPending))
		// The inbox drops what has the same id; the others get the same answer.
		for _, answer := range s.About("payment-response", "order-1", 3) {
			if answer.Value["paymentStatus"] != "COMPLETED" || answer.Value["price"] != 300.0 {
				t.Errorf("answer %v", answer.Value)
			}
		}
		if credit := s.credit(customer); credit != 700 {
			t.Errorf("credit %d", credit)
		}
	})
}

// TestMissingCreditStillAnswers, and so does everything else that payment can
// be asked.
func TestMissingCreditStillAnswers(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("payment")
	for i, test := range []struct {
		price        int64
		status, want string
	}{
		{300, message.OrderPending, "FAILED"}, {300, message.OrderCancelling, "CANCELLED"},
		{0, message.OrderPending, "FAILED"}, {-5, message.OrderPending, "FAILED"}, {math.MaxInt64, message.OrderPending, "FAILED"},
	} {
		id := fmt.Sprint("order-", i)
		s.Publish("payment-request", request(id, "nobody", test.price, test.status))
		answer := s.About("payment-response", id, 1)[0]
		if answer.Value["paymentStatus"] != test.want || answer.Value["reason"] == nil {
			t.Errorf("%+v is answered with %v", test, answer.Value)
		}
	}
}

// TestMissingRestaurantStillAnswers: so the saga always goes on.
func TestMissingRestaurantStillAnswers(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("restaurant")
	for i, products := range [][]message.Product{{{ProductID: "p", Quantity: 1}}, {{ProductID: "p", Quantity: -1}}, {}, nil} {
		id := fmt.Sprint("order-", i)
		s.Publish("order-approval-request", event.New(message.TypeApprovalRequest, id, message.ApprovalRequest{
			OrderID: id, RestaurantID: "nowhere", Price: 300, Products: products, CreatedAt: time.Now(),
		}))
		answer := s.About("order-approval-response", id, 1)[0]
		if answer.Value["orderApprovalStatus"] != "REJECTED" || answer.Value["reason"] != "unknown restaurant nowhere" {
			t.Errorf("%v is answered with %v", products, answer.Value)
		}
	}
}

// TestRefundIsWhatWasTaken: not the price that the cancel names, and once.
func TestRefundIsWhatWasTaken(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.Start("customer")
		s.Start("payment")
		customer := s.customer(1000)
		s.Publish("payment-request", request("order-1", customer, 300, message.OrderPending))
		s.About("payment-response", "order-1", 1)
		for range 3 {
			s.Publish("payment-request", request("order-1", customer, 999, message.OrderCancelling))
		}
		for _, answer := range s.About("payment-response", "order-1", 4)[1:] {
			if answer.Value["paymentStatus"] != "CANCELLED" || answer.Value["price"] != 300.0 {
				t.Errorf("answer %v", answer.Value)
			}
		}
		if credit := s.credit(customer); credit != 1000 {
			t.Errorf("credit %d", credit)
		}
	})
}

// TestCancelOvertakesTheRequest: what comes after its cancel takes nothing, and
// a refused payment gives nothing back.
func TestCancelOvertakesTheRequest(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("customer")
	s.Start("payment")
	customer := s.customer(1000)
	s.Publish("payment-request",
		request("overtaken", customer, 300, message.OrderCancelling), request("overtaken", customer, 300, message.OrderPending),
		request("refused", customer, 1001, message.OrderPending), request("refused", customer, 1001, message.OrderCancelling))
	for _, answer := range s.About("payment-response", "overtaken", 2) {
		if answer.Value["paymentStatus"] != "CANCELLED" || answer.Value["price"] != 0.0 {
			t.Errorf("overtaken: answer %v", answer.Value)
		}
	}
	refused := s.About("payment-response", "refused", 2)
	if refused[0].Value["paymentStatus"] != "FAILED" || refused[1].Value["paymentStatus"] != "CANCELLED" || refused[1].Value["price"] != 0.0 {
		t.Errorf("refused: answers %v, %v", refused[0].Value, refused[1].Value)
	}
	if credit := s.credit(customer); credit != 1000 {
		t.Errorf("credit %d", credit)
	}
}

// TestConcurrentDebitsLoseNothing: debits, refunds and deposits of one credit
// side by side, by handlers that do not take turns.
func TestConcurrentDebitsLoseNothing(t *testing.T) {
	for _, b := range backends {
		t.Run(b.Name, func(t *testing.T) {
			_, database := b.Start(t)
			s := newSimulation(t, database)
			customer := s.customer("5000")
			pay := func(e event.Event) { s.Handle(outbox.Message{Topic: message.TypePaymentRequest, Event: e}) }
			var all sync.WaitGroup
			for worker := range 8 {
				all.Go(func() {
					for i := range 25 {
						id := fmt.Sprint("order-", worker, "-", i)
						pay(request(id, customer, 100, message.OrderPending))
						if i%5 == 0 {
							pay(request(id, customer, 100, message.OrderCancelling))
						}
						if i%5 == 1 { // at the same time as the others' debits
							if a := s.Ask("POST", "payment", "/credits/"+customer+"/deposits", `{"amount":7}`); a.Status != 201 {
								t.Errorf("deposit: %s", a)
							}
						}
					}
				})
			}
			all.Wait()
			d := s.databases()
			d.checkMoney(t)
			if deposits := systemtest.Count(t, d.payment, `SELECT CAST(SUM(amount) AS BIGINT) FROM deposits`); deposits != 5000+8*5*7 {
				t.Errorf("deposits %d", deposits)
			}
			if failed := systemtest.Count(t, d.payment, `SELECT COUNT(*) FROM payments WHERE status = 'FAILED'`); failed == 0 {
				t.Error("no debit was refused: the credit never ran out, and the test proves nothing")
			}
		})
	}
}

// TestSeveralRelaysSendEachRowOnce: three instances of the order service on one
// database, one of them stopped on the way.
func TestSeveralRelaysSendEachRowOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.all()
		second := s.Launch("order", func(*service.Config) {})
		defer systemtest.Stop(t, second)
		third := s.Launch("order", func(*service.Config) {})
		customer := s.customer(100_000)
		restaurant, product := s.restaurant(10, 1000)
		at := []string{s.Running["order"].Addr(), second.Addr(), third.Addr()}
		var ids []string
		for i := range 30 {
			if i == 15 {
				systemtest.Stop(t, third)
			}
			url := "http://" + at[i%len(at)] + "/orders"
			if i >= 15 {
				url = "http://" + at[i%2] + "/orders"
			}
			a, err := systemtest.Call("POST", url, orderBody(customer, restaurant, 10, line(product, 1)))
			if err != nil || a.Status != 202 {
				t.Fatal(a, err)
			}
			ids = append(ids, a.Body["orderId"].(string))
		}
		for _, id := range ids {
			s.ends(id, "APPROVED", "")
		}
		for _, topic := range []string{"payment-request", "order-approval-request"} {
			seen := map[string]int{}
			for _, r := range s.Log(topic) {
				seen[r.Key]++
			}
			for _, id := range ids {
				if seen[id] != 1 {
					t.Errorf("%s has %d messages about order %s", topic, seen[id], id)
				}
			}
		}
		s.databases().checkEnded(t)
	})
}

// TestFailedRowIsSentByReplay: a row that Kafka refuses becomes FAILED and a
// dead letter while others go on, and is sent once it is replayed.
func TestFailedRowIsSentByReplay(t *testing.T) {
	onEach(t, func(t *testing.T, s *system) {
		s.topic(kafka.Topic{Name: "restaurant-changed", Config: map[string]string{"max.message.bytes": "500"}})
		s.Start("restaurant")
		long := s.Must(201, "POST", "restaurant", "/restaurants", obj{"name": strings.Repeat("파", 100)}).Body["id"].(string)
		short := s.Must(201, "POST", "restaurant", "/restaurants", obj{"name": "Soup"}).Body["id"].(string)
		s.About("restaurant-changed", short, 1)
		db := s.Running["restaurant"].DB()
		testenv.Wait(t, "the row to be FAILED", systemtest.StateTimeout, func() bool {
			b, err := db.Backlog(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return b.Failed == 1
		})
		s.About("restaurant.outbox.dead-letters", long, 1)
		testenv.RaiseMessageLimit(t, s.Kafka.Brokers, s.Kafka.Topic("restaurant-changed"), 1_000_000)
		if n, err := db.Replay(context.Background()); n != 1 || err != nil {
			t.Fatalf("replayed %d rows, %v", n, err)
		}
		s.About("restaurant-changed", long, 1)
		testenv.Wait(t, "the outbox to be empty", systemtest.StateTimeout, func() bool {
			b, err := db.Backlog(context.Background())
			return err == nil && b.Failed == 0 && b.Started == 0
		})
	})
}

// TestReplayedCustomerNeverResetsTheCredit: the first "customer created" opens
// a credit of 0, and no later one changes it.
func TestReplayedCustomerNeverResetsTheCredit(t *testing.T) {
	s := newSystem(t, systemtest.Embedded)
	s.Start("customer")
	s.Start("payment")
	customer := s.customer(0)
	if credit := s.credit(customer); credit != 0 {
		t.Errorf("a new credit is %d", credit)
	}
	s.Must(201, "POST", "payment", "/credits/"+customer+"/deposits", obj{"amount": 500})
	created := s.About("customer-created", customer, 1)[0].Event
	again := event.New(message.TypeCustomerCreated, customer, message.CustomerCreated{ID: customer, Username: "other", Email: "o@example.com"})
	s.Publish("customer-created", created, again)
	s.Publish("customer-created", event.New(message.TypeCustomerCreated, customer, message.CustomerCreated{ID: "last", Username: "x", Email: "x@example.com"}))
	testenv.Wait(t, "the last message", systemtest.StateTimeout, func() bool { return s.Call("GET", "payment", "/credits/last", nil).Status == 200 })
	if credit := s.credit(customer); credit != 500 {
		t.Errorf("credit %d after a replay", credit)
	}
}
