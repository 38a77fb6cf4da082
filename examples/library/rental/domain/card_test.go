package domain

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var now = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// rented is a card with items 1 to n that the member has.
func rented(t *testing.T, n int) Card {
	t.Helper()
	c := Card{Member: Member{ID: "jenny"}}
	for i := range n {
		id := fmt.Sprint("r", i+1)
		after, _, err := c.Rent(id, Item{No: int64(i + 1)}, now)
		if err != nil {
			t.Fatal(err)
		}
		if c, _ = after.SettleRent(id, Succeeded); c.Loans[i].Status != Rented {
			t.Fatalf("%+v", c)
		}
	}
	return c
}

func TestFiveItemsAndNoneTwice(t *testing.T) {
	c := rented(t, MaxItems)
	if _, _, err := c.Rent("x", Item{No: 9}, now); !errors.Is(err, ErrFull) {
		t.Errorf("a sixth item: %v", err)
	}
	if _, _, err := c.Rent("x", Item{No: 1}, now); !errors.Is(err, ErrTwice) {
		t.Errorf("an item twice: %v", err)
	}
	back, _, err := c.Return("b", 1, now)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := back.Rent("x", Item{No: 9}, now); !errors.Is(err, ErrFull) {
		t.Errorf("a sixth item while one may come back: %v", err)
	}
	if _, _, err := back.SettleReturn("b", Succeeded).Rent("x", Item{No: 9}, now); err != nil {
		t.Errorf("an item in the place of another: %v", err)
	}
}

func TestDueAfterFourteenDays(t *testing.T) {
	for late, fee := range map[time.Duration]int64{
		-14 * day: 0, -1: 0, 0: 0, day - 1: 0, day: 10, 2*day - 1: 10, 2 * day: 20, 365 * day: 3650,
	} {
		c := rented(t, 1)
		at := now.Add(14 * day).Add(late)
		if overdue := c.Look(at).Loans[0].Overdue; overdue != (late >= 0) {
			t.Errorf("%s after it was due: overdue is %v", late, overdue)
		}
		if status := c.Look(at).Status(); (status == RentUnavailable) != (late >= 0) {
			t.Errorf("%s after it was due: the card is %s", late, status)
		}
		c, l, err := c.Return("b", 1, at)
		if err != nil || c.LateFee != fee || l.LateFee != fee || (c.Status() == RentUnavailable) != (fee > 0) {
			t.Errorf("%s after it was due: fee %d and %d, %s, %v; want %d", late, c.LateFee, l.LateFee, c.Status(), err, fee)
		}
	}
}

// TestOverdueByTheClock: nobody has to have noticed.
func TestOverdueByTheClock(t *testing.T) {
	c := rented(t, 1)
	if _, _, err := c.Rent("x", Item{No: 2}, now.Add(14*day)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if _, err := c.Overdue(1, 0, now.Add(14*day-1)); !errors.Is(err, ErrNotDue) {
		t.Errorf("%v", err)
	}
	if _, err := c.Overdue(2, 0, now); !errors.Is(err, ErrNotRented) {
		t.Errorf("%v", err)
	}
	marked, err := c.Overdue(1, 3, now)
	if err != nil || marked.Status() != RentUnavailable {
		t.Errorf("%+v, %v", marked, err)
	}
	if after, _, err := marked.Return("b", 1, now); err != nil || after.LateFee != 30 {
		t.Errorf("%+v, %v", after, err)
	}
	if c.Loans[0].Overdue {
		t.Error("the card that was given is changed")
	}
}

func TestUndoneReturnIsAsBefore(t *testing.T) {
	before := rented(t, 2).Look(now.Add(20 * day))
	c, _, err := before.Return("b", 1, now.Add(20*day))
	if err != nil || c.LateFee != 60 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, _, err := c.Return("b2", 1, now); !errors.Is(err, ErrUnderWay) {
		t.Errorf("a return during a return: %v", err)
	}
	if during := c.SettleReturn("b", Undoing); during.Loans[0].Status != Returning || during.LateFee != 60 {
		t.Errorf("while it is undone: %+v", during)
	}
	undone := c.SettleReturn("b", WasUndone)
	if fmt.Sprint(undone) != fmt.Sprint(before) {
		t.Errorf("after it was undone: %+v, want %+v", undone, before)
	}
	if again := undone.SettleReturn("b", WasUndone); fmt.Sprint(again) != fmt.Sprint(undone) {
		t.Errorf("undone twice: %+v", again)
	}
}

// TestSettlementsInAnyOrder: a rent's outcomes, also repeated and late.
func TestSettlementsInAnyOrder(t *testing.T) {
	for _, test := range []struct {
		outcomes []Outcome
		status   LoanStatus
		undone   int // how often it is told
	}{
		{[]Outcome{Succeeded, Succeeded}, Rented, 0},
		{[]Outcome{Undoing, WasUndone}, Cancelled, 1},
		{[]Outcome{Undoing, Undoing, WasUndone, Undoing, WasUndone}, Cancelled, 1},
		{[]Outcome{WasUndone, WasUndone}, Cancelled, 1},
		{[]Outcome{Undoing, Succeeded}, Cancelling, 1},
		{[]Outcome{WasUndone, Succeeded}, Cancelled, 1},
		{[]Outcome{Succeeded, Undoing, WasUndone}, Cancelled, 1},
	} {
		c, _, err := Card{}.Rent("r", Item{No: 1}, now)
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, o := range test.outcomes {
			var undone bool
			if c, undone = c.SettleRent("r", o); undone {
				told++
			}
		}
		if c.Loans[0].Status != test.status || told != test.undone {
			t.Errorf("%v: %s, told %d times", test.outcomes, c.Loans[0].Status, told)
		}
	}
}

func TestClearing(t *testing.T) {
	owing, _, err := rented(t, 1).Return("b", 1, now.Add(16*day))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := owing.Clear("c", 20); !errors.Is(err, ErrOpenItems) {
		t.Errorf("with an item that may come back: %v", err)
	}
	owing = owing.SettleReturn("b", Succeeded)
	owing.Loans = nil // it has ended
	for points, want := range map[int64]error{10: ErrPoints, 30: ErrPoints, 20: nil} {
		if _, err := owing.Clear("c", points); !errors.Is(err, want) {
			t.Errorf("%d points: %v", points, err)
		}
	}
	if _, err := (Card{}).Clear("c", 20); !errors.Is(err, ErrNoFee) {
		t.Errorf("without a fee: %v", err)
	}
	cancelling := owing
	cancelling.Loans = []Loan{{ID: "r", Status: Cancelling}}
	if _, err := cancelling.Clear("c", 20); !errors.Is(err, ErrUnderWay) {
		t.Errorf("while points may be taken back: %v", err)
	}
	c, err := owing.Clear("c", 20)
	if err != nil || c.LateFee != 0 || c.Status() != RentAvailable {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := c.Clear("d", 20); !errors.Is(err, ErrUnderWay) {
		t.Errorf("a second one: %v", err)
	}
	if back := c.SettleClearing("c", WasUndone); back.LateFee != 20 || back.Status() != RentUnavailable || back.Clearing.Status != Undone {
		t.Errorf("the points are missing: %+v", back)
	}
	done := c.SettleClearing("c", Succeeded)
	if done.LateFee != 0 || done.Clearing.Status != Done {
		t.Errorf("paid: %+v", done)
	}
	if after := done.SettleClearing("c", WasUndone); after.LateFee != 0 {
		t.Errorf("settled twice: %+v", after)
	}
}
