package domain

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func pending(t *testing.T) Order {
	t.Helper()
	o, err := New("o1", "c1", "r1", []Item{{"p1", 2}}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestNewOrderIsPendingAndAsksForPayment(t *testing.T) {
	o := pending(t)
	if o.Status != Pending || o.Awaiting != AwaitingPayment || o.Final() {
		t.Errorf("a fresh order is %s awaiting %q", o.Status, o.Awaiting)
	}
	if d := Begin(o); !reflect.DeepEqual(d.Send, []Effect{RequestPayment}) {
		t.Errorf("a fresh order sends %v", d.Send)
	}
}

func TestNewRefuses(t *testing.T) {
	good := []Item{{"p", 1}}
	for name, try := range map[string]func() (Order, error){
		"no customer":      func() (Order, error) { return New("o", "", "r", good, 1) },
		"no restaurant":    func() (Order, error) { return New("o", "c", "", good, 1) },
		"no id":            func() (Order, error) { return New("", "c", "r", good, 1) },
		"price 0":          func() (Order, error) { return New("o", "c", "r", good, 0) },
		"negative price":   func() (Order, error) { return New("o", "c", "r", good, -1) },
		"no items":         func() (Order, error) { return New("o", "c", "r", nil, 1) },
		"too many items":   func() (Order, error) { return New("o", "c", "r", make([]Item, MaxItems+1), 1) },
		"no product":       func() (Order, error) { return New("o", "c", "r", []Item{{"", 1}}, 1) },
		"quantity 0":       func() (Order, error) { return New("o", "c", "r", []Item{{"p", 0}}, 1) },
		"quantity too big": func() (Order, error) { return New("o", "c", "r", []Item{{"p", MaxQuantity + 1}}, 1) },
	} {
		if _, err := try(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTransitions holds every pair of states to the list of allowed ones.
func TestTransitions(t *testing.T) {
	want := map[string]bool{
		"PENDING>PAID": true, "PENDING>CANCELLED": true, "PAID>APPROVED": true,
		"PAID>CANCELLING": true, "CANCELLING>CANCELLED": true,
	}
	states := []Status{Pending, Paid, Approved, Cancelling, Cancelled}
	for _, from := range states {
		for _, to := range states {
			moved, err := Order{ID: "o", Status: from}.to(to, AwaitingNobody, "why")
			pair := fmt.Sprintf("%s>%s", from, to)
			switch {
			case want[pair] && (err != nil || moved.Status != to || moved.Reason != "why"):
				t.Errorf("%s: %v, %v", pair, moved, err)
			case !want[pair] && !errors.Is(err, ErrTransition):
				t.Errorf("%s is not allowed, and gave %v", pair, err)
			}
		}
	}
}

// TestDecide is the whole table: each state the saga can be in, each input.
func TestDecide(t *testing.T) {
	completed := PaymentAnswered{Outcome: PaymentCompleted, Amount: 100}
	failed := PaymentAnswered{Outcome: PaymentFailed, Amount: 100, Reason: "no credit"}
	refunded := PaymentAnswered{Outcome: PaymentCancelled, Amount: 100}
	approved := ApprovalAnswered{Approved: true}
	rejected := ApprovalAnswered{Reason: "no stock"}
	cancel := CustomerCancelled{}

	type state struct {
		Status   Status
		Awaiting Awaiting
	}
	type result struct {
		state
		send   string
		reason string
	}
	fresh := state{Pending, AwaitingPayment}
	paid := state{Paid, AwaitingApproval}
	cancelling := state{Cancelling, AwaitingRefund}
	withdrawn := state{Cancelled, AwaitingRefund} // by the customer
	cancelledEnd := state{Cancelled, AwaitingNobody}
	approvedEnd := state{Approved, AwaitingNobody}

	moves := map[state]map[Input]result{
		fresh: {
			completed: {paid, "[request approval]", ""},
			failed:    {cancelledEnd, "[]", "no credit"},
			refunded:  {cancelledEnd, "[]", "payment cancelled"},
			cancel:    {withdrawn, "[cancel payment]", "cancelled by the customer"},
		},
		paid: {
			approved: {approvedEnd, "[]", ""},
			rejected: {cancelling, "[cancel payment]", "no stock"},
		},
		cancelling: {refunded: {cancelledEnd, "[]", ""}},
		withdrawn:  {refunded: {cancelledEnd, "[]", ""}},
	}
	for _, from := range []state{fresh, paid, cancelling, withdrawn, cancelledEnd, approvedEnd} {
		for _, in := range []Input{completed, failed, refunded, approved, rejected, cancel} {
			o := Order{ID: "o", Price: 100, Status: from.Status, Awaiting: from.Awaiting}
			d, err := Decide(o, in)
			name := fmt.Sprintf("%s awaiting %q, %#v", from.Status, from.Awaiting, in)
			want, moves := moves[from][in]
			switch {
			case in == Input(cancel) && !moves:
				if !errors.Is(err, ErrTransition) {
					t.Errorf("%s: a cancel gave %v", name, err)
				}
			case err != nil:
				t.Errorf("%s: %v", name, err)
			case !moves:
				if !d.Stale || len(d.Send) > 0 || !reflect.DeepEqual(d.Order, o) {
					t.Errorf("%s: not stale: %+v", name, d)
				}
			default:
				got := result{state{d.Order.Status, d.Order.Awaiting}, fmt.Sprint(d.Send), d.Order.Reason}
				if got != want || d.Stale {
					t.Errorf("%s: got %+v, want %+v", name, got, want)
				}
			}
		}
	}
}

func TestRefusalsWithoutReasonGetOne(t *testing.T) {
	for _, in := range []Input{PaymentAnswered{Outcome: PaymentFailed}, CustomerCancelled{}} {
		if d, err := Decide(pending(t), in); err != nil || d.Order.Reason == "" {
			t.Errorf("%T: reason %q, %v", in, d.Order.Reason, err)
		}
	}
	paid := Order{Status: Paid, Awaiting: AwaitingApproval}
	if d, _ := Decide(paid, ApprovalAnswered{}); d.Order.Reason == "" {
		t.Error("a rejection without a reason leaves none")
	}
}
