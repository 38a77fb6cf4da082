package projection

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pabal-dev/pabal/journal"
)

// Cut is what a claim of slices does to the ranges of a projection. It is for
// backends, which do it in one transaction.
type Cut struct {
	// Taken are the ranges that have a slice of the claim: they go.
	Taken []StoredRange
	// Left is what remains of them, outside the claim: nobody's (Epoch 0), with the
	// cursor they had.
	Left []StoredRange
	// Cursor of the claimed range.
	Cursor journal.Cursor
}

// CutRanges claims slices of a projection that has those ranges, no two of which
// overlap. Where slices have no range yet, they begin at start, which may be as
// Admin.ClaimSlices says; a range that begins at start counts as none. earlier returns a
// cursor that passes over nothing which either of two (neither nil) has still to
// read.
func CutRanges(ranges []StoredRange, claim journal.SliceRange, start journal.Cursor,
	earlier func(a, b journal.Cursor) (journal.Cursor, error)) (Cut, error) {
	if err := claim.Validate(); err != nil {
		return Cut{}, err
	}
	var c Cut
	var cursors []journal.Cursor
	covered := 0
	for _, r := range ranges {
		if !r.Slices.Overlaps(claim) {
			continue
		}
		c.Taken = append(c.Taken, r)
		c.Left = append(c.Left, leftOf(r, claim)...)
		cursors = append(cursors, r.Cursor)
		covered += min(r.Slices.Max, claim.Max) - max(r.Slices.Min, claim.Min) + 1
	}
	if covered < claim.Max-claim.Min+1 {
		cursors = append(cursors, start)
	}
	cursors, err := c.begin(cursors, start)
	if err != nil {
		return Cut{}, fmt.Errorf("%w: slices %s", err, claim)
	}
	if c.Cursor, err = earliest(cursors, earlier); err != nil {
		return Cut{}, fmt.Errorf("projection: cursors of slices %s: %w", claim, err)
	}
	return c, nil
}

// begin checks what start demands, and returns the cursors without it.
func (c Cut) begin(cursors []journal.Cursor, start journal.Cursor) ([]journal.Cursor, error) {
	is := func(c journal.Cursor) bool { return bytes.Equal(c, start) }
	if is(OnlyKnown) {
		saved := !slices.ContainsFunc(c.Taken, func(r StoredRange) bool { return r.Saved.IsZero() })
		if !saved || slices.ContainsFunc(cursors, is) {
			return nil, ErrUnknown
		}
	}
	if first, found := bytes.CutPrefix(start, []byte(onlyNew)); found {
		if slices.ContainsFunc(cursors, func(c journal.Cursor) bool { return !is(c) }) {
			return nil, ErrKnown
		}
		if len(first) == 0 {
			first = nil
		}
		return []journal.Cursor{first}, nil
	}
	return cursors, nil
}

// leftOf is the part of a range before, and that after, the claim.
func leftOf(r StoredRange, claim journal.SliceRange) []StoredRange {
	var left []StoredRange
	r.Epoch = 0
	whole := r.Slices
	if whole.Min < claim.Min {
		r.Slices = journal.SliceRange{Min: whole.Min, Max: claim.Min - 1}
		left = append(left, r)
	}
	if whole.Max > claim.Max {
		r.Slices = journal.SliceRange{Min: claim.Max + 1, Max: whole.Max}
		left = append(left, r)
	}
	return left
}

// earliest of at least one cursor; nil is the beginning.
func earliest(cursors []journal.Cursor, earlier func(a, b journal.Cursor) (journal.Cursor, error)) (journal.Cursor, error) {
	first := cursors[0]
	for _, c := range cursors[1:] {
		if first == nil || c == nil {
			return nil, nil
		}
		var err error
		if first, err = earlier(first, c); err != nil {
			return nil, err
		}
	}
	return first, nil
}
