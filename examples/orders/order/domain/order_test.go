package domain

import (
	"errors"
	"fmt"
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

func TestNewOrderIsPendingAndAwaitsPayment(t *testing.T) {
	if o := pending(t); o.Status != Pending || o.Awaiting() != AwaitingPayment {
		t.Errorf("a fresh order is %s awaiting %q", o.Status, o.Awaiting())
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
			moved := Order{ID: "o", Status: from}
			err := moved.To(to, "why")
			pair := fmt.Sprintf("%s>%s", from, to)
			switch {
			case want[pair] && (err != nil || moved.Status != to || moved.Reason != "why"):
				t.Errorf("%s: %v, %v", pair, moved, err)
			case !want[pair] && (!errors.Is(err, ErrTransition) || moved.Status != from || moved.Reason != ""):
				t.Errorf("%s is not allowed, and gave %v, %v", pair, moved, err)
			}
		}
	}
}

func TestCancelGoesOneStepTowardsCancelled(t *testing.T) {
	for from, want := range map[Status]Status{Pending: Cancelled, Paid: Cancelling, Cancelling: Cancelled} {
		o := Order{Status: from}
		if err := o.Cancel("why"); err != nil || o.Status != want || o.Reason != "why" {
			t.Errorf("from %s to %s (%s), %v", from, o.Status, o.Reason, err)
		}
	}
	for _, from := range []Status{Approved, Cancelled} {
		o := Order{Status: from}
		if err := o.Cancel("why"); !errors.Is(err, ErrTransition) || o.Status != from {
			t.Errorf("from %s to %s, %v", from, o.Status, err)
		}
	}
}

func TestCustomersCancelWhilePending(t *testing.T) {
	if err := pending(t).Cancellable(); err != nil {
		t.Error(err)
	}
	for _, status := range []Status{Paid, Approved, Cancelling, Cancelled} {
		if err := (Order{Status: status}).Cancellable(); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", status, err)
		}
	}
}
