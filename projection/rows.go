package projection

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pabal-dev/pabal/journal"
)

// LastOffsets is what a backend stores of the offsets of a transaction: the last
// of each entity, ordered by slice and persistence id. The last is the latest by
// time, since an entity that was forgotten counts from 1 again. A slice that is not
// the claim's is an error.
func LastOffsets(claim Claim, offsets []Offset) ([]Offset, error) {
	for _, o := range offsets {
		if !claim.Slices.Contains(o.Slice) {
			return nil, fmt.Errorf("projection %s: the offset of %s is in slice %d, the claim has the slices %s",
				claim.Projection, o.PersistenceID, o.Slice, claim.Slices)
		}
	}
	last := slices.SortedFunc(slices.Values(offsets), func(a, b Offset) int {
		return cmp.Or(cmp.Compare(a.Slice, b.Slice), cmp.Compare(a.PersistenceID, b.PersistenceID),
			b.Time.Compare(a.Time), cmp.Compare(b.SeqNr, a.SeqNr))
	})
	return slices.CompactFunc(last, func(a, b Offset) bool { return a.PersistenceID == b.PersistenceID }), nil
}

// KeyConcerns says whether a row of projection_management with that key is about
// the slices: it is unless the key is a slice range that has none of them.
func KeyConcerns(key string, slices journal.SliceRange) bool {
	low, high, ok := strings.Cut(key, "-")
	from, err1 := strconv.ParseUint(low, 10, 16)
	to, err2 := strconv.ParseUint(high, 10, 16)
	r := journal.SliceRange{Min: int(from), Max: int(to)}
	return !ok || err1 != nil || err2 != nil || r.Validate() != nil || r.Overlaps(slices)
}
