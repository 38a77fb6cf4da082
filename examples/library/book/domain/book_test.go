package domain

import (
	"errors"
	"strings"
	"testing"
)

func TestEnteredThenAvailable(t *testing.T) {
	b := Enter(1, "책", "", "")
	if _, s := rent("r", "jenny").Take(b, ""); s.Status != Refused || !strings.Contains(s.Reason, "not available yet") {
		t.Errorf("rent of an entered book: %+v", s)
	}
	b, err := b.MakeAvailable()
	if err != nil || b.Status != Available {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := b.MakeAvailable(); !errors.Is(err, ErrNotEntered) {
		t.Errorf("again: %v", err)
	}
}

func rent(id, member string) Step { return Step{ID: id, Kind: Rent, BookNo: 1, Member: member} }

func giveBack(id, member string) Step { return Step{ID: id, Kind: Return, BookNo: 1, Member: member} }

var free = Book{No: 1, Status: Available}

func TestOneHolder(t *testing.T) {
	b, s := rent("r", "jenny").Take(free, "")
	if b.Holder != "jenny" || b.RentalID != "r" || b.Status != Unavailable || s.Status != Done || s.RentalID != "r" {
		t.Fatalf("%+v, %+v", b, s)
	}
	for member, why := range map[string]string{"tom": "another member has book 1", "jenny": "jenny has book 1 already"} {
		if after, s := rent("q", member).Take(b, ""); after != b || s.Status != Refused || s.Reason != why {
			t.Errorf("%s: %+v, %+v", member, after, s)
		}
	}
	for _, wrong := range []struct{ member, rental string }{{"tom", ""}, {"jenny", "q"}, {"", ""}} {
		if after, s := giveBack("b", wrong.member).Take(b, wrong.rental); after != b || s.Status != Refused {
			t.Errorf("return by %+v: %+v, %+v", wrong, after, s)
		}
	}
	for _, rental := range []string{"", "r"} {
		if after, s := giveBack("b", "jenny").Take(b, rental); after != free || s.Status != Done || s.RentalID != "r" {
			t.Errorf("return of %q: %+v, %+v", rental, after, s)
		}
	}
	if after, s := giveBack("b", "").Take(free, ""); after != free || s.Status != Refused {
		t.Errorf("return of a free book: %+v, %+v", after, s)
	}
}

func TestUndo(t *testing.T) {
	held, rented := rent("r", "jenny").Take(free, "")
	back, returned := giveBack("b", "jenny").Take(held, "r")
	toms, _ := rent("q", "tom").Take(back, "")
	_, refused := rent("q", "tom").Take(held, "")
	for name, test := range map[string]struct {
		step       Step
		book, want Book
		status     StepStatus
		refused    bool
	}{
		"a rent":                             {rented, held, free, Cancelled, false},
		"a rent whose book is back":          {rented, back, back, Cancelled, false},
		"a rent whose book is another's":     {rented, toms, toms, Cancelled, false},
		"a refused rent":                     {refused, held, held, Refused, false},
		"a return":                           {returned, back, held, Cancelled, false},
		"a return whose book is another's":   {returned, toms, toms, Done, true},
		"what was cancelled before it came":  {CancelledFirst("r", Rent), held, held, Cancelled, false},
		"a return cancelled before it came ": {CancelledFirst("b", Return), back, back, Cancelled, false},
	} {
		after, s, refusal := test.step.Undo(test.book)
		if after != test.want || s.Status != test.status || (refusal != "") != test.refused {
			t.Errorf("%s: %+v, %+v, %q", name, after, s, refusal)
		}
		if again, s2, _ := s.Undo(after); again != after || s2 != s {
			t.Errorf("%s, twice: %+v, %+v", name, again, s2)
		}
	}
}
