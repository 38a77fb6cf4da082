package domain

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func at(day int) time.Time { return time.Date(2026, 11, day, 0, 0, 0, 0, time.UTC) }

func period(in, out int) Period { return Period{at(in), at(out)} }

// nights begin at the 20th, each with that stock of 3.
func nights(stocks ...int64) []Night {
	var all []Night
	for i, stock := range stocks {
		all = append(all, Night{Date: at(20 + i), Capacity: 3, Stock: stock})
	}
	return all
}

func stocks(all []Night) string {
	var texts []string
	for _, n := range all {
		texts = append(texts, fmt.Sprint(n.Stock))
	}
	return strings.Join(texts, " ")
}

func TestPeriod(t *testing.T) {
	for _, test := range []struct {
		p    Period
		want string // part of the error; "" where it is right
	}{
		{period(20, 21), ""},
		{period(20, 22), ""},
		{Period{at(20), at(20).AddDate(0, 0, MaxNights)}, ""},
		{period(20, 20), "check-out 2026-11-20 is not after check-in 2026-11-20"},
		{period(21, 20), "not after"},
		{Period{at(20), at(20).AddDate(0, 0, MaxNights+1)}, "367 nights"},
		{Period{at(20), at(20).AddDate(5000, 0, 0)}, "nights are more than 366"},
		{Period{time.Time{}, at(20)}, "nights are more than 366"},
	} {
		err := test.p.Check()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, want %q", test.p, err, test.want)
		}
	}
}

func TestNightsAreThoseBeforeCheckOut(t *testing.T) {
	got := period(29, 32).Nights() // over the month's end
	if fmt.Sprint(got) != fmt.Sprint([]time.Time{at(29), at(30), at(31)}) || !got[2].Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error(got)
	}
}

func TestTakeIsAllOrNone(t *testing.T) {
	asked := Request(1, 7, period(20, 23))
	for _, test := range []struct {
		before []Night
		status Status
		after  string
	}{
		{nights(3, 2, 1), Taken, "2 1 0"},
		{nights(3, 0, 1), Refused, "3 0 1"},
		{nights(3, 3, 0), Refused, "3 3 0"},
		{nights(0, 0, 0), Refused, "0 0 0"},
	} {
		s, after := asked.Take(test.before)
		if s.Status != test.status || stocks(after) != test.after || (s.Reason == "") != (test.status == Taken) {
			t.Errorf("%v: %+v, %s", test.before, s, stocks(after))
		}
	}
}

func TestRequestThatCanNeverBe(t *testing.T) {
	if s := Request(1, 7, period(21, 21)); s.Status != Refused || s.Reason == "" {
		t.Errorf("%+v", s)
	}
}

func TestCancelGivesBackOnceAndOnlyWhatWasTaken(t *testing.T) {
	s := Request(1, 7, period(20, 22))
	after, changed := s.Cancel()
	if !changed || after.Status != GivenBack {
		t.Errorf("first cancel: %+v", after)
	}
	for _, s := range []Stay{after, s.Refuse("no"), NeverAsked(1)} {
		if again, changed := s.Cancel(); changed || again != s {
			t.Errorf("%+v is cancelled to %+v", s, again)
		}
	}
}

func TestGiveBackNeverAddsStock(t *testing.T) {
	after, err := GiveBack(nights(2, 0))
	if err != nil || stocks(after) != "3 1" {
		t.Error(stocks(after), err)
	}
	if _, err := GiveBack(nights(2, 3)); err == nil {
		t.Error("a night that nobody had was given back")
	}
}

func TestResize(t *testing.T) {
	for _, test := range []struct {
		stock, capacity, want int64
		err                   error
	}{
		{3, 5, 5, nil}, {1, 5, 3, nil}, {1, 2, 0, nil}, {3, 0, 0, nil}, {1, 1, 0, ErrTaken}, {0, 2, 0, ErrTaken},
	} {
		n, err := nights(test.stock)[0].Resize(test.capacity)
		if !errors.Is(err, test.err) {
			t.Errorf("%+v: %v", test, err)
		}
		if err == nil && (n.Stock != test.want || n.Capacity != test.capacity) {
			t.Errorf("%+v: %+v", test, n)
		}
	}
}
