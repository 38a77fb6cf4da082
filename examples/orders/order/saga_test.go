package order

import (
	"fmt"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/event"
	"github.com/pabal-dev/pabal/examples/orders/message"
	"github.com/pabal-dev/pabal/examples/orders/order/domain"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/outbox"
	"github.com/pabal-dev/pabal/saga"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// input is one that a saga decides about, by name.
type input struct {
	name string
	in   saga.Input[domain.Order]
}

func paymentSays(t *testing.T, status, reason string) input {
	return answers(t, "payment "+status, readPayment(service.Env{}), event.New(message.TypePaymentResponse, "o",
		message.PaymentResponse{ID: "o", CustomerID: "c", Price: 100, PaymentStatus: status, Reason: reason}))
}

func restaurantSays(t *testing.T, status, reason string) input {
	return answers(t, "restaurant "+status, readApproval(service.Env{}), event.New(message.TypeApprovalResponse, "o",
		message.ApprovalResponse{OrderID: "o", OrderApprovalStatus: status, Reason: reason}))
}

func answers(t *testing.T, name string, read func(event.Event) (saga.Answer[domain.Order], error), e event.Event) input {
	t.Helper()
	a, err := read(e)
	if err != nil || a.ID != "o" {
		t.Fatalf("%s: %+v, %v", name, a, err)
	}
	return input{name, saga.Input[domain.Order]{Answer: &a, Event: e}}
}

func cancels(reason string) input { return input{"cancel", saga.Input[domain.Order]{Cancel: &reason}} }

func timesOut(kind saga.TimerKind) input {
	return input{string(kind), saga.Input[domain.Order]{Timer: &saga.Timer{Kind: kind, Step: payment, Attempt: 1}}}
}

func person(do saga.ActAction) input {
	return input{string(do), saga.Input[domain.Order]{Act: &saga.Act{ID: "o", Do: do, Reason: "asked for"}}}
}

func decide(t *testing.T, i saga.Instance[domain.Order], in input) (saga.Decision[domain.Order], error) {
	t.Helper()
	return Saga(service.Env{}).Decide(i, in.in, now)
}

func begun(t *testing.T) saga.Instance[domain.Order] {
	t.Helper()
	o, err := domain.New("o", "c", "r", []domain.Item{{ProductID: "p", Quantity: 1}}, 100)
	if err != nil {
		t.Fatal(err)
	}
	d, err := decide(t, saga.Instance[domain.Order]{ID: "o"}, input{"start", saga.Input[domain.Order]{Start: &o}})
	if err != nil || sent(t, d.Messages) != "payment PENDING" {
		t.Fatalf("begin: %+v, %v", d, err)
	}
	return d.Instance
}

// after is the saga once it was given some inputs, each of which must count.
func after(t *testing.T, all ...input) saga.Instance[domain.Order] {
	t.Helper()
	i := begun(t)
	for _, in := range all {
		d, err := decide(t, i, in)
		if err != nil || d.Stale {
			t.Fatalf("%s: %+v, %v", in.name, d, err)
		}
		i = d.Instance
	}
	return i
}

// sent are the messages, for people.
func sent(t *testing.T, messages []outbox.Message) (all string) {
	t.Helper()
	for _, m := range messages {
		switch m.Topic {
		case message.TypePaymentRequest:
			r, err := event.Decode[message.PaymentRequest](m.Event)
			if err != nil || r.ID != "o" || r.Price != 100 || r.CustomerID != "c" {
				t.Errorf("request %s, %v", m.Payload, err)
			}
			all += "payment " + r.PaymentOrderStatus
		default:
			all += m.Topic
		}
		if m.Key != "o" || m.CorrelationID != "o" {
			t.Errorf("%s is about %s in %s", m.Topic, m.Key, m.CorrelationID)
		}
	}
	return all
}

// TestDecide is the whole table: each state that an order can be in, each input.
func TestDecide(t *testing.T) {
	completed, failed, refunded := paymentSays(t, "COMPLETED", ""), paymentSays(t, "FAILED", "no credit"), paymentSays(t, "CANCELLED", "")
	approved, rejected := restaurantSays(t, "APPROVED", ""), restaurantSays(t, "REJECTED", "no stock")
	cancel, late, lost := cancels("changed my mind"), timesOut(saga.TimeoutTimer), timesOut(saga.UndoTimeoutTimer)

	pending, paid := begun(t), after(t, completed)
	cancelling, withdrawn := after(t, completed, rejected), after(t, cancel)
	overdue, parked := after(t, late), after(t, cancel, lost)
	refused, ended, done := after(t, failed), after(t, cancel, refunded), after(t, completed, approved)

	const askApproval, askRefund, noAnswer = message.TypeApprovalRequest, "payment CANCELLING", "payment: no answer within 2m (attempt 1)"
	for name, test := range map[string]struct {
		from  saga.Instance[domain.Order]
		moves map[string]string // by input: what follows; the others are stale or refused
	}{
		"PENDING": {pending, map[string]string{
			completed.name: "RUNNING PAID APPROVAL " + askApproval,
			failed.name:    "COMPENSATED CANCELLED  : no credit",
			refunded.name:  "COMPENSATED CANCELLED  : 100 given back",
			cancel.name:    "COMPENSATING CANCELLED REFUND " + askRefund + ": changed my mind",
			late.name:      "COMPENSATING CANCELLED REFUND " + askRefund + ": " + noAnswer,
		}},
		"PAID": {paid, map[string]string{
			approved.name: "COMPLETED APPROVED  ",
			rejected.name: "COMPENSATING CANCELLING REFUND " + askRefund + ": no stock",
		}},
		"CANCELLING": {cancelling, map[string]string{
			refunded.name: "COMPENSATED CANCELLED  : no stock",
			lost.name:     "NEEDS_REVIEW CANCELLING REFUND : no stock",
		}},
		"CANCELLED by the customer": {withdrawn, map[string]string{
			refunded.name: "COMPENSATED CANCELLED  : changed my mind",
			lost.name:     "NEEDS_REVIEW CANCELLED REFUND : changed my mind",
		}},
		"CANCELLED by time": {overdue, map[string]string{
			refunded.name: "COMPENSATED CANCELLED  : " + noAnswer,
			lost.name:     "NEEDS_REVIEW CANCELLED REFUND : " + noAnswer,
		}},
		"CANCELLED, parked": {parked, map[string]string{refunded.name: "COMPENSATED CANCELLED  : changed my mind"}},
		"refused":           {refused, nil},
		"CANCELLED":         {ended, nil},
		"APPROVED":          {done, nil},
	} {
		for _, in := range []input{completed, failed, refunded, approved, rejected, cancel, late, lost} {
			d, err := decide(t, test.from, in)
			want, moves := test.moves[in.name]
			switch got := seen(t, d); {
			case moves && (err != nil || d.Stale || got != want):
				t.Errorf("%s, %s: %q, %v; want %q", name, in.name, got, err, want)
			case !moves && in.name == cancel.name && err == nil:
				t.Errorf("%s: a cancel is not refused", name)
			case !moves && in.name != cancel.name && (err != nil || !d.Stale):
				t.Errorf("%s, %s: not stale: %q, %v", name, in.name, got, err)
			}
		}
	}
}

func seen(t *testing.T, d saga.Decision[domain.Order]) string {
	t.Helper()
	o := d.Instance.State
	text := fmt.Sprintf("%s %s %s %s", d.Instance.Status, o.Status, awaiting(d.Instance), sent(t, d.Messages))
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	return text
}

// TestPeopleForceOrdersToAnEnd: whatever they do, an order whose saga has ended is
// APPROVED or CANCELLED.
func TestPeopleForceOrdersToAnEnd(t *testing.T) {
	completed, rejected, cancel := paymentSays(t, "COMPLETED", ""), restaurantSays(t, "REJECTED", ""), cancels("")
	for name, test := range map[string]struct {
		i    saga.Instance[domain.Order]
		acts []input
		want string
	}{
		"paid in cash":           {begun(t), []input{person(saga.ForceAct)}, "RUNNING PAID APPROVAL order-approval-request"},
		"given away":             {begun(t), []input{person(saga.SkipAct), person(saga.ForceAct)}, "COMPLETED APPROVED  "},
		"approved by phone":      {after(t, completed), []input{person(saga.ForceAct)}, "COMPLETED APPROVED  "},
		"asked again":            {after(t, completed), []input{person(saga.RetryAct)}, "RUNNING PAID APPROVAL order-approval-request"},
		"resolved while PENDING": {begun(t), []input{person(saga.ResolveAct)}, "RESOLVED CANCELLED  : resolved by a person"},
		"resolved while PAID":    {after(t, completed), []input{person(saga.ResolveAct)}, "RESOLVED CANCELLED  : resolved by a person"},
		"refunded in cash":       {after(t, completed, rejected), []input{person(saga.ForceAct)}, "COMPENSATED CANCELLED  : approval was refused"},
		"refund asked for again": {after(t, cancel), []input{person(saga.RetryAct)}, "COMPENSATING CANCELLED REFUND payment CANCELLING: cancelled"},
	} {
		var d saga.Decision[domain.Order]
		for _, act := range test.acts {
			var err error
			if d, err = decide(t, test.i, act); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			test.i = d.Instance
		}
		if got := seen(t, d); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func TestUnknownAnswersAreErrors(t *testing.T) {
	for _, e := range []event.Event{
		event.New("", "o", message.PaymentResponse{ID: "o", PaymentStatus: "APPROVED"}),
		event.New("", "o", message.ApprovalResponse{OrderID: "o", OrderApprovalStatus: "COMPLETED"}),
		event.New("", "o", 7),
	} {
		if a, err := readPayment(service.Env{})(e); err == nil {
			t.Errorf("%s is payment's %+v", e.Payload, a)
		}
		if a, err := readApproval(service.Env{})(e); err == nil {
			t.Errorf("%s is the restaurant's %+v", e.Payload, a)
		}
	}
}
