package domain

import "testing"

// TestAnyOrderOfMessagesCountsTheSame: a rent and its cancel in any order, each any
// number of times.
func TestAnyOrderOfMessagesCountsTheSame(t *testing.T) {
	for _, test := range []struct {
		heard []Status
		count int64
	}{
		{[]Status{Counted}, 1},
		{[]Status{Counted, Counted}, 1},
		{[]Status{Counted, Cancelled}, 0},
		{[]Status{Cancelled, Counted}, 0},
		{[]Status{Cancelled}, 0},
		{[]Status{Counted, Cancelled, Counted, Cancelled, Cancelled}, 0},
		{[]Status{Cancelled, Counted, Cancelled, Counted}, 0},
	} {
		var known *Rent
		var count int64
		for _, status := range test.heard {
			after, change := Follow(known, Rent{ID: "r", BookNo: 7, Status: status})
			if count += change; count < 0 || after.BookNo != 7 {
				t.Errorf("%v: %+v, count %d", test.heard, after, count)
			}
			known = &after
		}
		if count != test.count {
			t.Errorf("%v count %d, want %d", test.heard, count, test.count)
		}
	}
}
