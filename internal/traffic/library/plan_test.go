package library

import (
	"testing"

	"github.com/pabal-dev/pabal/internal/traffic"
)

// TestPlanRepeats: the same seed gives the same stories, another one others; each kind
// is among them.
func TestPlanRepeats(t *testing.T) {
	a, b, other := NewPlan(7), NewPlan(7), NewPlan(8)
	different, seen := false, map[traffic.Kind]int{}
	for range 5000 {
		one, two, three := a.Next(), b.Next(), other.Next()
		if one != two {
			t.Fatalf("%+v and %+v", one, two)
		}
		different = different || one != three
		seen[one.Kind]++
		if poor := one.DaysLate*feePerDay > 500; poor != (one.Kind == TooPoor) {
			t.Fatalf("%+v", one)
		}
	}
	if !different {
		t.Error("two seeds give the same stories")
	}
	sum := 0
	for _, s := range shares {
		sum += s.percent
		if seen[s.kind] == 0 {
			t.Errorf("no %s", s.kind)
		}
	}
	if sum != 100 {
		t.Errorf("the shares are %d of a hundred", sum)
	}
}

// TestWorldGivesInTurn: so that no member is asked for twice as long as others wait.
func TestWorldGivesInTurn(t *testing.T) {
	var w world
	for _, id := range []string{"a", "b"} {
		w.giveMember(member{id: id})
	}
	first, err := w.member(t.Context(), nil)
	if err != nil || first.id != "a" {
		t.Errorf("%+v, %v", first, err)
	}
	w.giveMember(first)
	if second, _ := w.member(t.Context(), nil); second.id != "b" {
		t.Errorf("%+v", second)
	}
}
