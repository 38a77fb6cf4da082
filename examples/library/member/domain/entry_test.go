package domain

import (
	"math"
	"testing"
)

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		kind   Kind
		points int64
		want   int64 // 0 is refused
	}{
		{Rent, 10, 10}, {Return, 10, 10}, {Overdue, 10, -10}, {Use, 10, -10},
		{Rent, 0, 0}, {Rent, -10, 0}, {Overdue, -10, 0}, {Overdue, math.MinInt64, 0}, {Rent, math.MaxInt64, 0}, {"LOSE", 10, 0},
	} {
		e := Request("t", test.kind, "jenny", test.points)
		if e.Points != test.want || (e.Status == Refused) != (test.want == 0) || (e.Reason == "") != (test.want != 0) {
			t.Errorf("%s of %d points: %+v", test.kind, test.points, e)
		}
	}
}

func TestPointsAreNeverBelowZero(t *testing.T) {
	jenny := Member{ID: "jenny", Points: 10}
	for points, left := range map[int64]int64{9: 1, 10: 0} {
		if m, e := Request("t", Overdue, "jenny", points).Take(jenny); m.Points != left || e.Status != Done {
			t.Errorf("%d points: %+v, %+v", points, m, e)
		}
	}
	if m, e := Request("t", Overdue, "jenny", 11).Take(jenny); m != jenny || e.Status != Refused || e.Reason != "not enough points: jenny has 10" {
		t.Errorf("11 points: %+v, %+v", m, e)
	}
	rich := Member{ID: "jenny", Points: math.MaxInt64 - 5}
	if m, e := Request("t", Rent, "jenny", 10).Take(rich); m != rich || e.Status != Refused {
		t.Errorf("too many: %+v, %+v", m, e)
	}
}

func TestUndoMovesThePointsBackOnce(t *testing.T) {
	for _, kind := range []Kind{Rent, Return, Overdue, Use} {
		before := Member{ID: "jenny", Points: 20}
		during, e := Request("t", kind, "jenny", 10).Take(before)
		after, e, refusal := e.Undo(during)
		if after != before || e.Status != Cancelled || refusal != "" {
			t.Errorf("%s: %+v, %+v, %q", kind, after, e, refusal)
		}
		if again, e2, refusal := e.Undo(after); again != after || e2 != e || refusal != "" {
			t.Errorf("%s, twice: %+v, %+v, %q", kind, again, e2, refusal)
		}
	}
	spent, e := Member{ID: "jenny", Points: 3}, Request("t", Rent, "jenny", 10)
	if after, same, refusal := e.Undo(spent); after != spent || same != e || refusal == "" {
		t.Errorf("points that were spent: %+v, %+v, %q", after, same, refusal)
	}
}

func TestNothingToUndo(t *testing.T) {
	m := Member{ID: "jenny", Points: 20}
	for _, e := range []Entry{Request("t", Rent, "jenny", 0), CancelledFirst("t", Rent, "jenny")} {
		if after, same, refusal := e.Undo(m); after != m || same != e || refusal != "" {
			t.Errorf("%+v: %+v, %+v, %q", e, after, same, refusal)
		}
		if after, same := e.Take(m); after != m || same != e {
			t.Errorf("%+v is taken: %+v, %+v", e, after, same)
		}
	}
}
