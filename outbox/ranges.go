package outbox

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ranges are ids as Exclusion.IDs wants them: ascending, disjoint, and no two
// of them adjacent.
type ranges []Range

// rangesOf is the set of those ids, in any order.
func rangesOf(ids []int64) ranges {
	if !slices.IsSorted(ids) {
		ids = slices.Sorted(slices.Values(ids))
	}
	var out ranges
	for _, id := range ids {
		out = out.add(Range{id, id})
	}
	return out
}

// add appends a range that does not begin before the last one.
func (r ranges) add(next Range) ranges {
	if n := len(r); n > 0 && next.First <= r[n-1].Last+1 {
		r[n-1].Last = max(r[n-1].Last, next.Last)
		return r
	}
	return append(r, next)
}

// union is every id of any of the sets.
func union(sets ...ranges) ranges {
	var all []Range
	for _, s := range sets {
		all = append(all, s...)
	}
	slices.SortFunc(all, func(a, b Range) int {
		switch {
		case a.First < b.First:
			return -1
		case a.First > b.First:
			return 1
		}
		return 0
	})
	var out ranges
	for _, next := range all {
		out = out.add(next)
	}
	return out
}

func (r ranges) contains(id int64) bool {
	i, found := slices.BinarySearchFunc(r, id, func(have Range, id int64) int {
		switch {
		case have.Last < id:
			return -1
		case have.First > id:
			return 1
		}
		return 0
	})
	return found && r[i].First <= id
}

func (r ranges) count() int {
	n := 0
	for _, x := range r {
		n += int(x.Last - x.First + 1)
	}
	return n
}

func (r ranges) ids() []int64 {
	var out []int64
	for _, x := range r {
		for id := x.First; id <= x.Last; id++ {
			out = append(out, id)
		}
	}
	return out
}

// MarshalText writes "1-5,7".
func (r ranges) MarshalText() ([]byte, error) {
	var b []byte
	for i, x := range r {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, x.First, 10)
		if x.Last > x.First {
			b = append(b, '-')
			b = strconv.AppendInt(b, x.Last, 10)
		}
	}
	return b, nil
}

// maxRange keeps a damaged record from asking for all the memory there is.
const maxRange = 1 << 24

// UnmarshalText reads what MarshalText wrote, and refuses all else.
func (r *ranges) UnmarshalText(text []byte) error {
	*r = nil
	if len(text) == 0 {
		return nil
	}
	last := int64(0)
	for part := range strings.SplitSeq(string(text), ",") {
		x, err := parseRange(part)
		if err != nil || x.First <= last || x.Last < x.First || x.Last-x.First > maxRange {
			return fmt.Errorf("ids %q: not an ascending list of ids and ranges", part)
		}
		*r, last = append(*r, x), x.Last
	}
	return nil
}

func parseRange(s string) (Range, error) {
	first, rest, pair := strings.Cut(s, "-")
	a, err := strconv.ParseInt(first, 10, 64)
	if err != nil || !pair {
		return Range{a, a}, err
	}
	b, err := strconv.ParseInt(rest, 10, 64)
	return Range{a, b}, err
}
