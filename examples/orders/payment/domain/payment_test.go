package domain

import (
	"math"
	"strings"
	"testing"
)

func TestRequest(t *testing.T) {
	for price, want := range map[int64]Status{1: Completed, math.MaxInt64: Completed, 0: Failed, -1: Failed, math.MinInt64: Failed} {
		p := Request("o", "c", price)
		if p.Status != want {
			t.Errorf("price %d: %s", price, p.Status)
		}
		if want == Failed && (p.Taken != 0 || p.Reason == "") {
			t.Errorf("price %d is refused, takes %d, reason %q", price, p.Taken, p.Reason)
		}
		if want == Completed && p.Taken != price {
			t.Errorf("price %d takes %d", price, p.Taken)
		}
	}
}

func TestCreditCovers(t *testing.T) {
	for _, test := range []struct {
		credit Credit
		price  int64
		want   bool
	}{
		{Credit{true, 100}, 99, true},
		{Credit{true, 100}, 100, true},
		{Credit{true, 100}, 101, false},
		{Credit{true, 0}, 1, false},
		{Credit{}, 1, false},
		{Credit{Balance: 100}, 1, false},
	} {
		if got := test.credit.Covers(test.price); got != test.want {
			t.Errorf("%+v covers %d: %v", test.credit, test.price, got)
		}
	}
}

func TestRefuseSaysWhyAndTakesNothing(t *testing.T) {
	for credit, why := range map[Credit]string{{}: "unknown customer c", {true, 5}: "10 needed, 5 there"} {
		p := Request("o", "c", 10).Refuse(credit)
		if p.Status != Failed || p.Taken != 0 || !strings.Contains(p.Reason, why) {
			t.Errorf("%+v: %+v", credit, p)
		}
	}
}

func TestCancelGivesBackWhatWasTakenOnce(t *testing.T) {
	p := Request("o", "c", 100)
	p.Taken = 70 // whatever was asked for, only this was taken
	after, refund, changed := p.Cancel()
	if refund != 70 || !changed || after.Refunded != 70 || after.Status != Cancelled {
		t.Errorf("first cancel: %+v, %d, %v", after, refund, changed)
	}
	if again, refund, changed := after.Cancel(); refund != 0 || changed || again != after {
		t.Errorf("second cancel: %+v, %d, %v", again, refund, changed)
	}
}

func TestCancelOfWhatWasNotTaken(t *testing.T) {
	for _, p := range []Payment{Request("o", "c", 1).Refuse(Credit{}), NeverAsked("o", "c")} {
		if after, refund, changed := p.Cancel(); refund != 0 || changed || after != p {
			t.Errorf("%+v: %+v, %d, %v", p, after, refund, changed)
		}
	}
}

func TestRoomFor(t *testing.T) {
	if RoomFor(math.MaxInt64) != 0 || RoomFor(1) != math.MaxInt64-1 {
		t.Error("a deposit may overflow the sum of deposits")
	}
}
