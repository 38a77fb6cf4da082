package slab_test

import (
	"testing"

	"github.com/pabal-dev/pabal/connect/internal/slab"
)

// TestPartsAreApart: what is written into one, or behind it, is in no other.
func TestPartsAreApart(t *testing.T) {
	var s slab.Slab[int]
	var all [][]int
	for n := range 100 {
		part := s.Take(n % 7)
		for _, v := range part {
			if v != 0 {
				t.Fatalf("part %d begins with %d", n, v)
			}
		}
		for i := range part {
			part[i] = n
		}
		_ = append(part, -1)
		all = append(all, part)
	}
	*s.One() = -2
	for n, part := range all {
		if len(part) != n%7 {
			t.Errorf("part %d has %d", n, len(part))
		}
		for _, v := range part {
			if v != n {
				t.Errorf("part %d has %d in it", n, v)
			}
		}
	}
}
