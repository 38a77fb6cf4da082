package inbox

import (
	"slices"
	"testing"
)

func TestRelane(t *testing.T) {
	for _, x := range []struct {
		next  []int64
		lanes int
		want  []int64
	}{
		{nil, 2, []int64{-1, -1}},
		{[]int64{-1, -1}, 3, []int64{-1, -1, -1}},
		{[]int64{8, 8}, 1, []int64{8}},
		{[]int64{8, 7}, 4, []int64{8, 7}},
		{[]int64{8}, 1, []int64{8}},
	} {
		if got := Relane(x.next, x.lanes); !slices.Equal(got, x.want) {
			t.Errorf("%v with %d lanes: %v, want %v", x.next, x.lanes, got, x.want)
		}
	}
}

func TestNextReplay(t *testing.T) {
	first := Replay{Generation: 1, From: 10, To: 100}
	for _, x := range []struct {
		name  string
		claim Claim
		from  int64
		want  Replay // zero for an error
	}{
		{"never claimed", Claim{}, 0, Replay{}},
		{"nothing handled", Claim{Next: []int64{-1, -1}}, 0, Replay{}},
		{"before the beginning", Claim{Next: []int64{10}}, -1, Replay{}},
		{"not reached yet", Claim{Next: []int64{10}}, 10, Replay{}},
		{"the first", Claim{Next: []int64{100, 90, -1}}, 40, Replay{1, 40, 100}},
		{"while one is under way", Claim{Next: []int64{30, 60}, Replay: first}, 50, Replay{2, 30, 100}},
		{"further back", Claim{Next: []int64{70, 70}, Replay: first}, 5, Replay{2, 5, 100}},
		{"after one that is done", Claim{Next: []int64{120, 120}, Replay: first}, 110, Replay{2, 110, 120}},
	} {
		got, err := x.claim.NextReplay(x.from)
		if got != x.want || (err == nil) != (x.want != Replay{}) {
			t.Errorf("%s: %+v, %v; want %+v", x.name, got, err, x.want)
		}
	}
}
