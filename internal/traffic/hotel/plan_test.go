package hotel

import (
	"strconv"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// TestPlanRepeats: the same seed gives the same intents, another one others.
func TestPlanRepeats(t *testing.T) {
	a, b, other := NewPlan(7), NewPlan(7), NewPlan(8)
	different := false
	for range 5000 {
		one, two, three := a.Next(), b.Next(), other.Next()
		if one != two {
			t.Fatalf("%+v and %+v", one, two)
		}
		different = different || one != three
	}
	if !different {
		t.Error("two seeds give the same intents")
	}
}

// TestPlanHasEveryKind, each with what it needs to be what it is.
func TestPlanHasEveryKind(t *testing.T) {
	p, seen := NewPlan(1), map[traffic.Kind]int{}
	var left int64 = plenty
	for range 400_000 {
		in := p.Next()
		seen[in.Kind]++
		switch {
		case in.Kind == NewRoom && in.Room == 0:
			left = in.Count
		case in.IsReservation():
			if in.Nights < 1 || in.Member < 1 || in.In.Before(firstDay) || (in.Kind == FullHouse) != (in.Room == full) {
				t.Fatalf("%+v", in)
			}
			if in.Room == 0 {
				left--
			}
		}
		if left < 0 {
			t.Fatal("a plain stay may find no room")
		}
	}
	for _, s := range shares {
		if seen[s.kind] == 0 {
			t.Errorf("no %s", s.kind)
		}
	}
	if seen[NewRoom] == 0 || seen[NewStock] == 0 {
		t.Errorf("the hotel never changes: %v", seen)
	}
}

func TestSharesAreAHundred(t *testing.T) {
	sum := 0
	for _, s := range shares {
		sum += s.percent
	}
	if sum != 100 {
		t.Error(sum)
	}
}

// TestSeeTakesEnds: of what room answers, also before the POST was answered.
func TestSeeTakesEnds(t *testing.T) {
	k := traffic.NewTrackerOf(MustBeRefused)
	see := See(k)
	result := func(id int64, status string) {
		see(id, status, time.Now())
	}
	result(1, "SUCCESS")
	for id, kind := range []traffic.Kind{1: Plain, 2: UnknownRoom, 3: Plain} {
		if kind != "" {
			k.Placed(strconv.Itoa(id), kind, time.Now())
		}
	}
	result(2, "SUCCESS")
	result(2, "CANCEL")
	if n := k.Counts(); n.Approved != 2 || n.WronglyApproved != 1 || n.Open() != 1 {
		t.Errorf("%+v", n)
	}
}
