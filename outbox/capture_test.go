package outbox

import (
	"slices"
	"testing"
)

// TestReaders: rows count as published once one reader has passed two marks, and the second was made
// after they were there.
func TestReaders(t *testing.T) {
	at := func(reader string, confirmed, end uint64, ids ...int64) Capture {
		return Capture{IDs: ids, End: end, Slot: true, Published: true, Reader: reader, Confirmed: confirmed}
	}
	for _, c := range []struct {
		name  string
		looks []Capture
		want  []int64 // of the last look; none before
	}{
		{"nobody reads", []Capture{at("", 90, 10, 1), at("", 90, 10, 1), at("", 90, 10, 1), at("", 90, 10, 1)}, nil},
		{"one mark", []Capture{at("a", 5, 10, 1), at("a", 10, 12, 1)}, nil},
		{"two marks", []Capture{at("a", 5, 10, 1), at("a", 10, 12, 1), at("a", 10, 14, 1, 2), at("a", 14, 16, 1, 2, 3)}, []int64{1, 2}},
		{"not yet there", []Capture{at("a", 5, 10, 1), at("a", 10, 12, 1), at("a", 10, 14, 1, 2), at("a", 13, 16, 1, 2)}, nil},
		{"another reader", []Capture{at("a", 5, 10, 1), at("a", 10, 12, 1), at("a", 10, 14, 1), at("b", 14, 16, 1)}, nil},
		{"it went and came", []Capture{at("a", 5, 10, 1), at("a", 10, 12, 1), at("a", 10, 14, 1), at("", 14, 16, 1), at("a", 14, 16, 1)}, nil},
		{"not in a publication", []Capture{
			{IDs: []int64{1}, End: 10, Slot: true, Reader: "a", Confirmed: 50}, {IDs: []int64{1}, End: 10, Slot: true, Reader: "a", Confirmed: 50},
			{IDs: []int64{1}, End: 10, Slot: true, Reader: "a", Confirmed: 50}, {IDs: []int64{1}, End: 10, Slot: true, Reader: "a", Confirmed: 50},
		}, nil},
	} {
		var r readers
		for i, look := range c.looks {
			got := r.take(look)
			if last := i == len(c.looks)-1; last && !slices.Equal(got, c.want) || !last && got != nil {
				t.Errorf("%s: look %d gives %v, want %v", c.name, i, got, c.want)
			}
		}
	}
}
