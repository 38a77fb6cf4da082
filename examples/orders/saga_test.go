package orders_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order"
	domain "github.com/pabal-dev/pabal/examples/orders/order/domain"
	payment "github.com/pabal-dev/pabal/examples/orders/payment/domain"
	restaurant "github.com/pabal-dev/pabal/examples/orders/restaurant/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
	"github.com/pabal-dev/pabal/saga/sagatest"
)

const price = int64(100)

// world is what payment and restaurant keep of one order.
type world struct {
	Credit, Stock int64 // at first
	Balance, Left int64
	Payment       *payment.Payment
	Approval      *restaurant.Decision
}

// orderModel is an order's saga with the rules of payment and restaurant, each of
// which may be short of what is asked for. Neither has an inbox: what comes again, days
// later too, is handled again.
func orderModel() sagatest.Model[world, domain.Order] {
	return sagatest.Model[world, domain.Order]{
		Definition: order.Saga(service.Env{}),
		World: func(choose sagatest.Choose) (w world) {
			if choose("rich", "poor") == "rich" {
				w.Credit = price
			}
			if choose("stock", "none left") == "stock" {
				w.Stock = 1
			}
			w.Balance, w.Left = w.Credit, w.Stock
			return w
		},
		Start: func(world) domain.Order {
			return domain.Order{ID: "1", CustomerID: "c", RestaurantID: "r", Items: []domain.Item{{ProductID: "p", Quantity: 1}}, Price: price, Status: domain.Pending}
		},
		Participants: []sagatest.Participant[world]{
			{Name: "payment", Topics: []string{message.TypePaymentRequest}, Handle: pays},
			{Name: "restaurant", Topics: []string{message.TypeApprovalRequest}, Handle: approves},
		},
		Invariant: func(w world, i saga.Instance[domain.Order]) error { return w.sound(i) },
		Final:     func(w world, i saga.Instance[domain.Order]) error { return w.final(i) },
		// More than keys and partitions would allow.
		Unordered: true, Duplicates: 2, Timeouts: 1, Crashes: 1, Cancels: 1,
	}
}

func pays(w *world, m outbox.Message, _ sagatest.Choose) []outbox.Message {
	r, err := event.Decode[message.PaymentRequest](m.Event)
	if err != nil {
		panic(err)
	}
	if r.PaymentOrderStatus == message.OrderCancelling {
		return w.refund(r)
	}
	if w.Payment == nil {
		p := payment.Request(r.ID, r.CustomerID, r.Price)
		if credit := (payment.Credit{Known: true, Balance: w.Balance}); credit.Covers(p.Price) {
			w.Balance -= p.Taken
		} else {
			p = p.Refuse(credit)
		}
		w.Payment = &p
	}
	return paid(w.Payment.Status, w.Payment.Price, w.Payment.Reason)
}

func (w *world) refund(r message.PaymentRequest) []outbox.Message {
	p := payment.NeverAsked(r.ID, r.CustomerID)
	if w.Payment != nil {
		var back int64
		p, back, _ = w.Payment.Cancel()
		w.Balance += back
	}
	w.Payment = &p
	return paid(payment.Cancelled, p.Refunded, p.Reason)
}

func paid(status payment.Status, amount int64, reason string) []outbox.Message {
	return []outbox.Message{{Topic: message.TypePaymentResponse, Event: event.New(message.TypePaymentResponse, "1",
		message.PaymentResponse{ID: "1", CustomerID: "c", Price: amount, PaymentStatus: string(status), Reason: reason})}}
}

func approves(w *world, m outbox.Message, _ sagatest.Choose) []outbox.Message {
	r, err := event.Decode[message.ApprovalRequest](m.Event)
	if err != nil {
		panic(err)
	}
	if w.Approval == nil {
		menu := restaurant.Menu{Known: true, Active: true, Products: map[string]restaurant.Product{"p": {ID: "p", Price: price, Stock: w.Left, Active: true}}}
		d := restaurant.Decide(menu, "r", []restaurant.Line{{ProductID: "p", Quantity: 1}}, r.Price)
		for _, line := range d.Take {
			w.Left -= line.Quantity
		}
		w.Approval = &d
	}
	status := message.ApprovalRejected
	if w.Approval.Approved {
		status = message.ApprovalApproved
	}
	return []outbox.Message{{Topic: message.TypeApprovalResponse, Event: event.New(message.TypeApprovalResponse, "1",
		message.ApprovalResponse{OrderID: "1", RestaurantID: "r", OrderApprovalStatus: status, Reason: w.Approval.Reason})}}
}

// sound holds at every moment.
func (w world) sound(i saga.Instance[domain.Order]) error {
	status, kept := i.State.Status, w.Credit-w.Balance
	switch {
	case kept != 0 && kept != price, w.Left < 0:
		return fmt.Errorf("money kept %d, stock left %d", kept, w.Left)
	case w.Payment != nil && kept != w.Payment.Taken-w.Payment.Refunded:
		return fmt.Errorf("the payment says %+v, the credit lost %d", *w.Payment, kept)
	case (status == domain.Paid || status == domain.Approved) && kept != price:
		return fmt.Errorf("%s, and money kept %d", status, kept)
	case slices.Contains([]domain.Status{domain.Cancelling, domain.Cancelled}, status) && i.State.Reason == "":
		return fmt.Errorf("%s without a reason", status)
	case i.Status == saga.NeedsReview && i.State.Status != domain.Cancelled && i.State.Status != domain.Cancelling:
		return fmt.Errorf("%s needs review", status)
	}
	return nil
}

// final holds once nothing is under way.
func (w world) final(i saga.Instance[domain.Order]) error {
	kept, sold := w.Credit-w.Balance, w.Stock-w.Left
	switch o := i.State; {
	case i.Status == saga.Completed && o.Status == domain.Approved && kept == price && sold == 1:
		return nil
	case i.Status == saga.Compensated && o.Status == domain.Cancelled && kept == 0 && sold == 0:
		return nil
	default:
		return fmt.Errorf("%s, saga %s, money kept %d, stock taken %d", o.Status, i.Status, kept, sold)
	}
}

// TestEveryInterleaving explores every order in which the messages of one order can be
// handled, some of them again at any later time, with the customer's cancel and the
// time-out of the payment at any moment or never.
func TestEveryInterleaving(t *testing.T) {
	report := sagatest.Check(t, orderModel())
	t.Log(report)
	if report.Cut > 0 || report.Ends[saga.Completed] == 0 || report.Ends[saga.Compensated] == 0 {
		t.Error("the exploration is broken")
	}
}
