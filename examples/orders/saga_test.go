package orders_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	order "github.com/pabal-dev/pabal/examples/orders/order/domain"
	payment "github.com/pabal-dev/pabal/examples/orders/payment/domain"
	restaurant "github.com/pabal-dev/pabal/examples/orders/restaurant/domain"
)

// world is the state of one order in all services, and the messages under way.
// It holds values only, so that exploring it needs no undo.
type world struct {
	order   order.Order
	payment *payment.Payment
	// approval is nil until the restaurant has decided.
	approval *restaurant.Decision
	balance  int64
	stock    int64
	// messages that were sent and not handled, in no order at all: more than
	// keys and partitions would allow.
	messages []string
	// cancelled: the customer has tried.
	cancelled bool
	// repeats are how many messages may still be handled twice.
	repeats int
}

const (
	askPayment    = "payment-request PENDING"
	cancelPayment = "payment-request CANCELLING"
	askApproval   = "order-approval-request"
	price         = int64(100)
)

func (w world) key() string {
	slices.Sort(w.messages)
	k := fmt.Sprint(w.order.Status, w.order.Awaiting, w.balance, w.stock, w.cancelled, w.repeats, w.messages)
	if w.payment != nil {
		k += fmt.Sprint(*w.payment)
	}
	if w.approval != nil {
		k += fmt.Sprint(w.approval.Approved)
	}
	return k
}

func (w world) send(messages ...string) world {
	w.messages = append(slices.Clone(w.messages), messages...)
	return w
}

// decide lets the order service handle an input.
func (w world) decide(in order.Input) (world, error) {
	d, err := order.Decide(w.order, in)
	if err != nil {
		return w, err
	}
	w.order = d.Order
	for _, effect := range d.Send {
		w = w.send(map[order.Effect]string{order.CancelPayment: cancelPayment, order.RequestApproval: askApproval}[effect])
	}
	return w, nil
}

// deliver handles a message where it belongs.
func (w world) deliver(message string) (world, error) {
	kind, detail, _ := strings.Cut(message, " ")
	switch {
	case message == askPayment:
		return w.pay(), nil
	case message == cancelPayment:
		return w.refund(), nil
	case message == askApproval:
		return w.approve(), nil
	case kind == "payment-response":
		in := order.PaymentAnswered{Outcome: order.PaymentOutcome(detail), Reason: "no credit"}
		return w.decide(in)
	default: // order-approval-response
		return w.decide(order.ApprovalAnswered{Approved: detail == "true", Reason: "no stock"})
	}
}

func (w world) pay() world {
	if w.payment == nil {
		p := payment.Request(w.order.ID, w.order.CustomerID, w.order.Price)
		if credit := (payment.Credit{Known: true, Balance: w.balance}); credit.Covers(p.Price) {
			w.balance -= p.Taken
		} else {
			p = p.Refuse(credit)
		}
		w.payment = &p
	}
	return w.send("payment-response " + string(w.payment.Status))
}

func (w world) refund() world {
	p := payment.NeverAsked(w.order.ID, w.order.CustomerID)
	if w.payment != nil {
		var back int64
		p, back, _ = w.payment.Cancel()
		w.balance += back
	}
	w.payment = &p
	return w.send("payment-response CANCELLED")
}

func (w world) approve() world {
	if w.approval == nil {
		menu := restaurant.Menu{Known: true, Active: true, Products: map[string]restaurant.Product{"p": {ID: "p", Price: price, Stock: w.stock, Active: true}}}
		d := restaurant.Decide(menu, "r", []restaurant.Line{{ProductID: "p", Quantity: 1}}, w.order.Price)
		for _, line := range d.Take {
			w.stock -= line.Quantity
		}
		w.approval = &d
	}
	return w.send(fmt.Sprintf("order-approval-response %v", w.approval.Approved))
}

// next are all worlds one step away.
func (w world) next(t *testing.T) (worlds []world) {
	if !w.cancelled {
		after, err := w.decide(order.CustomerCancelled{})
		if err != nil && !errors.Is(err, order.ErrTransition) {
			t.Fatal(err)
		}
		after.cancelled = true
		worlds = append(worlds, after)
	}
	for i, message := range w.messages {
		after, err := w.deliver(message)
		if err != nil {
			t.Fatalf("%s in %+v: %v", message, w.order, err)
		}
		if w.repeats > 0 { // the message stays under way
			again := after
			again.repeats--
			worlds = append(worlds, again)
		}
		after.messages = slices.Delete(slices.Clone(after.messages), i, i+1)
		worlds = append(worlds, after)
	}
	return worlds
}

// check holds an ended world to the invariants.
func (w world) check(t *testing.T, balance, stock int64) {
	approved := w.order.Status == order.Approved
	kept := balance - w.balance
	switch {
	case !w.order.Final():
		t.Errorf("not final: %+v", w.order)
	case approved && (kept != price || stock-w.stock != 1):
		t.Errorf("approved, money kept %d, stock taken %d", kept, stock-w.stock)
	case !approved && (kept != 0 || w.stock != stock):
		t.Errorf("cancelled, money kept %d, stock taken %d: %+v", kept, stock-w.stock, w.order)
	case !approved && w.order.Reason == "":
		t.Error("cancelled without a reason")
	case kept != w.payment.Taken-w.payment.Refunded:
		t.Errorf("the payment says %+v, the credit lost %d", *w.payment, kept)
	}
}

// TestEveryInterleaving explores every order in which the messages of one order
// can be handled, each of up to three handled once more at any later time, and
// the customer's cancel at any moment or never.
func TestEveryInterleaving(t *testing.T) {
	ends := map[string]bool{}
	for _, balance := range []int64{0, price} {
		for _, stock := range []int64{0, 1} {
			o, err := order.New("o", "c", "r", []order.Item{{ProductID: "p", Quantity: 1}}, price)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			open := []world{world{order: o, balance: balance, stock: stock, repeats: 3}.send(askPayment)}
			for len(open) > 0 && !t.Failed() {
				w := open[len(open)-1]
				open = open[:len(open)-1]
				if seen[w.key()] {
					continue
				}
				seen[w.key()] = true
				if len(w.messages) == 0 && w.order.Final() {
					w.check(t, balance, stock)
					ends[fmt.Sprintf("%s: %s", w.order.Status, w.order.Reason)] = true
				}
				if len(w.messages) == 0 && !w.order.Final() {
					t.Errorf("nothing is under way and the order is %s, awaiting %q", w.order.Status, w.order.Awaiting)
				}
				open = append(open, w.next(t)...)
			}
			t.Logf("balance %d, stock %d: %d states", balance, stock, len(seen))
		}
	}
	for _, want := range []string{"APPROVED: ", "CANCELLED: no credit", "CANCELLED: no stock", "CANCELLED: cancelled by the customer"} {
		if !ends[want] {
			t.Errorf("no interleaving ends in %q, only %v: the exploration is broken", want, ends)
		}
	}
}
